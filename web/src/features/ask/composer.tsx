import { type Ref, useState } from "react";
import { useOrganization } from "../../api/organization";
import { t } from "../../lib/text";
import { IconButton } from "../../ui/button";
import { ScopePicker } from "./scope-picker";

type ComposerProps = {
  /** Under which what is typed is kept, so that nothing loses it. */
  draftKey: string;
  busy: boolean;
  scope: string[];
  onScope: (bases: string[]) => void;
  onAsk: (text: string) => void;
  onStop: () => void;
  field: Ref<HTMLTextAreaElement>;
};

export function Composer({ draftKey, busy, scope, onScope, onAsk, onStop, field }: ComposerProps) {
  const kept = `amebo.draft.${draftKey}`;
  const [text, setText] = useState(() => sessionStorage.getItem(kept) ?? "");
  const { cannot } = useOrganization();
  const refused = cannot("question:create");
  const change = (next: string) => {
    setText(next);
    if (next) sessionStorage.setItem(kept, next);
    else sessionStorage.removeItem(kept);
  };
  const submit = () => {
    const question = text.trim();
    if (!question || busy || refused) return;
    change("");
    onAsk(question);
  };
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <textarea
        ref={field}
        rows={1}
        dir="auto"
        value={text}
        maxLength={8000}
        aria-label={t("ask.question")}
        placeholder={t("ask.placeholder")}
        onChange={(event) => change(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault();
            submit();
          }
          if (event.key !== "Escape" || event.nativeEvent.isComposing) return;
          // Otherwise it leaves the field, so that the page's own keys work.
          if (busy) onStop();
          else event.currentTarget.blur();
        }}
      />
      <div className="row between">
        <ScopePicker scope={scope} onScope={onScope} />
        {busy ? (
          <IconButton kind="primary" icon="stop" label={t("ask.stop")} onClick={onStop} />
        ) : (
          <IconButton
            kind="primary"
            icon="send"
            label={t("ask.send")}
            type="submit"
            disabledBecause={refused ?? (text.trim() ? undefined : t("ask.typeFirst"))}
          />
        )}
      </div>
    </form>
  );
}
