// Files on their way to the server. The queue lives outside the pages: one may walk about while it works.
import type { QueryClient } from "@tanstack/react-query";
import { sentence } from "../../api/problem";
import { sendFile } from "../../api/transfer";

/** A file with where it lay in what was chosen or dropped. */
export type Incoming = { file: File; path: string };

export type Upload = {
  id: number;
  name: string;
  /** Its name below the folders that were chosen or dropped. */
  path: string;
  size: number;
  base: string;
  file: File;
  state: "waiting" | "sending" | "done" | "duplicate" | "refused";
  /** Bytes sent. */
  sent: number;
  error: string | undefined;
};

const AT_ONCE = 3;
/** Earlier than that, a speed says little. */
const LEAST_SECONDS = 1;
/** What systems leave in folders, and nobody means. */
const IGNORED = /(^|\/)(\.[^/]*|__MACOSX)(\/|$)|(^|\/)(Thumbs\.db|desktop\.ini|~\$[^/]*)$/;

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

/** The files that are meant: nothing hidden, nor in a folder that is. */
export function meant(files: Incoming[]): Incoming[] {
  return files.filter(({ path }) => !IGNORED.test(path));
}

export function upload(target: Target, files: Incoming[]) {
  const added = meant(files).map(({ file, path }): Upload => {
    last += 1;
    return {
      id: last,
      name: file.name,
      path,
      size: file.size,
      base: target.base,
      file,
      state: "waiting",
      sent: 0,
      error: undefined,
    };
  });
  // What came in before is of no interest any more; what was refused still is.
  const before = isUnderWay() ? uploads : uploads.filter((upload) => upload.state === "refused");
  if (!isUnderWay()) began = { at: Date.now(), sent: sentOf(before) };
  set([...before, ...added]);
  work(target);
}

export function retryUpload(target: Target, id: number) {
  if (!isUnderWay()) began = { at: Date.now(), sent: sentOf(uploads) };
  change(id, { state: "waiting", sent: 0, error: undefined });
  work(target);
}

function isUnderWay(): boolean {
  return uploads.some((upload) => upload.state === "waiting" || upload.state === "sending");
}

/** When sending began, and what had been sent by then. */
let began = { at: 0, sent: 0 };

/** Bytes that need not be sent any more. */
export function sentOf(list: readonly Upload[]): number {
  return list.reduce(
    (sum, { state, size, sent }) => sum + (state === "waiting" || state === "sending" ? Math.min(sent, size) : size),
    0,
  );
}

/** How many seconds the rest takes at the speed so far; null while that cannot be told. */
export function secondsLeft(list: readonly Upload[], since: { at: number; sent: number }, now: number): number | null {
  const elapsed = (now - since.at) / 1_000;
  const sent = sentOf(list);
  const speed = (sent - since.sent) / elapsed;
  if (elapsed < LEAST_SECONDS || !(speed > 0)) return null;
  return (list.reduce((sum, { size }) => sum + size, 0) - sent) / speed;
}

/** The same for what is under way now. */
export function remainingSeconds(): number | null {
  return secondsLeft(uploads, began, Date.now());
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
export async function filesOf(transfer: DataTransfer): Promise<Incoming[]> {
  // What was dropped can be looked at only until this returns for the first time.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return [...transfer.files].map((file) => ({ file, path: file.name }));
  return (await Promise.all(entries.map(filesBelow))).flat();
}

async function filesBelow(entry: FileSystemEntry): Promise<Incoming[]> {
  const path = entry.fullPath.replace(/^\//, "");
  // What is hidden may be large, such as the history of a repository.
  if (IGNORED.test(path)) return [];
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ file, path }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: Incoming[] = [];
  for (;;) {
    // A reader gives a hundred entries at a time.
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return files;
    files.push(...(await Promise.all(batch.map(filesBelow))).flat());
  }
}
