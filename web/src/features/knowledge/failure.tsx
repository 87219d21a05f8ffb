import type { Schemas } from "../../api/client";
import { sentence } from "../../api/problem";
import { t } from "../../lib/text";
import { Notice } from "../../ui/state";

type Failure = Schemas["Failure"];

type Failed = { failure?: Failure | null | undefined; said: string | null | undefined };

/** Why something failed, in the reader's language; in the server's words for what failed before there were codes. */
export function reasonOf({ failure, said }: Failed): string {
  if (!failure) return said ? sentence(new Error(said)) : "";
  const { code, megabytes, seconds, status, host } = failure;
  return t(`failure.${code}`, {
    megabytes: megabytes ?? "?",
    seconds: seconds ?? "?",
    // A status is a name, not a number.
    status: status ? String(status) : "?",
    host: host ?? "?",
  });
}

/** The same, with what another service said of it. */
export function FailureNotice({ failure, said }: Failed) {
  return (
    <Notice kind="bad">
      <p>{reasonOf({ failure, said })}</p>
      {failure?.detail && (
        <p className="small" dir="auto">
          {t("failure.said", { detail: failure.detail })}
        </p>
      )}
    </Notice>
  );
}
