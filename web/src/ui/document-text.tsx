import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useRef } from "react";
import { api, read } from "../api/client";
import { useOrganization } from "../api/organization";
import { Problem } from "../api/problem";
import { blocksOf, charactersOf, cut, flowing, messageOf, type Span, type TextBlock } from "../lib/passage";
import { t } from "../lib/text";
import { Button } from "./button";
import { MoreButton } from "./more";
import { Failure, Notice, Waiting } from "./state";

type TextProps = {
  document: string;
  /** The bytes to mark. */
  range?: Span | undefined;
  /** Whether it is a conversation that was written down: each paragraph is what somebody said. */
  isChat?: boolean;
  /** How many bytes to show at once. */
  around?: number;
  /** What to show when the document is gone, or has no text yet. */
  missing?: ReactNode;
};

/** A document's text, read in stretches, with one place marked and in sight. */
export function DocumentText({ document: id, range, isChat = false, around = 40_000, missing }: TextProps) {
  const { id: organization, path } = useOrganization();
  const first = Math.max(0, (range?.start ?? 0) - around / 2);
  const length = around + ((range?.end ?? 0) - (range?.start ?? 0));
  const text = useInfiniteQuery({
    queryKey: [organization, "document", id, "text", first, length],
    queryFn: ({ pageParam: { start, size } }) =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/documents/{document_id}/text", {
          params: { path: { ...path, document_id: id }, query: { start, length: size } },
        }),
      ),
    initialPageParam: { start: first, size: length },
    getNextPageParam: (last) => (last.end < last.length ? { start: last.end, size: around } : undefined),
    getPreviousPageParam: (page) =>
      page.start > 0 ? { start: Math.max(0, page.start - around), size: Math.min(around, page.start) } : undefined,
  });
  if (text.error instanceof Problem && (text.error.isMissing || text.error.isConflict) && missing)
    return <>{missing}</>;
  if (!text.data && text.error) return <Failure error={text.error} retry={() => text.refetch()} />;
  if (!text.data) return <Waiting rows={6} />;
  const warnings = text.data.pages[0]?.warnings ?? [];
  return (
    <div className="document-text" dir="auto">
      {warnings.length > 0 && <Notice kind="warn">{warnings.join(" ")}</Notice>}
      {text.hasPreviousPage && (
        <Button small busy={text.isFetchingPreviousPage} onClick={() => text.fetchPreviousPage()}>
          {t("document.earlier")}
        </Button>
      )}
      {text.data.pages.map((page) => (
        <Stretch key={page.start} content={page.content} start={page.start} range={range} isChat={isChat} />
      ))}
      <MoreButton query={text} label="document.later" />
    </div>
  );
}

type StretchProps = { content: string; start: number; range: Span | undefined; isChat: boolean };

function Stretch({ content, start, range, isChat }: StretchProps) {
  const blocks = useMemo(() => blocksOf(content), [content]);
  const flow = useMemo(() => flowing(content), [content]);
  const marked = useMemo(() => (range ? charactersOf(content, start, range) : null), [content, start, range]);
  const box = useRef<HTMLDivElement>(null);
  const place = marked ? `${start}:${marked.start}-${marked.end}` : "";
  useEffect(() => {
    if (place) box.current?.querySelector("mark")?.scrollIntoView({ block: "center" });
  }, [place]);
  return (
    <div ref={box}>
      {blocks.map((block) => (
        <BlockView
          key={block.start}
          block={block}
          content={block.kind === "table" ? content : flow}
          marked={marked}
          isChat={isChat}
        />
      ))}
    </div>
  );
}

type BlockProps = { block: TextBlock; content: string; marked: Span | null; isChat: boolean };

function BlockView({ block, content, marked, isChat }: BlockProps) {
  const message = isChat ? messageOf(content, block) : null;
  const piecesOf = (place: Span) =>
    cut(content, place, marked).map((piece, index) =>
      // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one block have no other name and do not move
      piece.isMarked ? <mark key={index}>{piece.text}</mark> : <span key={index}>{piece.text}</span>,
    );
  if (message)
    return (
      <p className="said">
        <strong>{piecesOf(message.speaker)}</strong> <span className="quiet small">{piecesOf(message.time)}</span>
        <span className="words">{piecesOf(message.words)}</span>
      </p>
    );
  // A message that has code in it goes on after it, and is no heading.
  if (block.kind === "heading" && !(isChat && block.level === 0))
    return <p className={`heading level-${block.level}`}>{piecesOf(block)}</p>;
  if (block.kind === "table") return <pre className="scroll-x">{piecesOf(block)}</pre>;
  return <p className={isChat && block.start === 0 ? "quiet small" : undefined}>{piecesOf(block)}</p>;
}
