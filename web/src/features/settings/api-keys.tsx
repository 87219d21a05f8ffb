import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { ago, date } from "../../lib/format";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { MoreButton } from "../../ui/more";
import { Empty, Loaded } from "../../ui/state";
import { toast } from "../../ui/toast";
import { ApiKeyDialog } from "./api-key-dialog";

type ApiKey = Schemas["ApiKeyResponse"];

/** How programs come in. */
export function ApiKeys() {
  const { id, path, cannot } = useOrganization();
  const [making, setMaking] = useState(false);
  const keys = useInfiniteQuery({
    queryKey: [id, "api-keys"],
    queryFn: ({ pageParam }) =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/api-keys", {
          params: { path, query: { limit: 100, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const make = (
    <Button kind="primary" icon="plus" disabledBecause={cannot("api_key:create")} onClick={() => setMaking(true)}>
      {t("key.make")}
    </Button>
  );
  return (
    <Loaded query={keys}>
      {(data) => {
        const items = data.pages.flatMap((page) => page.items);
        return (
          <>
            {items.length === 0 ? (
              <Empty icon="key" title={t("key.none")} action={make}>
                {t("key.noneHow")}
              </Empty>
            ) : (
              <>
                <table className="table folds">
                  <thead>
                    <tr>
                      <th scope="col">{t("field.name")}</th>
                      <th scope="col">{t("key.may")}</th>
                      <th scope="col">{t("key.used")}</th>
                      <th scope="col">{t("key.ends")}</th>
                      <th scope="col">
                        <span className="visually-hidden">{t("people.actions")}</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {items.map((key) => (
                      <Row key={key.id} apiKey={key} />
                    ))}
                  </tbody>
                </table>
                <MoreButton query={keys} />
                <div>{make}</div>
              </>
            )}
            {making && <ApiKeyDialog onClose={() => setMaking(false)} />}
          </>
        );
      }}
    </Loaded>
  );
}

function Row({ apiKey }: { apiKey: ApiKey }) {
  const { id, path, cannot } = useOrganization();
  const cache = useQueryClient();
  const [asking, setAsking] = useState(false);
  const revoke = useMutation({
    mutationFn: () =>
      read(
        api.DELETE("/api/v1/organizations/{organization_id}/api-keys/{api_key_id}", {
          params: { path: { ...path, api_key_id: apiKey.id } },
        }),
      ),
    onSuccess: () => {
      setAsking(false);
      return cache.invalidateQueries({ queryKey: [id, "api-keys"] });
    },
    onError: (error) => toast(sentence(error)),
  });
  return (
    <tr>
      <td>
        <span className="who">
          <strong>{apiKey.name}</strong>
          <code className="quiet">{apiKey.prefix}…</code>
        </span>
      </td>
      <td data-label={t("key.may")} title={apiKey.scopes.join(", ")}>
        {t("people.count", { count: apiKey.scopes.length })}
      </td>
      <td data-label={t("key.used")} className="quiet">
        {apiKey.last_used_at ? ago(apiKey.last_used_at) : t("people.never")}
      </td>
      <td data-label={t("key.ends")} className="quiet">
        {apiKey.revoked_at ? (
          <span className="tag bad">{t("key.revoked")}</span>
        ) : apiKey.expires_at ? (
          date(apiKey.expires_at)
        ) : (
          t("key.never")
        )}
      </td>
      <td className="end">
        {!apiKey.revoked_at && (
          <Button small disabledBecause={cannot("api_key:delete")} onClick={() => setAsking(true)}>
            {t("key.revoke")}
          </Button>
        )}
        {asking && (
          <Confirm
            title={t("key.revokeTitle", { name: apiKey.name })}
            action={t("key.revoke")}
            busy={revoke.isPending}
            onConfirm={() => revoke.mutate()}
            onClose={() => setAsking(false)}
          >
            <p>{t("key.revokeHow")}</p>
          </Confirm>
        )}
      </td>
    </tr>
  );
}
