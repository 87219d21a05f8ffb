// What a document was made from: its file, or the page it was read from.
import { raw, type Schemas } from "../api/client";
import { sentence } from "../api/problem";
import { save } from "../lib/save";
import { toast } from "./toast";

type Document = Schemas["DocumentResponse"];

/** Where the page or message that a document was read from is opened; undefined for uploaded files. */
export function pageOf(document: Document): string | undefined {
  return document.source_url?.match(/^https?:\/\//) ? document.source_url : undefined;
}

/** Saves the file that a document was made from. */
export async function download(organization: string, document: Document) {
  try {
    const response = await raw(`/api/v1/organizations/${organization}/documents/${document.id}/content`);
    save(document.original_name, await response.blob(), document.mime_type ?? undefined);
  } catch (error) {
    toast(sentence(error));
  }
}

/** Whether it was written down from a channel: it is for one, or links to a message. */
export function isFromSlack(document: Document): boolean {
  return document.audience.kind === "slack_channel" || /\/archives\/\w+\/p\d+/.test(document.source_url ?? "");
}
