// What a list or page shows when it has nothing, is waiting, is refused or failed.
import { createContext, type ReactNode, useContext } from "react";
import { Problem, sentence } from "../api/problem";
import { t } from "../lib/text";
import { Button } from "./button";
import { Icon, type IconName } from "./icon";

/** Whether a page with a title of its own is around. Where there is none, what is empty gives the page its title. */
export const InPage = createContext(false);

type EmptyProps = { icon: IconName; title: string; children?: ReactNode; action?: ReactNode };

export function Empty({ icon, title, children, action }: EmptyProps) {
  const Heading = useContext(InPage) ? "h2" : "h1";
  return (
    <div className="state">
      <Icon name={icon} />
      <Heading>{title}</Heading>
      {children && <p className="quiet">{children}</p>}
      {action}
    </div>
  );
}

export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  if (error instanceof Problem && error.isForbidden) {
    return (
      <Empty icon="lock" title={t("state.forbidden")}>
        {t("state.forbiddenHow")}
      </Empty>
    );
  }
  if (error instanceof Problem && error.isMissing) {
    return (
      <Empty icon="search" title={t("state.missing")}>
        {t("state.missingHow")}
      </Empty>
    );
  }
  const id = error instanceof Problem ? error.requestId : undefined;
  return (
    <div role="alert">
      <Empty
        icon="alert"
        title={t("state.failed")}
        action={retry && <Button onClick={retry}>{t("action.retry")}</Button>}
      >
        {sentence(error)}
        {id && <span className="small"> {t("state.requestId", { id })}</span>}
      </Empty>
    </div>
  );
}

/** Holds the place of rows that are on their way. */
export function Waiting({ rows = 4, height = "2.5rem" }: { rows?: number; height?: string }) {
  return (
    <div className="stack tight" role="status" aria-label={t("state.loading")}>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all alike
        <span key={row} className="skeleton" style={{ height }} />
      ))}
    </div>
  );
}

type LoadedProps<T> = {
  query: { data: T | undefined; error: unknown; refetch: () => unknown };
  rows?: number;
  height?: string;
  children: (data: T) => ReactNode;
};

/** The four faces of something that is read: waiting, refused, failed, there. */
export function Loaded<T>({ query, rows, height, children }: LoadedProps<T>) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error) return <Failure error={query.error} retry={() => query.refetch()} />;
  return <Waiting {...(rows ? { rows } : {})} {...(height ? { height } : {})} />;
}

export function Notice({ kind = "info", children }: { kind?: "info" | "bad" | "warn" | "good"; children: ReactNode }) {
  const icons = { info: "info", bad: "alert", warn: "alert", good: "check" } as const;
  return (
    <div className={`notice ${kind}`} role={kind === "bad" ? "alert" : undefined}>
      <Icon name={icons[kind]} />
      <div className="grow">{children}</div>
    </div>
  );
}
