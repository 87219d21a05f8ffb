import { Fragment, type ReactNode, useMemo } from "react";
import { type Block, type Inline, parseMarkdown } from "../lib/markdown";

/** Draws a mark: its number, and its place among all marks of the text. */
type Cite = (number: number, index: number) => ReactNode;

/** An answer's text. `cite` draws its marks `[1]`. */
export function Markdown({ text, cite }: { text: string; cite: Cite }) {
  const blocks = useMemo(() => parseMarkdown(text), [text]);
  return (
    <div className="prose" dir="auto">
      {blocks.map((block, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: blocks of one text have no other name and do not move
        <BlockView key={index} block={block} cite={cite} />
      ))}
    </div>
  );
}

function BlockView({ block, cite }: { block: Block; cite: Cite }) {
  switch (block.kind) {
    case "paragraph":
      return <p>{inline(block.children, cite)}</p>;
    case "heading":
      return <h4>{inline(block.children, cite)}</h4>;
    case "code":
      return <pre>{block.text}</pre>;
    case "list": {
      const items = block.items.map((item, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: as above
        <li key={index}>{inline(item, cite)}</li>
      ));
      return block.ordered ? <ol start={block.start}>{items}</ol> : <ul>{items}</ul>;
    }
    case "table":
      return (
        <div className="scroll-x">
          <table className="table">
            {block.head.length > 0 && (
              <thead>
                <tr>
                  {block.head.map((cell, index) => (
                    <th scope="col" key={String(index)}>
                      {inline(cell, cite)}
                    </th>
                  ))}
                </tr>
              </thead>
            )}
            <tbody>
              {block.rows.map((row, index) => (
                <tr key={String(index)}>
                  {row.map((cell, column) => (
                    <td key={String(column)}>{inline(cell, cite)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      );
  }
}

function inline(parts: Inline[], cite: Cite): ReactNode {
  return parts.map((part, index) => <Fragment key={String(index)}>{one(part, cite)}</Fragment>);
}

function one(part: Inline, cite: Cite): ReactNode {
  switch (part.kind) {
    case "text":
      return part.text;
    case "code":
      return <code>{part.text}</code>;
    case "strong":
      return <strong>{inline(part.children, cite)}</strong>;
    case "emphasis":
      return <em>{inline(part.children, cite)}</em>;
    case "citation":
      return cite(part.number, part.index);
    case "link":
      return (
        <a href={part.href} target="_blank" rel="noreferrer noopener">
          {inline(part.children, cite)}
        </a>
      );
  }
}
