import { type DragEvent, type ReactNode, useState } from "react";

/** A place that takes what is dropped on it, and shows that it would. */
export function Drop({
  onDrop,
  label,
  labelledBy,
  children,
}: {
  onDrop: (dropped: DataTransfer) => void;
  label?: string;
  labelledBy?: string;
  children: ReactNode;
}) {
  const [over, setOver] = useState(false);
  const leave = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
  };
  return (
    <section
      className={over ? "drop over" : "drop"}
      aria-label={label}
      aria-labelledby={labelledBy}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={leave}
      onDrop={(event) => {
        leave(event);
        onDrop(event.dataTransfer);
      }}
    >
      {children}
    </section>
  );
}
