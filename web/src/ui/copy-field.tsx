import { useId } from "react";
import { t } from "../lib/text";
import { Button } from "./button";
import { toast } from "./toast";

/** Something that is shown once, to be taken away. */
export function CopyField({ label, value, hint }: { label: string; value: string; hint?: string }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="row copy-field">
        <input
          id={id}
          className="input grow"
          readOnly
          value={value}
          onFocus={(event) => event.target.select()}
          aria-describedby={hint ? `${id}-hint` : undefined}
        />
        <Button
          icon="copy"
          onClick={async () => {
            await navigator.clipboard.writeText(value);
            toast(t("action.copied"));
          }}
        >
          {t("action.copy")}
        </Button>
      </div>
      {hint && (
        <span className="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
    </div>
  );
}
