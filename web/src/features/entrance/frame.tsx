import { type ReactNode, useState } from "react";
import { Problem, sentence } from "../../api/problem";
import icon from "../../icon.svg";
import { match, useSearch } from "../../lib/router";
import { Button } from "../../ui/button";
import { useTitle } from "../../ui/page";
import { Notice } from "../../ui/state";

/** The page around every form through which one comes in. */
export function Frame({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  useTitle(title);
  return (
    <div className="entrance">
      <main className="stack">
        <Brand />
        <div className="card stack">
          <div>
            <h1>{title}</h1>
            {lead && <p className="quiet">{lead}</p>}
          </div>
          {children}
        </div>
      </main>
    </div>
  );
}

/** Amebo's mark, and beside it that of the organisation which the way leads into, once it is there. */
function Brand() {
  const [search] = useSearch();
  const [isThere, setThere] = useState(false);
  const slug = match("/o/:slug/:a?/:b?", (search.get("next") ?? "").split("?")[0] ?? "")?.slug;
  return (
    <div className="brand">
      {slug && (
        <img
          className="logo"
          src={`/api/v1/logos/${encodeURIComponent(slug)}`}
          alt=""
          hidden={!isThere}
          onLoad={() => setThere(true)}
        />
      )}
      <img src={icon} alt="" />
      Amebo
    </div>
  );
}

type Values = Record<string, string>;
type EntryProps = {
  action: string;
  submit: (values: Values) => Promise<void>;
  children: (problem: (field: string) => string | undefined) => ReactNode;
};

/** A form that sends itself, says what was wrong where it was wrong, and keeps what was typed. */
export function EntryForm({ action, submit, children }: EntryProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const field = (name: string) => (error instanceof Problem ? error.field(name) : undefined);
  const isAboutFields = error instanceof Problem && error.fields.length > 0;
  return (
    <form
      className="stack"
      onSubmit={async (event) => {
        event.preventDefault();
        if (busy) return;
        const values = Object.fromEntries(new FormData(event.currentTarget)) as Values;
        setBusy(true);
        setError(undefined);
        try {
          await submit(values);
        } catch (problem) {
          setError(problem);
        } finally {
          setBusy(false);
        }
      }}
    >
      {children(field)}
      {error !== undefined && !isAboutFields && <Notice kind="bad">{sentence(error)}</Notice>}
      <Button kind="primary" type="submit" busy={busy}>
        {action}
      </Button>
    </form>
  );
}
