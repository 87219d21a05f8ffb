import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { api, read, type Schemas } from "../../api/client";
import { ago, bytes, latency, number } from "../../lib/format";
import { Link } from "../../lib/router";
import { t } from "../../lib/text";
import { Loaded, Notice } from "../../ui/state";

type Known = Schemas["PlatformHealthResponse"];

/** How the platform is doing, looked at again every half minute. */
export function Health() {
  const health = useQuery({
    queryKey: ["operator", "health"],
    queryFn: () => read(api.GET("/api/v1/operator/health")),
    refetchInterval: 30_000,
  });
  return (
    <Loaded query={health} rows={4} height="7rem">
      {(known) => (
        <div className="health">
          <Queue queue={known.queue} />
          <Database database={known.database} version={known.version} />
          <Index index={known.index} />
          <Models models={known.embedding_models} language={known.language_model} />
        </div>
      )}
    </Loaded>
  );
}

function Part({ id, title, good, children }: { id: string; title: string; good: boolean; children: ReactNode }) {
  return (
    <section className="card stack tight" aria-labelledby={id}>
      <div className="row between">
        <h2 id={id}>{title}</h2>
        <span className={good ? "tag good" : "tag warn"}>{good ? t("health.good") : t("health.look")}</span>
      </div>
      {children}
    </section>
  );
}

function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="numbers">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** After this long, what nothing keeps from running should have run. */
const LATE_MILLISECONDS = 5 * 60_000;

function Queue({ queue }: { queue: Known["queue"] }) {
  const since = queue.waiting_since;
  const dead = queue.dead ? <Link to="/operator?tab=jobs">{number(queue.dead)}</Link> : number(0);
  const isLate = since != null && Date.now() - new Date(since).getTime() > LATE_MILLISECONDS;
  return (
    <Part id="queue" title={t("health.queue")} good={queue.dead === 0 && !isLate}>
      <Facts
        facts={[
          [t("job.queued"), number(queue.queued)],
          [t("job.running"), number(queue.running)],
          [t("job.dead"), dead],
          [t("health.waitingSince"), since ? ago(since) : t("health.nothingWaits")],
        ]}
      />
    </Part>
  );
}

function Database({ database, version }: { database: Known["database"]; version: string }) {
  const pending = database.pending_migrations;
  return (
    <Part id="database" title={t("health.database")} good={pending.length === 0}>
      <Facts
        facts={[
          [t("health.amebo"), version],
          // Without what the distribution adds.
          [t("health.postgresql"), database.version.split(" ")[0]],
          [t("health.answered"), latency(database.answered_us)],
          [t("health.size"), bytes(database.size_bytes)],
        ]}
      />
      {pending.length > 0 && <Notice kind="warn">{t("health.pending", { names: pending.join(", ") })}</Notice>}
    </Part>
  );
}

function Index({ index }: { index: Known["index"] }) {
  return (
    <Part id="index" title={t("health.index")} good>
      {index ? (
        <Facts
          facts={[
            [t("health.loaded"), number(index.organizations)],
            [t("health.passages"), number(index.passages)],
            [t("health.memory"), bytes(index.bytes)],
          ]}
        />
      ) : (
        <p className="quiet">{t("health.elsewhere")}</p>
      )}
      <p className="quiet small">{t("health.indexHow")}</p>
    </Part>
  );
}

function Models({ models, language }: { models: Known["embedding_models"]; language: Known["language_model"] }) {
  const failing = models.filter((model) => model.error != null);
  return (
    <Part id="models" title={t("health.models")} good={models.length > 0 && failing.length === 0}>
      <Facts
        facts={[
          ...models.map((model): [string, ReactNode] => [
            model.name,
            model.answered_us == null ? t("health.noAnswer") : latency(model.answered_us),
          ]),
          [t("health.language"), language ?? t("health.quoting")],
        ]}
      />
      {models.length === 0 && <Notice kind="warn">{t("health.noModel")}</Notice>}
      {failing.map((model) => (
        <Notice key={model.name} kind="bad">
          {model.name}: {model.error}
        </Notice>
      ))}
    </Part>
  );
}
