// Lists that come in pages: each page says where the next begins.
import { type InfiniteData, type QueryKey, type UseInfiniteQueryResult, useInfiniteQuery } from "@tanstack/react-query";

type PageOf<T> = { items: T[]; next_cursor?: string | null };
type Read<T> = InfiniteData<PageOf<T>, string>;

/** A list as far as it was read. */
export type Pages<T> = UseInfiniteQueryResult<Read<T>>;

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
