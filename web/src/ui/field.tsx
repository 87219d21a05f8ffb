import {
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
} from "react";
import { Icon } from "./icon";

type Around = { label: string; hint?: ReactNode; wrong?: string | undefined; hideLabel?: boolean };

function describedBy(id: string, { hint, wrong }: Pick<Around, "hint" | "wrong">) {
  const parts = [hint ? `${id}-hint` : "", wrong ? `${id}-wrong` : ""].filter(Boolean);
  return { "aria-describedby": parts.join(" ") || undefined, "aria-invalid": wrong ? true : undefined } as const;
}

function Frame({ id, label, hint, wrong, hideLabel, children }: Around & { id: string; children: ReactNode }) {
  return (
    <div className="field">
      <label htmlFor={id} className={hideLabel ? "visually-hidden" : undefined}>
        {label}
      </label>
      {children}
      {hint && (
        <span className="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {wrong && (
        <span className="wrong" id={`${id}-wrong`} role="alert">
          {wrong}
        </span>
      )}
    </div>
  );
}

export function TextField({ label, hint, wrong, hideLabel, ...rest }: Around & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <Frame {...{ id, label, hint, wrong, hideLabel }}>
      <input id={id} className="input" {...describedBy(id, { hint, wrong })} {...rest} />
    </Frame>
  );
}

export function TextArea({
  label,
  hint,
  wrong,
  hideLabel,
  ...rest
}: Around & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  const id = useId();
  return (
    <Frame {...{ id, label, hint, wrong, hideLabel }}>
      <textarea id={id} className="input" {...describedBy(id, { hint, wrong })} {...rest} />
    </Frame>
  );
}

export function Select({
  label,
  hint,
  wrong,
  hideLabel,
  children,
  ...rest
}: Around & SelectHTMLAttributes<HTMLSelectElement>) {
  const id = useId();
  return (
    <Frame {...{ id, label, hint, wrong, hideLabel }}>
      <select id={id} className="input" {...describedBy(id, { hint, wrong })} {...rest}>
        {children}
      </select>
    </Frame>
  );
}

export function Checkbox({
  label,
  hint,
  ...rest
}: { label: ReactNode; hint?: ReactNode } & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <label className="check">
      <input type="checkbox" {...rest} />
      <span>
        {label}
        {hint && <span className="quiet small"> {hint}</span>}
      </span>
    </label>
  );
}

export function SearchField({ label, ...rest }: { label: string } & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <div className="search">
      <Icon name="search" />
      <input type="search" className="input" aria-label={label} placeholder={label} {...rest} />
    </div>
  );
}
