import type { Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { number } from "../../lib/format";
import { Link } from "../../lib/router";
import { t } from "../../lib/text";

/** The documents that most answers rest on, the first the most. */
export function TopSources({ items }: { items: Schemas["TopSourceResponse"][] }) {
  const { at } = useOrganization();
  return (
    <section className="card stack" aria-labelledby="top-sources">
      <h2 id="top-sources">{t("insights.sources")}</h2>
      {items.length === 0 && <p className="quiet">{t("insights.noSources")}</p>}
      <ol className="bars">
        {items.map((source) => (
          <li key={source.document_id}>
            <Link className="cut" to={at(`/documents/${source.document_id}`)} dir="auto">
              {source.title}
            </Link>
            <span className="measure">
              <span
                className="bar cited"
                style={{ inlineSize: `${(100 * source.answers) / (items[0]?.answers ?? 1)}%` }}
              />
              <span className="numbers nowrap">
                {number(source.answers)}
                <span className="visually-hidden"> {t("insights.citing", { count: source.answers })}</span>
              </span>
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
