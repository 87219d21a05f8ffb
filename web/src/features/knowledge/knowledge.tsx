import { useState } from "react";
import { useBases } from "../../api/bases";
import type { Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { Link, type Params, useSearch } from "../../lib/router";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { Page } from "../../ui/page";
import { Empty, Loaded } from "../../ui/state";
import "../../ui/styles/knowledge.css";
import { Base } from "./base";
import { BaseDialog } from "./base-dialog";
import { DocumentList } from "./document-list";
import { useWork } from "./follow";
import { WriteDialog } from "./write";

export type KnowledgeBase = Schemas["KnowledgeBaseResponse"];

export function Knowledge({ params }: { params: Params }) {
  return params.base ? <Base key={params.base} id={params.base} /> : <Everything />;
}

function Everything() {
  const { id, can, cannot } = useOrganization();
  const bases = useBases();
  const work = useWork(id);
  const [making, setMaking] = useState(false);
  const [search, setSearch] = useSearch();
  const question = search.get("answer");
  const make = (
    <Button
      kind="primary"
      icon="plus"
      disabledBecause={cannot("knowledge_base:create")}
      onClick={() => setMaking(true)}
    >
      {t("base.new")}
    </Button>
  );
  return (
    <Page title={t("nav.knowledge")} lead={t("knowledge.lead")} actions={make}>
      <Loaded query={bases} rows={2} height="5.5rem">
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon="book" title={t("base.none")} action={can("knowledge_base:create") ? make : undefined}>
              {t("base.noneHow")}
            </Empty>
          ) : (
            <>
              <ul className="bases">
                {items.map((base) => (
                  <BaseCard key={base.id} base={base} />
                ))}
              </ul>
              <section className="stack" aria-labelledby="all-documents">
                <h2 id="all-documents">{t("knowledge.all")}</h2>
                <DocumentList bases={items} work={work} />
              </section>
            </>
          )
        }
      </Loaded>
      {question && bases.data && can("document:create") && (
        <WriteDialog question={question} bases={bases.data.items} onClose={() => setSearch({ answer: undefined })} />
      )}
      {making && <BaseDialog onClose={() => setMaking(false)} />}
    </Page>
  );
}

function BaseCard({ base }: { base: KnowledgeBase }) {
  const { at } = useOrganization();
  return (
    <li>
      <Link className="card base" to={at(`/knowledge/${base.id}`)}>
        <Icon name="book" />
        <span className="grow">
          <strong>{base.name}</strong>
          <span className="quiet small">
            {base.description || t("scope.documents", { count: base.document_count })}
          </span>
        </span>
        {base.status === "archived" && <span className="tag">{t("base.archived")}</span>}
        {base.status === "building" && <span className="tag warn">{t("base.building")}</span>}
      </Link>
    </li>
  );
}
