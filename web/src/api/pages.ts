// Lists that come in pages: each page says where the next begins.
import { type InfiniteData, type QueryKey, type UseInfiniteQueryResult, useInfiniteQuery } from "@tanstack/react-query";

type PageOf<T> = { items: T[]; next_cursor?: string | null };
type Read<T> = InfiniteData<PageOf<T>, string>;

/** A list as far as it was read. */
export type Pages<T> = UseInfiniteQueryResult<Read<T>>;

/** What the end of a list needs to know of its query. */
export type Reading = Pick<
  UseInfiniteQueryResult,
  "hasNextPage" | "isFetching" | "isFetchingNextPage" | "isFetchNextPageError" | "error"
> & { fetchNextPage: () => unknown };

/** What to add to a list's parameters to read the page that begins at the cursor. */
export type At = { cursor?: string };

/** A list read page by page; `again` says after how many milliseconds to look anew, if at all. */
export function usePages<T>(
  queryKey: QueryKey,
  readPage: (at: At) => Promise<PageOf<T>>,
  again?: (items: T[]) => number | false,
): Pages<T> {
  return useInfiniteQuery<PageOf<T>, Error, Read<T>, QueryKey, string>({
    queryKey,
    queryFn: ({ pageParam }) => readPage(pageParam ? { cursor: pageParam } : {}),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: (query) => again?.(itemsOf(query.state.data)) ?? false,
  });
}

/** All items of the pages read so far. */
export function itemsOf<T>(data: Read<T> | undefined): T[] {
  return data?.pages.flatMap((page) => page.items) ?? [];
}

/**
 * Whether a list whose end is in sight reads its next page now. A live update reads all pages again and drops a page that was on its
 * way, so it is asked for once more when that is over. A page that failed for good is not: only people ask for it again.
 */
export function readsOn(list: Pick<Reading, "hasNextPage" | "isFetching" | "isFetchNextPageError">): boolean {
  return list.hasNextPage && !list.isFetching && !list.isFetchNextPageError;
}
