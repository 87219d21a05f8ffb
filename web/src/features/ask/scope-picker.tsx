import { useQuery } from "@tanstack/react-query";
import { useId, useRef, useState } from "react";
import { useBases } from "../../api/bases";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { t } from "../../lib/text";
import { Checkbox } from "../../ui/field";
import { Icon } from "../../ui/icon";
import { includes, only, toggled } from "./scope";

/** How high the list grows; the rest of it scrolls. */
const MOST_PIXELS = 320;

/** Where a question looks: everywhere, in some knowledge bases, or in what a workspace stands for. */
export function ScopePicker({ scope, onScope }: { scope: string[]; onScope: (bases: string[]) => void }) {
  const { id, path, can } = useOrganization();
  const menu = useId();
  const trigger = useRef<HTMLButtonElement>(null);
  const [wasOpen, setWasOpen] = useState(false);
  const bases = useBases();
  const workspaces = useQuery({
    queryKey: [id, "workspaces"],
    queryFn: () => read(api.GET("/api/v1/organizations/{organization_id}/workspaces", { params: { path } })),
    staleTime: 60_000,
    // Nobody waits for it before the first question.
    enabled: (wasOpen || scope.length > 0) && can("question:create"),
  });
  const usable = bases.data?.items.filter((base) => base.status !== "archived") ?? [];
  const chosen = usable.filter((base) => scope.includes(base.id));
  const places = workspaces.data?.items ?? [];
  const place = only(scope, places);
  const label =
    place?.name ??
    (chosen.length === 0
      ? t("scope.all")
      : chosen.length === 1
        ? (chosen[0]?.name ?? "")
        : t("scope.some", { count: chosen.length }));
  const show = (element: HTMLElement) => {
    setWasOpen(true);
    const box = trigger.current?.getBoundingClientRect();
    if (!box) return;
    const isRtl = getComputedStyle(element).direction === "rtl";
    const start = isRtl ? box.right - element.offsetWidth : box.left;
    element.style.left = `${Math.min(Math.max(8, start), window.innerWidth - element.offsetWidth - 8)}px`;
    // It grows away from the button, so that what arrives later moves nothing.
    const below = window.innerHeight - box.bottom;
    const isAbove = box.top > below || box.top > MOST_PIXELS;
    element.style.top = isAbove ? "auto" : `${box.bottom + 6}px`;
    element.style.bottom = isAbove ? `${window.innerHeight - box.top + 6}px` : "auto";
    element.style.maxHeight = `${Math.min(MOST_PIXELS, (isAbove ? box.top : below) - 16)}px`;
  };
  return (
    <>
      <button ref={trigger} type="button" className="button plain small" popoverTarget={menu}>
        <Icon name={place ? "hash" : "book"} />
        <span className="visually-hidden">{t("scope.label")}</span>
        <span className="cut scope-name">{label}</span>
      </button>
      <div
        id={menu}
        popover="auto"
        className="menu scope"
        onToggle={(event) => event.newState === "open" && show(event.currentTarget)}
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
        {places.length > 0 && (
          <fieldset className="field">
            <legend>{t("scope.workspaces")}</legend>
            {places.map((workspace) => (
              <Checkbox
                key={workspace.id}
                label={workspace.name}
                hint={t("scope.ofWorkspace")}
                checked={includes(scope, workspace)}
                onChange={(event) => onScope(toggled(scope, workspace, event.target.checked))}
              />
            ))}
          </fieldset>
        )}
      </div>
    </>
  );
}
