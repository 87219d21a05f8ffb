import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { type Key, t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Checkbox } from "../../ui/field";
import { Icon } from "../../ui/icon";
import { MoreButton } from "../../ui/more";
import { Loaded, Notice } from "../../ui/state";
import { toast } from "../../ui/toast";
import type { Document } from "./follow";

type Audience = Schemas["Audience"];
type Role = Schemas["Role"];

const ROLES: Role[] = ["owner", "administrator", "manager", "bot_trainer", "sales", "agent", "member", "viewer"];

export function AudienceSummary({ audience }: { audience: Audience }) {
  const text = () => {
    if (audience.kind !== "members") return t(`audience.${audience.kind}` as Key);
    const roles = (audience.roles ?? []).map((role) => t(`role.${role}` as Key));
    const people = audience.users?.length ?? 0;
    return [...roles, ...(people ? [t("audience.people", { count: people })] : [])].join(", ") || t("audience.nobody");
  };
  return (
    <span className="tag">
      <Icon name={audience.kind === "public" ? "globe" : audience.kind === "members" ? "lock" : "people"} />
      {text()}
    </span>
  );
}

/** Who may see a document, and through it get answers from it. */
export function AudienceDialog({ document, onClose }: { document: Document; onClose: () => void }) {
  const { id, path } = useOrganization();
  const cache = useQueryClient();
  const [kind, setKind] = useState(document.audience.kind);
  const before = document.audience.kind === "members" ? document.audience : { roles: [], users: [] };
  const [roles, setRoles] = useState<Role[]>(before.roles ?? []);
  const [users, setUsers] = useState<string[]>(before.users ?? []);
  const save = useMutation({
    mutationFn: (audience: Audience) =>
      read(
        api.PATCH("/api/v1/organizations/{organization_id}/documents/{document_id}", {
          params: { path: { ...path, document_id: document.id } },
          body: { audience },
        }),
      ),
    onSuccess: (changed) => {
      cache.setQueryData([id, "document", document.id], changed);
      toast(t("audience.saved"));
      onClose();
    },
  });
  const isNobody = kind === "members" && roles.length + users.length === 0;
  const submit = () => {
    if (kind === "members") save.mutate({ kind, roles, users });
    else if (kind === "public" || kind === "organization") save.mutate({ kind });
  };
  return (
    <Dialog title={t("audience.title")} onClose={onClose}>
      <fieldset className="field stack tight">
        <legend className="visually-hidden">{t("audience.title")}</legend>
        {(["organization", "members", "public"] as const).map((option) => (
          <label key={option} className="check">
            <input type="radio" name="kind" checked={kind === option} onChange={() => setKind(option)} />
            <span>
              {t(`audience.${option}`)} <span className="quiet small">{t(`audience.${option}How`)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {kind === "members" && (
        <>
          <fieldset className="field choices">
            <legend>{t("audience.roles")}</legend>
            {ROLES.map((role) => (
              <Checkbox
                key={role}
                label={t(`role.${role}` as Key)}
                checked={roles.includes(role)}
                onChange={(event) => setRoles(toggled(roles, role, event.target.checked))}
              />
            ))}
          </fieldset>
          <PeopleChoice chosen={users} onChange={setUsers} />
        </>
      )}
      {save.error && <Notice kind="bad">{sentence(save.error)}</Notice>}
      <div className="row end">
        <Button onClick={onClose}>{t("action.cancel")}</Button>
        <Button
          kind="primary"
          busy={save.isPending}
          disabledBecause={isNobody ? t("audience.nobodyHow") : undefined}
          onClick={submit}
        >
          {t("action.save")}
        </Button>
      </div>
    </Dialog>
  );
}

function toggled<T>(list: T[], item: T, on: boolean): T[] {
  return on ? [...list, item] : list.filter((other) => other !== item);
}

function PeopleChoice({ chosen, onChange }: { chosen: string[]; onChange: (users: string[]) => void }) {
  const { id, path, can } = useOrganization();
  const members = useInfiniteQuery({
    queryKey: [id, "members"],
    queryFn: ({ pageParam }) =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/members", {
          params: { path, query: { limit: 200, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    enabled: can("member:read"),
  });
  if (!can("member:read")) return null;
  return (
    <fieldset className="field choices">
      <legend>{t("audience.persons")}</legend>
      <Loaded query={members} rows={3} height="1.5rem">
        {(data) =>
          data.pages
            .flatMap((page) => page.items)
            .map((member) => (
              <Checkbox
                key={member.user_id}
                label={member.name || member.email}
                hint={member.name ? member.email : undefined}
                checked={chosen.includes(member.user_id)}
                onChange={(event) => onChange(toggled(chosen, member.user_id, event.target.checked))}
              />
            ))
        }
      </Loaded>
      <MoreButton query={members} />
    </fieldset>
  );
}
