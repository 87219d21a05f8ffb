import { Fragment, type ReactNode } from "react";
import { itemsOf, type Pages } from "../api/pages";
import { t } from "../lib/text";
import { MoreButton } from "./more";
import { Loaded } from "./state";

type TableProps<T> = {
  query: Pages<T>;
  /** The names of the columns before the last, which holds what can be done. */
  columns: string[];
  /** A `tr`. */
  row: (item: T) => ReactNode;
  idOf: (item: T) => string;
  /** Whether an item is shown; all are when absent. */
  isShown?: (item: T) => boolean;
  /** What to show when there is nothing. */
  empty?: ReactNode;
};

/** A table that grows by pages; on narrow screens each row becomes a card. */
export function PagedTable<T>({ query, columns, row, idOf, isShown = () => true, empty }: TableProps<T>) {
  return (
    <Loaded query={query}>
      {(data) => {
        const items = itemsOf(data).filter(isShown);
        if (items.length === 0 && empty) return empty;
        return (
          <>
            <table className="table folds">
              <thead>
                <tr>
                  {columns.map((name) => (
                    <th scope="col" key={name}>
                      {name}
                    </th>
                  ))}
                  <th scope="col">
                    <span className="visually-hidden">{t("people.actions")}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {items.map((item) => (
                  <Fragment key={idOf(item)}>{row(item)}</Fragment>
                ))}
              </tbody>
            </table>
            <MoreButton query={query} />
          </>
        );
      }}
    </Loaded>
  );
}
