import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useAccount } from "../../api/account";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { Link, navigate } from "../../lib/router";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Icon, type IconName } from "../../ui/icon";
import { Page } from "../../ui/page";
import "../../ui/styles/start.css";
import { toast } from "../../ui/toast";
import { loadSamples } from "./samples";

/** The first page: what to do first, and what is done already. */
export function Start() {
  const { name } = useOrganization();
  return (
    <Page narrow title={t("start.title", { organization: name })} lead={t("start.lead")}>
      <Choices />
      <Checklist />
    </Page>
  );
}

function Choices() {
  const { id, path, at, can, cannot } = useOrganization();
  const cache = useQueryClient();
  const [done, setDone] = useState<number>();
  const upload = useMutation({
    mutationFn: async () => {
      const bases = await read(
        api.GET("/api/v1/organizations/{organization_id}/knowledge-bases", { params: { path, query: { limit: 200 } } }),
      );
      const own = bases.items.find((base) => base.status === "active" && base.name !== t("start.samplesName"));
      return (
        own ??
        read(
          api.POST("/api/v1/organizations/{organization_id}/knowledge-bases", {
            params: { path },
            body: { name: t("start.baseName"), description: "" },
          }),
        )
      );
    },
    onSuccess: async (base) => {
      await cache.invalidateQueries({ queryKey: [id, "bases"] });
      navigate(at(`/knowledge/${base.id}`));
    },
    onError: (error) => toast(sentence(error)),
  });
  const samples = useMutation({
    mutationFn: () => loadSamples(id, t("start.samplesName"), setDone),
    onSuccess: async (base) => {
      await cache.invalidateQueries({ queryKey: [id] });
      navigate(at(`/knowledge/${base}`));
    },
    onError: (error) => toast(sentence(error)),
  });
  const refused = can("knowledge_base:create") ? cannot("document:create") : cannot("knowledge_base:create");
  return (
    <ul className="choices-list">
      <Choice icon="upload" title={t("start.upload")} text={t("start.uploadHow")}>
        <Button kind="primary" busy={upload.isPending} disabledBecause={refused} onClick={() => upload.mutate()}>
          {t("start.uploadAction")}
        </Button>
      </Choice>
      {can("channel_connection:create") && (
        <Choice icon="hash" title={t("start.slack")} text={t("start.slackHow")}>
          <Link className="button" to={at("/slack")}>
            {t("start.slackAction")}
          </Link>
        </Choice>
      )}
      <Choice icon="spark" title={t("start.samples")} text={t("start.samplesHow")}>
        <Button busy={samples.isPending} disabledBecause={refused} onClick={() => samples.mutate()}>
          {samples.isPending && done !== undefined ? t("start.samplesDone", { count: done }) : t("start.samplesAction")}
        </Button>
      </Choice>
    </ul>
  );
}

function Choice({ icon, title, text, children }: { icon: IconName; title: string; text: string; children: ReactNode }) {
  return (
    <li className="card stack">
      <Icon name={icon} />
      <div>
        <h2>{title}</h2>
        <p className="quiet">{text}</p>
      </div>
      {children}
    </li>
  );
}

type Step = { name: string; isDone: boolean; to: string };

/** It ticks itself off from what is really there. */
function Checklist() {
  const { id, path, at, can } = useOrganization();
  const account = useAccount();
  const documents = useQuery({
    queryKey: [id, "documents", "any"],
    queryFn: () =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/documents", {
          params: { path, query: { status: "indexed", limit: 1 } },
        }),
      ),
  });
  const sessions = useQuery({
    queryKey: [id, "sessions", "any"],
    queryFn: () =>
      read(api.GET("/api/v1/organizations/{organization_id}/sessions", { params: { path, query: { limit: 1 } } })),
  });
  const members = useQuery({
    queryKey: [id, "usage"],
    queryFn: () => read(api.GET("/api/v1/organizations/{organization_id}/usage", { params: { path } })),
  });
  const channels = useQuery({
    queryKey: [id, "slack", "connections"],
    queryFn: () => read(api.GET("/api/v1/organizations/{organization_id}/channel-connections", { params: { path } })),
    enabled: can("channel_connection:create"),
  });
  const providers = useQuery({
    queryKey: [id, "providers"],
    queryFn: () => read(api.GET("/api/v1/organizations/{organization_id}/providers", { params: { path } })),
    enabled: can("provider:read"),
  });
  const steps: Step[] = [
    { name: t("start.stepPassword"), isDone: account.data?.has_password ?? false, to: "/account" },
    { name: t("start.stepDocuments"), isDone: (documents.data?.items.length ?? 0) > 0, to: at("/knowledge") },
    { name: t("start.stepAsk"), isDone: (sessions.data?.items.length ?? 0) > 0, to: at("/ask") },
    ...(can("invitation:create")
      ? [{ name: t("start.stepInvite"), isDone: (members.data?.members ?? 0) > 1, to: at("/people") }]
      : []),
    ...(can("channel_connection:create")
      ? [
          {
            name: t("start.stepSlack"),
            isDone: channels.data?.items.some((one) => one.kind === "slack" && one.status === "active") ?? false,
            to: at("/slack"),
          },
        ]
      : []),
    ...(can("provider:create")
      ? [
          {
            name: t("start.stepModel"),
            isDone: providers.data?.items.some((one) => one.is_active) ?? false,
            to: at("/settings/models"),
          },
        ]
      : []),
  ];
  const done = steps.filter((step) => step.isDone).length;
  return (
    <section className="card stack" aria-labelledby="checklist">
      <div className="row between">
        <h2 id="checklist">{t("start.checklist")}</h2>
        <span className="quiet small">{t("start.progress", { done, count: steps.length })}</span>
      </div>
      <ol className="checklist">
        {steps.map((step) => (
          <li key={step.name} className={step.isDone ? "done" : undefined}>
            <span className="tick">{step.isDone && <Icon name="check" />}</span>
            <Link to={step.to}>{step.name}</Link>
            <span className="visually-hidden">{step.isDone ? t("start.done") : t("start.open")}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
