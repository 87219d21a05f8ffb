import { type ReactNode, type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";

type VirtualProps<T> = {
  items: readonly T[];
  /** The height of one row in pixels; all rows are alike. */
  rowHeight: number;
  label: string;
  row: (item: T, index: number) => ReactNode;
  idOf: (item: T) => string;
  /** Called when the end comes near. */
  onEnd?: () => void;
};

const EXTRA_ROWS = 8;

function useWindow(list: RefObject<HTMLUListElement | null>, count: number, rowHeight: number) {
  const [range, setRange] = useState({ first: 0, last: 30 });
  useLayoutEffect(() => {
    const look = () => {
      const top = list.current?.getBoundingClientRect().top ?? 0;
      const first = Math.max(0, Math.floor(-top / rowHeight) - EXTRA_ROWS);
      const last = Math.min(count, Math.ceil((window.innerHeight - top) / rowHeight) + EXTRA_ROWS);
      setRange((old) => (old.first === first && old.last === last ? old : { first, last }));
    };
    look();
    window.addEventListener("scroll", look, { passive: true });
    window.addEventListener("resize", look);
    return () => {
      window.removeEventListener("scroll", look);
      window.removeEventListener("resize", look);
    };
  }, [list, count, rowHeight]);
  return range;
}

/** A list of any length that draws only the rows in sight. It scrolls with the page. */
export function VirtualList<T>({ items, rowHeight, label, row, idOf, onEnd }: VirtualProps<T>) {
  const list = useRef<HTMLUListElement>(null);
  const { first, last } = useWindow(list, items.length, rowHeight);
  const isNearEnd = last >= items.length - EXTRA_ROWS;
  useEffect(() => {
    if (isNearEnd) onEnd?.();
  }, [isNearEnd, onEnd]);
  return (
    <ul ref={list} className="virtual" aria-label={label} style={{ height: items.length * rowHeight }}>
      {items.slice(first, last).map((item, offset) => (
        <li
          key={idOf(item)}
          aria-posinset={first + offset + 1}
          aria-setsize={items.length}
          style={{ height: rowHeight, transform: `translateY(${(first + offset) * rowHeight}px)` }}
        >
          {row(item, first + offset)}
        </li>
      ))}
    </ul>
  );
}
