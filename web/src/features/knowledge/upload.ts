// Files on their way to the server. The queue lives outside the pages: one may walk about while it works.
import type { QueryClient } from "@tanstack/react-query";
import { sentence } from "../../api/problem";
import { sendFile } from "../../api/transfer";

export type Upload = {
  id: number;
  name: string;
  size: number;
  base: string;
  file: File;
  state: "waiting" | "sending" | "done" | "duplicate" | "refused";
  /** Bytes sent. */
  sent: number;
  error: string | undefined;
};

const AT_ONCE = 3;
/** What systems leave in folders, and nobody means. */
const IGNORED = /(^|\/)(\.[^/]*|Thumbs\.db|desktop\.ini)$/;

let uploads: Upload[] = [];
let last = 0;
const listeners = new Set<() => void>();

export function onUploads(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function currentUploads(): Upload[] {
  return uploads;
}

function set(next: Upload[]) {
  uploads = next;
  for (const listener of listeners) listener();
}

function change(id: number, part: Partial<Upload>) {
  set(uploads.map((upload) => (upload.id === id ? { ...upload, ...part } : upload)));
}

type Target = { cache: QueryClient; organization: string; base: string };

export function upload(target: Target, files: File[]) {
  const added = files
    .filter((file) => !IGNORED.test(file.webkitRelativePath || file.name))
    .map((file): Upload => {
      last += 1;
      return {
        id: last,
        name: file.name,
        size: file.size,
        base: target.base,
        file,
        state: "waiting",
        sent: 0,
        error: undefined,
      };
    });
  set([...uploads, ...added]);
  work(target);
}

export function retryUpload(target: Target, id: number) {
  change(id, { state: "waiting", sent: 0, error: undefined });
  work(target);
}

/** Takes what is settled off the list. */
export function clearUploads() {
  set(uploads.filter((upload) => upload.state === "waiting" || upload.state === "sending"));
}

function work(target: Target) {
  const sending = uploads.filter((upload) => upload.state === "sending").length;
  for (const next of uploads.filter((upload) => upload.state === "waiting").slice(0, AT_ONCE - sending)) {
    change(next.id, { state: "sending" });
    send({ ...target, base: next.base }, next)
      .then((duplicate) => change(next.id, { state: duplicate ? "duplicate" : "done", sent: next.size }))
      .catch((error: unknown) => change(next.id, { state: "refused", error: sentence(error) }))
      .finally(() => {
        work(target);
        if (!uploads.some((upload) => upload.state === "sending")) {
          target.cache.invalidateQueries({ queryKey: [target.organization, "documents"] });
          target.cache.invalidateQueries({ queryKey: [target.organization, "bases"] });
        }
      });
  }
}

/** Sends one file and says whether the knowledge base had it already. */
async function send(target: Target, upload: Upload): Promise<boolean> {
  const path = `/api/v1/organizations/${target.organization}/knowledge-bases/${target.base}/documents/raw?name=${encodeURIComponent(upload.name)}`;
  const response = await sendFile(path, upload.file, { onSent: (sent) => change(upload.id, { sent }) });
  return ((await response.json()) as { duplicate: boolean }).duplicate;
}

/** All files of what was dropped, those in folders included. */
export async function filesOf(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return [...transfer.files];
  return (await Promise.all(entries.map(filesBelow))).flat();
}

async function filesBelow(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    return [await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: File[] = [];
  for (;;) {
    // A reader gives a hundred entries at a time.
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return files;
    files.push(...(await Promise.all(batch.map(filesBelow))).flat());
  }
}
