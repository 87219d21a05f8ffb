// The one form in which anything that goes wrong reaches the pages.
import { currentLanguage, t } from "../lib/text";

export type FieldProblem = { pointer: string; detail: string };

/** A problem document (RFC 9457), or that the server could not be reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly kind: string,
    readonly fields: FieldProblem[],
    readonly requestId: string | undefined,
  ) {
    super(message);
  }

  /** What is wrong with one field of the request. */
  field(name: string): string | undefined {
    return this.fields.find((field) => field.pointer === `/${name}`)?.detail;
  }

  get isForbidden(): boolean {
    return this.status === 403;
  }

  /** It contradicts how things are now. */
  get isConflict(): boolean {
    return this.status === 409;
  }

  get isMissing(): boolean {
    return this.status === 404;
  }
}

export async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => ({}))) as Partial<{
    type: string;
    detail: string;
    errors: FieldProblem[];
    request_id: string;
  }>;
  const kind = (body.type ?? "").replace("urn:amebo:problem:", "");
  const message = said(kind, body.detail) ?? t("problem.status", { status: String(response.status) });
  return new Problem(response.status, message, kind, body.errors ?? [], body.request_id);
}

/** The kinds of problem that mean the same whatever was asked. */
const GENERAL = ["forbidden", "not-found", "quota-exceeded", "rate-limited", "internal", "unavailable"] as const;

/** What is wrong, in the reader's language where the kind says it all; what it is in particular, only the server's words say. */
function said(kind: string, detail: string | undefined): string | undefined {
  const general = GENERAL.find((one) => one === kind);
  return general && (currentLanguage() !== "en" || !detail) ? t(`problem.${general}`) : detail;
}

export function unreachable(): Problem {
  return new Problem(0, t("problem.unreachable"), "unreachable", [], undefined);
}

/** A sentence about anything that was thrown. */
export function sentence(error: unknown): string {
  if (error instanceof Problem && error.fields.length)
    return error.fields.map((field) => capital(field.detail)).join(" ");
  return error instanceof Error ? capital(error.message) : t("problem.unknown");
}

function capital(text: string): string {
  const first = text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?…。]$/.test(first) ? first : `${first}.`;
}
