import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { Link } from "../../lib/router";
import { t } from "../../lib/text";
import { Button, IconButton } from "../../ui/button";
import { DocumentText } from "../../ui/document-text";
import { Icon } from "../../ui/icon";
import { download, isFromSlack, pageOf } from "../../ui/original";
import { PdfPages } from "../../ui/pdf";
import type { Citation } from "./conversation";

type PanelProps = { citation: Citation; onClose: () => void };

/** The cited place, marked in its document, beside the answer. */
export function SourcePanel({ citation, onClose }: PanelProps) {
  const { id, path, at } = useOrganization();
  const [asPage, setAsPage] = useState(false);
  const document = useQuery({
    queryKey: [id, "document", citation.document_id],
    queryFn: () =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/documents/{document_id}", {
          params: { path: { ...path, document_id: citation.document_id } },
        }),
      ),
  });
  const original = document.data && pageOf(document.data);
  const isPdf = document.data?.mime_type === "application/pdf";
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    const back = window.document.activeElement as HTMLElement | null;
    panel.current?.focus({ preventScroll: true });
    return () => back?.focus({ preventScroll: true });
  }, []);
  const range = { start: citation.range_start, end: citation.range_end };
  return (
    <aside
      ref={panel}
      className="panel"
      tabIndex={-1}
      aria-label={t("source.title", { title: citation.document_title })}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <header>
        <span className="cite">{citation.source}</span>
        <div className="grow">
          <Link className="cut title" to={at(`/documents/${citation.document_id}?from=${range.start}&to=${range.end}`)}>
            {citation.document_title}
          </Link>
          {citation.page ? (
            <span className="quiet small">{t("answer.page", { page: String(citation.page) })}</span>
          ) : null}
        </div>
        {isPdf && (
          <Button small aria-pressed={asPage} onClick={() => setAsPage(!asPage)}>
            {t("pdf.asPrinted")}
          </Button>
        )}
        {original ? (
          <a
            className="button plain icon-only"
            href={original}
            target="_blank"
            rel="noreferrer noopener"
            aria-label={t("document.original")}
            title={t("document.original")}
          >
            <Icon name="external" />
          </a>
        ) : (
          <IconButton
            icon="download"
            label={t("document.original")}
            disabledBecause={document.data ? undefined : t("state.loading")}
            onClick={() => document.data && download(id, document.data)}
          />
        )}
        <IconButton icon="close" label={t("action.close")} onClick={onClose} />
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <section className="scroll" aria-label={t("document.text")} tabIndex={0}>
        {asPage && document.data ? (
          <PdfPages
            document={citation.document_id}
            version={document.data.version}
            page={citation.page ?? 1}
            quote={citation.quote}
          />
        ) : (
          <DocumentText
            document={citation.document_id}
            range={range}
            isChat={document.data ? isFromSlack(document.data) : false}
            around={4000}
            missing={<Quote citation={citation} />}
          />
        )}
      </section>
    </aside>
  );
}

/** The words as they stood when the answer was made, when the document is gone. */
function Quote({ citation }: { citation: Citation }) {
  return (
    <div className="stack">
      <p className="quiet">{t("source.gone")}</p>
      <blockquote className="quoted">{citation.quote}</blockquote>
    </div>
  );
}
