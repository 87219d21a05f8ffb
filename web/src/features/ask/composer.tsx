import { useQuery } from "@tanstack/react-query";
import { type Ref, useId, useRef, useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { t } from "../../lib/text";
import { IconButton } from "../../ui/button";
import { Checkbox } from "../../ui/field";
import { Icon } from "../../ui/icon";

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

function ScopePicker({ scope, onScope }: { scope: string[]; onScope: (bases: string[]) => void }) {
  const { id, path } = useOrganization();
  const menu = useId();
  const trigger = useRef<HTMLButtonElement>(null);
  const bases = useQuery({
    queryKey: [id, "bases", "active"],
    queryFn: () =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/knowledge-bases", { params: { path, query: { limit: 200 } } }),
      ),
    staleTime: 60_000,
  });
  const usable = bases.data?.items.filter((base) => base.status !== "archived") ?? [];
  const chosen = usable.filter((base) => scope.includes(base.id));
  const label =
    chosen.length === 0
      ? t("scope.all")
      : chosen.length === 1
        ? (chosen[0]?.name ?? "")
        : t("scope.some", { count: chosen.length });
  const place = (element: HTMLElement) => {
    const box = trigger.current?.getBoundingClientRect();
    if (!box) return;
    element.style.left = `${Math.max(8, box.left)}px`;
    element.style.top = `${Math.max(8, box.top - element.offsetHeight - 6)}px`;
  };
  return (
    <>
      <button ref={trigger} type="button" className="button plain small" popoverTarget={menu}>
        <Icon name="book" />
        <span className="visually-hidden">{t("scope.label")}</span>
        <span className="cut scope-name">{label}</span>
      </button>
      <div
        id={menu}
        popover="auto"
        className="menu scope"
        onToggle={(event) => event.newState === "open" && place(event.currentTarget)}
      >
        <fieldset className="field">
          <legend>{t("scope.label")}</legend>
          <Checkbox label={t("scope.all")} checked={chosen.length === 0} onChange={() => onScope([])} />
          {usable.map((base) => (
            <Checkbox
              key={base.id}
              label={base.name}
              hint={t("scope.documents", { count: base.document_count })}
              checked={scope.includes(base.id)}
              onChange={(event) =>
                onScope(event.target.checked ? [...scope, base.id] : scope.filter((other) => other !== base.id))
              }
            />
          ))}
        </fieldset>
      </div>
    </>
  );
}
