import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useRef, useSyncExternalStore } from "react";
import { useOrganization } from "../../api/organization";
import { bytes, duration } from "../../lib/format";
import { t } from "../../lib/text";
import { Button, IconButton } from "../../ui/button";
import { Drop } from "../../ui/drop";
import { Icon } from "../../ui/icon";
import { Progress } from "../../ui/page";
import {
  clearUploads,
  currentUploads,
  filesOf,
  type Incoming,
  onUploads,
  remainingSeconds,
  retryUpload,
  sentOf,
  type Upload,
  upload,
} from "./upload";

export function useUpload(base: string | undefined) {
  const { id } = useOrganization();
  const cache = useQueryClient();
  return (files: Incoming[]) => base && upload({ cache, organization: id, base }, files);
}

/** A place on which files and folders can be dropped. */
export function DropZone({
  onFiles,
  children,
  label,
}: {
  onFiles: (files: Incoming[]) => void;
  children?: ReactNode;
  label: string;
}) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  return (
    <Drop label={label} onDrop={async (dropped) => onFiles(await filesOf(dropped))}>
      <Icon name="upload" />
      <p>
        <strong>{t("upload.drop")}</strong>
        <br />
        <span className="quiet small">{t("upload.kinds")}</span>
      </p>
      <div className="row">
        <Button icon="file" onClick={() => files.current?.click()}>
          {t("upload.files")}
        </Button>
        <Button icon="folder" onClick={() => folder.current?.click()}>
          {t("upload.folder")}
        </Button>
      </div>
      {children}
      <input
        ref={files}
        type="file"
        multiple
        hidden
        aria-label={t("upload.files")}
        onChange={(event) => take(event.currentTarget, onFiles)}
      />
      <input
        ref={(input) => {
          folder.current = input;
          input?.setAttribute("webkitdirectory", "");
        }}
        type="file"
        multiple
        hidden
        aria-label={t("upload.folder")}
        onChange={(event) => take(event.currentTarget, onFiles)}
      />
    </Drop>
  );
}

function take(input: HTMLInputElement, onFiles: (files: Incoming[]) => void) {
  onFiles([...(input.files ?? [])].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
  input.value = "";
}

/** What is being sent, and what was refused and why. */
export function UploadList() {
  const { id } = useOrganization();
  const cache = useQueryClient();
  const uploads = useSyncExternalStore(onUploads, currentUploads);
  if (uploads.length === 0) return null;
  const isSettled = (entry: Upload) => entry.state !== "waiting" && entry.state !== "sending";
  const settled = uploads.filter(isSettled).length;
  const open = [...uploads.filter((entry) => entry.state !== "done" && entry.state !== "duplicate")];
  const total = uploads.reduce((sum, entry) => sum + entry.size, 0);
  const left = settled < uploads.length ? remainingSeconds() : null;
  const refused = uploads.filter((entry) => entry.state === "refused").length;
  const twice = uploads.filter((entry) => entry.state === "duplicate").length;
  return (
    <section className="card stack tight uploads" aria-label={t("upload.title")}>
      <div className="row between">
        <h2>
          <span role="status">
            {settled === uploads.length
              ? t("upload.sent", { count: settled - refused })
              : t("upload.sending", { done: settled, count: uploads.length })}
            {refused > 0 && settled === uploads.length && (
              <span className="wrong small"> {t("upload.refused", { count: refused })}</span>
            )}
            {twice > 0 && <span className="quiet small"> {t("upload.twice", { count: twice })}</span>}
            {left !== null && <span className="quiet small"> {t("work.left", { time: duration(left) })}</span>}
          </span>
        </h2>
        {settled === uploads.length && (
          <IconButton small icon="close" label={t("action.close")} onClick={clearUploads} />
        )}
      </div>
      {settled < uploads.length && (
        <Progress label={t("upload.title")} value={total ? sentOf(uploads) / total : undefined} />
      )}
      <ul>
        {open.slice(0, 20).map((entry) => (
          <li key={entry.id} className="row between">
            <span className="cut grow" title={entry.path}>
              <bdi>{entry.path}</bdi>
            </span>
            {entry.state === "refused" ? (
              <>
                <span className="wrong small">{entry.error}</span>
                <Button small onClick={() => retryUpload({ cache, organization: id, base: entry.base }, entry.id)}>
                  {t("action.retry")}
                </Button>
              </>
            ) : (
              <Sending entry={entry} />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** How far a file is. */
function Sending({ entry }: { entry: Upload }) {
  if (entry.state === "waiting") return <span className="quiet small">{t("upload.waiting")}</span>;
  return (
    <span className="standing">
      <span className="quiet small numbers nowrap">{`${bytes(entry.sent)} / ${bytes(entry.size)}`}</span>
      <Progress label={entry.path} value={entry.size ? entry.sent / entry.size : undefined} />
    </span>
  );
}
