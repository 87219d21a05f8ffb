// One page of a PDF, drawn as it was printed, with the cited words marked. It comes only when somebody looks at one.
import { useQuery } from "@tanstack/react-query";
import { GlobalWorkerOptions, getDocument, type PDFPageProxy } from "pdfjs-dist";
import worker from "pdfjs-dist/build/pdf.worker.min.mjs?url";
import { useEffect, useRef, useState } from "react";
import { raw } from "../api/client";
import { useOrganization } from "../api/organization";
import { boxesOf } from "../lib/pdf-text";
import { t } from "../lib/text";
import { IconButton } from "./button";
import { Failure, Waiting } from "./state";

GlobalWorkerOptions.workerSrc = worker;

export type PdfProps = { document: string; version: number; page: number; quote?: string | undefined };

/** A PDF from one page on, one page at a time. */
export function PdfPages({ document, version, page: first, quote }: PdfProps) {
  const { id } = useOrganization();
  const [number, setNumber] = useState(first);
  const file = useQuery({
    queryKey: [id, "document", document, "pdf", version],
    queryFn: async () => {
      const response = await raw(`/api/v1/organizations/${id}/documents/${document}/content`);
      // Nothing of a document is ever evaluated.
      return getDocument({ data: await response.arrayBuffer(), isEvalSupported: false }).promise;
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    structuralSharing: false,
  });
  const page = useQuery({
    queryKey: [id, "document", document, "pdf", version, number],
    queryFn: async () => file.data?.getPage(number),
    enabled: file.data !== undefined,
    gcTime: 0,
    structuralSharing: false,
  });
  if (file.error) return <Failure error={file.error} retry={() => file.refetch()} />;
  if (!file.data || !page.data) return <Waiting rows={1} height="30rem" />;
  const count = file.data.numPages;
  return (
    <div className="stack tight">
      <div className="row">
        <IconButton
          small
          icon="back"
          label={t("pdf.before")}
          disabledBecause={number > 1 ? undefined : t("pdf.first")}
          onClick={() => setNumber(number - 1)}
        />
        <span className="small numbers">{t("pdf.page", { page: String(number), count: String(count) })}</span>
        <IconButton
          small
          icon="next"
          label={t("pdf.after")}
          disabledBecause={number < count ? undefined : t("pdf.last")}
          onClick={() => setNumber(number + 1)}
        />
      </div>
      <Drawing
        key={number}
        page={page.data}
        quote={number === first ? quote : undefined}
        label={t("answer.page", { page: String(number) })}
      />
    </div>
  );
}

type Box = { left: number; top: number; width: number; height: number };

function Drawing({ page, quote, label }: { page: PDFPageProxy; quote: string | undefined; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [boxes, setBoxes] = useState<Box[]>([]);
  useEffect(() => {
    const target = canvas.current;
    const context = target?.getContext("2d");
    if (!target || !context) return;
    const width = target.parentElement?.clientWidth ?? 600;
    const scale = width / page.getViewport({ scale: 1 }).width;
    const viewport = page.getViewport({ scale: scale * window.devicePixelRatio });
    target.width = viewport.width;
    target.height = viewport.height;
    const task = page.render({ canvasContext: context, viewport });
    task.promise.catch(() => undefined);
    const shown = page.getViewport({ scale: 1 });
    if (quote) {
      page.getTextContent().then(
        ({ items }) => {
          const runs = items.flatMap((item) => ("str" in item ? [item] : []));
          setBoxes(
            boxesOf(runs, quote).map(([x1, y1, x2, y2]) => {
              const [a = 0, b = 0, c = 0, d = 0] = shown.convertToViewportRectangle([x1, y1, x2, y2]) as number[];
              return {
                left: (100 * Math.min(a, c)) / shown.width,
                top: (100 * Math.min(b, d)) / shown.height,
                width: (100 * Math.abs(c - a)) / shown.width,
                height: (100 * Math.abs(d - b)) / shown.height,
              };
            }),
          );
        },
        () => undefined,
      );
    }
    return () => task.cancel();
  }, [page, quote]);
  return (
    <div className="pdf">
      <canvas ref={canvas} role="img" aria-label={label} />
      {boxes.map((box) => (
        <mark
          key={`${box.left}:${box.top}`}
          style={{ left: `${box.left}%`, top: `${box.top}%`, width: `${box.width}%`, height: `${box.height}%` }}
        />
      ))}
    </div>
  );
}
