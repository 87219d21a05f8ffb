import { useInfiniteQuery } from "@tanstack/react-query";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { flowing } from "../../lib/passage";
import { Link } from "../../lib/router";
import { t } from "../../lib/text";
import { MoreButton } from "../../ui/more";
import { Empty, Loaded } from "../../ui/state";

/** What of a document is found and cited, in order. */
export function Passages({ document }: { document: string }) {
  const { id, path, at } = useOrganization();
  const passages = useInfiniteQuery({
    queryKey: [id, "document", document, "passages"],
    queryFn: ({ pageParam }) =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/documents/{document_id}/passages", {
          params: {
            path: { ...path, document_id: document },
            query: { limit: 50, ...(pageParam ? { cursor: pageParam } : {}) },
          },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  return (
    <Loaded query={passages} rows={4} height="6rem">
      {(data) => {
        const items = data.pages.flatMap((page) => page.items);
        if (items.length === 0)
          return (
            <Empty icon="quote" title={t("passage.none")}>
              {t("passage.noneHow")}
            </Empty>
          );
        return (
          <>
            <ol className="passages">
              {items.map((passage) => (
                <li key={passage.id} className="card">
                  <p className="row between small quiet">
                    <span>
                      {passage.heading_path.join(" › ") || t("passage.number", { number: String(passage.index + 1) })}
                    </span>
                    <Link to={at(`/documents/${document}?from=${passage.start}&to=${passage.end}`)}>
                      {passage.page ? t("answer.page", { page: String(passage.page) }) : t("passage.inText")}
                    </Link>
                  </p>
                  <p dir="auto">{flowing(passage.content)}</p>
                </li>
              ))}
            </ol>
            <MoreButton query={passages} />
          </>
        );
      }}
    </Loaded>
  );
}
