import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useId, useRef, useState } from "react";
import { useOrganization } from "../../api/organization";
import { Problem, sentence } from "../../api/problem";
import { sendFile } from "../../api/transfer";
import { bytes } from "../../lib/format";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Drop } from "../../ui/drop";
import { Select, TextField } from "../../ui/field";
import { Icon } from "../../ui/icon";
import { Progress } from "../../ui/page";
import { Loaded, Notice } from "../../ui/state";
import "../../ui/styles/knowledge.css";
import { useBases } from "../../api/bases";
import { useBaseFor } from "./data";
import type { Import } from "./imports";

/** An archive to be sent in, and what is to become of it. What stands below comes with it, so that nothing is pushed away. */
export function ImportForm({ children }: { children: ReactNode }) {
  const bases = useBases();
  return (
    <Loaded query={bases} rows={1} height="27rem">
      {({ items }) => (
        <>
          <Form bases={items.filter((base) => base.status !== "archived")} />
          {children}
        </>
      )}
    </Loaded>
  );
}

function Form({ bases }: { bases: { id: string; name: string }[] }) {
  const { id } = useOrganization();
  const cache = useQueryClient();
  const baseFor = useBaseFor();
  const newName = t("slackImport.newName");
  const taken = bases.find((one) => one.name === newName);
  const [file, setFile] = useState<File>();
  const [base, setBase] = useState(taken?.id ?? "");
  const [isOpen, setOpen] = useState(false);
  const [sent, setSent] = useState(0);
  const send = useMutation({
    mutationFn: async (workspace: string) => {
      if (!file) return;
      setSent(0);
      const target = await baseFor(base, newName);
      setBase(target);
      const query = new URLSearchParams({ name: file.name, audience: isOpen ? "organization" : "channel" });
      if (workspace) query.set("workspace", workspace);
      const path = `/api/v1/organizations/${id}/knowledge-bases/${target}/slack-imports?${query}`;
      const answer = await sendFile(path, file, { onSent: setSent, type: "application/zip" });
      return (await answer.json()) as Import;
    },
    onSuccess: async () => {
      setFile(undefined);
      await cache.invalidateQueries({ queryKey: [id, "slack-imports"] });
    },
  });
  const field = (name: string) => (send.error instanceof Problem ? send.error.field(name) : undefined);
  return (
    <form
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (file && !send.isPending)
          send.mutate(String(new FormData(event.currentTarget).get("workspace") ?? "").trim());
      }}
    >
      <details>
        <summary>{t("slackImport.howTitle")}</summary>
        <p className="quiet">{t("slackImport.how")}</p>
      </details>
      <Archive file={file} onFile={setFile} />
      <TextField
        label={t("slackImport.workspace")}
        name="workspace"
        type="url"
        placeholder="https://acme.slack.com"
        hint={t("slackImport.workspaceHow")}
        wrong={field("workspace") ?? field("workspace_url")}
      />
      <Select label={t("document.inBase")} value={base} onChange={(event) => setBase(event.target.value)}>
        {!taken && <option value="">{t("destination.newBase", { name: newName })}</option>}
        {bases.map((one) => (
          <option key={one.id} value={one.id}>
            {one.name}
          </option>
        ))}
      </Select>
      <fieldset className="field stack tight">
        <legend>{t("slackImport.audience")}</legend>
        <label className="check">
          <input type="radio" name="audience" checked={!isOpen} onChange={() => setOpen(false)} />
          <span>
            {t("channel.itsMembers")} <span className="quiet small">{t("slackImport.membersHow")}</span>
          </span>
        </label>
        <label className="check">
          <input type="radio" name="audience" checked={isOpen} onChange={() => setOpen(true)} />
          <span>
            {t("channel.everyone")} <span className="quiet small">{t("slackImport.everyoneHow")}</span>
          </span>
        </label>
      </fieldset>
      {send.isPending && file && (
        <div className="stack tight" role="status">
          <Progress label={t("slackImport.sending")} value={sent / Math.max(1, file.size)} />
          <span className="quiet small numbers">
            {sent < file.size ? `${bytes(sent)} / ${bytes(file.size)}` : t("slackImport.storing")}
          </span>
        </div>
      )}
      {send.error && <Notice kind="bad">{sentence(send.error)}</Notice>}
      <div className="row">
        <Button
          kind="primary"
          type="submit"
          busy={send.isPending}
          disabledBecause={file ? undefined : t("slackImport.chooseFirst")}
        >
          {t("slackImport.action")}
        </Button>
      </div>
    </form>
  );
}

function Archive({ file, onFile }: { file: File | undefined; onFile: (file: File) => void }) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  return (
    <Drop
      labelledBy={id}
      onDrop={(dropped) => {
        const first = dropped.files[0];
        if (first) onFile(first);
      }}
    >
      <Icon name={file ? "file" : "upload"} />
      <p id={id} role="status">
        {file ? (
          <>
            <strong>{file.name}</strong> <span className="quiet small">{bytes(file.size)}</span>
          </>
        ) : (
          <strong>{t("slackImport.drop")}</strong>
        )}
      </p>
      <Button icon="file" onClick={() => input.current?.click()}>
        {t("slackImport.choose")}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        accept=".zip,application/zip"
        aria-label={t("slackImport.choose")}
        onChange={(event) => {
          const chosen = event.currentTarget.files?.[0];
          if (chosen) onFile(chosen);
          event.currentTarget.value = "";
        }}
      />
    </Drop>
  );
}
