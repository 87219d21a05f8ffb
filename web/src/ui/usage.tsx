import { useQuery } from "@tanstack/react-query";
import { api, read } from "../api/client";
import { useOrganization } from "../api/organization";
import { bytes, number } from "../lib/format";
import { type Key, t } from "../lib/text";
import { Progress } from "./page";
import { Loaded } from "./state";

function useUsage() {
  const { id, path } = useOrganization();
  return useQuery({
    queryKey: [id, "usage"],
    queryFn: () => read(api.GET("/api/v1/organizations/{organization_id}/usage", { params: { path } })),
  });
}

/** What the plan allows and how much of it is used. */
export function UsageCard() {
  const { details } = useOrganization();
  const usage = useUsage();
  return (
    <section className="card stack" aria-labelledby="plan">
      <div className="row between">
        <h2 id="plan">{t("settings.plan")}</h2>
        <span className="tag accent">{t(`plan.${details.subscription_plan}` as Key)}</span>
      </div>
      <Loaded query={usage}>
        {({ limits, ...used }) => (
          <>
            <dl className="meters">
              <Meter name={t("usage.members")} used={used.members} limit={limits.members} show={number} />
              <Meter name={t("usage.documents")} used={used.documents} limit={limits.documents} show={number} />
              <Meter name={t("usage.storage")} used={used.storage_bytes} limit={limits.storage_bytes} show={bytes} />
              <Meter name={t("usage.answers")} used={used.ai_answers} limit={limits.ai_answers} show={number} />
            </dl>
            <dl className="facts small">
              <dt>{t("limit.upload_bytes.name")}</dt>
              <dd className="numbers">{bytes(limits.upload_bytes)}</dd>
              <dt>{t("limit.requests_per_minute")}</dt>
              <dd className="numbers">{number(limits.requests_per_minute)}</dd>
            </dl>
            <p className="quiet small">{t("usage.how")}</p>
          </>
        )}
      </Loaded>
    </section>
  );
}

function Meter({
  name,
  used,
  limit,
  show,
}: {
  name: string;
  used: number;
  limit: number;
  show: (value: number) => string;
}) {
  return (
    <div>
      <dt className="row between">
        <span>{name}</span>
        <span className="quiet numbers">{t("usage.of", { used: show(used), limit: show(limit) })}</span>
      </dt>
      <dd>
        <Progress label={name} value={limit > 0 ? Math.min(1, used / limit) : 1} />
      </dd>
    </div>
  );
}
