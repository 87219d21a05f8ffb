import { type Ref, useState } from "react";
import { useOrganization } from "../../api/organization";
import { t } from "../../lib/text";
import { IconButton } from "../../ui/button";
import { draftOf, keepDraft } from "./draft";
import { ScopePicker } from "./scope-picker";

type ComposerProps = {
  /** Under which what is typed is kept until the server has it, so that nothing loses it. */
  draftKey: string;
  busy: boolean;
  scope: string[];
  onScope: (bases: string[]) => void;
  /** Asks; false when the question did not even come onto the page. */
  onAsk: (text: string) => Promise<boolean>;
  onStop: () => void;
  field: Ref<HTMLTextAreaElement>;
};

export function Composer({ draftKey, busy, scope, onScope, onAsk, onStop, field }: ComposerProps) {
  const [text, setText] = useState(() => draftOf(draftKey));
  const { cannot } = useOrganization();
  const refused = cannot("question:create");
  const change = (next: string) => {
    setText(next);
    keepDraft(draftKey, next);
  };
  const submit = async () => {
    const question = text.trim();
    if (!question || busy || refused) return;
    setText("");
    keepDraft(draftKey, question);
    if (!(await onAsk(question))) setText((since) => since || question);
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
