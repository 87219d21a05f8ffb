import { useQuery } from "@tanstack/react-query";
import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { latency, number, percent } from "../../lib/format";
import { Link, useSearch } from "../../lib/router";
import { save } from "../../lib/save";
import { type Key, t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Select } from "../../ui/field";
import { Page } from "../../ui/page";
import { Empty, Loaded } from "../../ui/state";
import "../../ui/styles/insights.css";
import { UsageCard } from "../../ui/usage";
import { Chart } from "./chart";
import { filled, toCsv } from "./days";
import { TopSources } from "./top-sources";

type Figures = Schemas["FiguresResponse"];

const RANGES = ["7", "30", "90", "365"] as const;
const DAY = 86_400_000;

/** What was asked and what became of it, without anybody's words. */
export function Insights() {
  const { id, path, at, can } = useOrganization();
  const [search, setSearch] = useSearch();
  const range = RANGES.find((days) => days === search.get("days")) ?? "30";
  // Together, so that nothing moves when the second arrives.
  const figures = useQuery({
    queryKey: [id, "figures", range],
    queryFn: async () => {
      const query = { from: new Date(Date.now() - Number(range) * DAY).toISOString() };
      const [figures, sources] = await Promise.all([
        read(api.GET("/api/v1/organizations/{organization_id}/analytics", { params: { path, query } })),
        read(api.GET("/api/v1/organizations/{organization_id}/analytics/sources", { params: { path, query } })),
      ]);
      return { ...figures, sources: sources.items };
    },
  });
  const days = figures.data ? filled(figures.data.days, Number(range)) : [];
  return (
    <Page
      title={t("nav.insights")}
      lead={t("insights.lead")}
      actions={
        <>
          <Select
            hideLabel
            label={t("insights.range")}
            value={range}
            onChange={(event) => setSearch({ days: event.target.value })}
          >
            {RANGES.map((count) => (
              <option key={count} value={count}>
                {t("insights.days", { count: Number(count) })}
              </option>
            ))}
          </Select>
          <Button
            icon="download"
            disabledBecause={figures.data ? undefined : t("state.loading")}
            onClick={() => save("amebo-insights.csv", toCsv(days))}
          >
            {t("insights.export")}
          </Button>
        </>
      }
    >
      <Loaded query={figures} rows={3} height="7rem">
        {(data) =>
          data.total.questions === 0 ? (
            <>
              <Empty icon="chart" title={t("insights.none")}>
                {t("insights.noneHow")}
              </Empty>
              <UsageCard />
            </>
          ) : (
            <>
              <Tiles figures={data} />
              <section className="card stack" aria-labelledby="over-time">
                <h2 id="over-time">{t("insights.overTime")}</h2>
                <Chart days={days} />
              </section>
              <div className="columns">
                <TopSources items={data.sources} />
                <Declined figures={data} />
              </div>
              {can("transcript:read") && (
                <div className="row">
                  <Link className="button" to={at("/unanswered")}>
                    {t("unanswered.title")}
                  </Link>
                  <Link className="button" to={at("/questions")}>
                    {t("asked.title")}
                  </Link>
                </div>
              )}
              <UsageCard />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

function Tiles({ figures }: { figures: Figures }) {
  const { total } = figures;
  const rated = total.rated_up + total.rated_down;
  const tiles: [string, string, string][] = [
    [t("insights.questions"), number(total.questions), t("insights.askers", { count: figures.askers })],
    [
      t("insights.answered"),
      percent(total.answered / total.questions),
      t("insights.declinedCount", { count: total.declined }),
    ],
    [
      t("insights.confidence"),
      total.mean_confidence == null ? "–" : percent(total.mean_confidence),
      t("insights.confidenceHow"),
    ],
    [t("insights.helpful"), rated ? percent(total.rated_up / rated) : "–", t("insights.rated", { count: rated })],
    [
      t("insights.latency"),
      latency(figures.latency_p50_us),
      t("insights.latency95", { time: latency(figures.latency_p95_us) }),
    ],
    [
      t("insights.tokens"),
      number(total.input_tokens + total.output_tokens),
      t("insights.tokensHow", { written: number(total.output_tokens) }),
    ],
  ];
  return (
    <dl className="tiles">
      {tiles.map(([name, value, more]) => (
        <div key={name} className="card">
          <dt className="quiet small">{name}</dt>
          <dd className="figure numbers">{value}</dd>
          <dd className="quiet small">{more}</dd>
        </div>
      ))}
    </dl>
  );
}

function Declined({ figures }: { figures: Figures }) {
  if (figures.declined.length === 0) return null;
  return (
    <section className="card stack" aria-labelledby="declined">
      <h2 id="declined">{t("insights.declined")}</h2>
      <dl className="bars">
        {figures.declined.map(({ reason, questions }) => (
          <div key={reason}>
            <dt>{t(`decline.${reason}` as Key)}</dt>
            <dd>
              <span
                className="bar"
                style={{ inlineSize: `${(100 * questions) / Math.max(1, figures.total.declined)}%` }}
              />
              <span className="numbers">{number(questions)}</span>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
