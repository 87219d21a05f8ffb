// What stands at the end of a list that has more pages.
import type { Reading } from "../api/pages";
import { sentence } from "../api/problem";
import { type Key, t } from "../lib/text";
import { Button } from "./button";
import { Notice } from "./state";

/** Says that the next page failed, and reads it again when somebody wants it. */
export function PageFailure({ query }: { query: Reading }) {
  if (!query.isFetchNextPageError) return null;
  return (
    <Notice kind="bad">
      <div className="row between">
        <div>
          <p>{t("state.restMissing")}</p>
          <p className="small">{sentence(query.error)}</p>
        </div>
        <Button small icon="refresh" busy={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
          {t("action.retry")}
        </Button>
      </div>
    </Notice>
  );
}

/** Reads the next page of a list, when there is one. */
export function MoreButton({ query, label = "action.more" }: { query: Reading; label?: Key }) {
  if (!query.hasNextPage) return null;
  if (query.isFetchNextPageError) return <PageFailure query={query} />;
  return (
    <Button small busy={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
      {t(label)}
    </Button>
  );
}
