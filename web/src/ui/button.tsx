import type { ButtonHTMLAttributes, ReactNode } from "react";
import { Icon, type IconName } from "./icon";

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "disabled"> & {
  kind?: "default" | "primary" | "plain" | "danger";
  small?: boolean;
  icon?: IconName;
  /** Why it cannot be used now; it stays reachable and says so. */
  disabledBecause?: string | undefined;
  /** What it started is under way. */
  busy?: boolean;
  children?: ReactNode;
};

export function Button({
  kind = "default",
  small,
  icon,
  disabledBecause,
  busy,
  children,
  onClick,
  className,
  ...rest
}: ButtonProps) {
  const off = busy || disabledBecause !== undefined;
  return (
    <button
      type="button"
      {...rest}
      className={["button", kind, small && "small", className].filter(Boolean).join(" ")}
      aria-disabled={off || undefined}
      aria-busy={busy || undefined}
      title={disabledBecause ?? rest.title}
      onClick={(event) => {
        if (off) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

type IconButtonProps = Omit<ButtonProps, "children" | "icon"> & { icon: IconName; label: string };

/** A button that is only an icon; its name is read aloud and shown on hover. */
export function IconButton({ icon, label, className, kind = "plain", ...rest }: IconButtonProps) {
  return (
    <Button
      {...rest}
      kind={kind}
      aria-label={label}
      title={rest.disabledBecause ?? label}
      className={`icon-only ${className ?? ""}`}
    >
      <Icon name={icon} />
    </Button>
  );
}
