import { type ReactNode, useId, useRef } from "react";
import { Icon, type IconName } from "./icon";

export type MenuItem = { label: string; icon?: IconName; danger?: boolean; onSelect: () => void };

type MenuProps = { label: string; items: MenuItem[]; children?: ReactNode; className?: string };

/** A button that opens a list of actions. Arrow keys move, Escape closes. */
export function Menu({ label, items, children, className }: MenuProps) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const trigger = useRef<HTMLButtonElement>(null);
  const place = () => {
    const button = trigger.current?.getBoundingClientRect();
    const box = list.current;
    if (!button || !box) return;
    const below = window.innerHeight - button.bottom;
    const height = box.offsetHeight;
    const top = below > height + 8 ? button.bottom + 4 : Math.max(8, button.top - height - 4);
    const isRight = button.left > window.innerWidth / 2;
    const left = isRight ? button.right - box.offsetWidth : button.left;
    box.style.top = `${top}px`;
    box.style.left = `${Math.min(Math.max(8, left), window.innerWidth - box.offsetWidth - 8)}px`;
    box.querySelector("button")?.focus();
  };
  const move = (step: number) => {
    const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    buttons[(at + step + buttons.length) % buttons.length]?.focus();
  };
  return (
    <>
      <button
        ref={trigger}
        type="button"
        className={className ?? "button plain small icon-only"}
        aria-haspopup="menu"
        aria-label={children ? undefined : label}
        title={children ? undefined : label}
        popoverTarget={id}
      >
        {children ?? <Icon name="more" />}
      </button>
      <div
        ref={list}
        id={id}
        popover="auto"
        role="menu"
        aria-label={label}
        tabIndex={-1}
        className="menu"
        onToggle={(event) => event.newState === "open" && place()}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") move(1);
          else if (event.key === "ArrowUp") move(-1);
          else return;
          event.preventDefault();
        }}
      >
        {items.map((item) => (
          <button
            key={item.label}
            type="button"
            role="menuitem"
            className={item.danger ? "danger" : undefined}
            onClick={() => {
              list.current?.hidePopover();
              item.onSelect();
            }}
          >
            {item.icon && <Icon name={item.icon} />}
            {item.label}
          </button>
        ))}
      </div>
    </>
  );
}
