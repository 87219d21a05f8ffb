import { useQuery } from "@tanstack/react-query";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { t } from "../../lib/text";
import { Icon } from "../../ui/icon";

type FollowUpsProps = { question: string; onAsk: (text: string) => void };

/** What could be asked next: parts of documents near the answer, by their own headings. */
export function FollowUps({ question, onAsk }: FollowUpsProps) {
  const { id, path } = useOrganization();
  const found = useQuery({
    queryKey: [id, "question", question, "follow-ups"],
    queryFn: () =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/questions/{question_id}/follow-ups", {
          params: { path: { ...path, question_id: question } },
        }),
      ),
    staleTime: 5 * 60_000,
  });
  const items = found.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <section className="follow-ups" aria-label={t("followUp.title")}>
      <h3 className="quiet small">{t("followUp.title")}</h3>
      <ul>
        {items.map((item) => (
          <li key={`${item.document_id} ${item.heading}`}>
            {/* The heading's own words find its part best, and are in the document's language. */}
            <button type="button" className="follow-up" onClick={() => onAsk(item.heading)}>
              <Icon name="ask" />
              <span>
                {item.heading} <span className="quiet small">{item.document_title}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
