import { type ReactNode, useEffect, useId, useRef } from "react";
import { t } from "../lib/text";
import { Button, IconButton } from "./button";

const FIRST_FIELD = ".body :is(input:not([type=radio], [type=checkbox], [readonly]), textarea, select)";

type DialogProps = { title: string; onClose: () => void; wide?: boolean; mayClose?: boolean; children: ReactNode };

/** A modal dialog. The browser keeps the focus in it and gives it back. */
export function Dialog({ title, onClose, wide, mayClose = true, children }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = box.current;
    if (dialog && !dialog.open) {
      dialog.showModal();
      // The first field rather than the first button, which would be the one that closes.
      dialog.querySelector<HTMLElement>(FIRST_FIELD)?.focus();
    }
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={box}
      className={wide ? "box wide" : "box"}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        if (mayClose) onClose();
      }}
      onClick={(event) => {
        if (event.target === box.current && mayClose) onClose();
      }}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <header>
        <h2 id={id}>{title}</h2>
        {mayClose && <IconButton icon="close" label={t("action.close")} onClick={onClose} />}
      </header>
      <div className="body stack">{children}</div>
    </dialog>
  );
}

type ConfirmProps = {
  title: string;
  children: ReactNode;
  action: string;
  onConfirm: () => void;
  onClose: () => void;
  busy?: boolean;
};

/** Asks before something that cannot be undone. */
export function Confirm({ title, children, action, onConfirm, onClose, busy }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <div>{children}</div>
      <div className="row end">
        <Button onClick={onClose}>{t("action.cancel")}</Button>
        <Button kind="danger" className="primary" busy={busy ?? false} onClick={onConfirm}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
