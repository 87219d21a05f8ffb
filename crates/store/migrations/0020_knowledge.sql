-- Knowledge: bases, sources, documents, their texts and passages, and the feed that index caches follow.

create table knowledge_bases (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    name text not null check (length(name) between 1 and 200),
    description text not null default '' check (length(description) <= 2000),
    status text not null default 'active' check (status in ('active', 'building', 'archived')),
    embedding_model text,
    building_model text,
    chunking jsonb not null default '{}',
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    constraint knowledge_bases_building check ((status = 'building') = (building_model is not null))
);
comment on table knowledge_bases is 'A named collection of documents.';
comment on column knowledge_bases.embedding_model is 'The model whose vectors are searched; null while no model was there to make any, then passages are found by their words alone.';
comment on column knowledge_bases.building_model is 'The model the passages are being embedded with, to take the place of embedding_model in one transaction.';
comment on column knowledge_bases.chunking is 'Deviations from the default size of passages: {"target": …, "max": …, "overlap": …}.';
create unique index knowledge_bases_name on knowledge_bases (organization_id, lower(name));
call tenant_table('knowledge_bases');
grant select, insert, update, delete on knowledge_bases to amebo_app;

create table sources (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    knowledge_base_id uuid not null,
    kind text not null check (kind in ('upload', 'slack', 'web', 'api', 'channel')),
    name text not null check (length(name) <= 200),
    configuration jsonb not null default '{}',
    cursor jsonb,
    schedule text,
    last_synced_at timestamptz,
    last_error text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    constraint sources_name unique (organization_id, knowledge_base_id, kind, name),
    foreign key (organization_id, knowledge_base_id) references knowledge_bases (organization_id, id) on delete cascade
);
comment on table sources is 'Where the documents of a knowledge base come from.';
comment on column sources.name is 'Empty for the one source of documents that were added one by one.';
comment on column sources.cursor is 'How far the last synchronisation came, in the words of the source.';
comment on column sources.schedule is 'When it is synchronised, as a cron expression; null when only on demand.';
call tenant_table('sources');
grant select, insert, update, delete on sources to amebo_app;

create table documents (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    knowledge_base_id uuid not null,
    source_id uuid not null,
    title text not null check (length(title) between 1 and 500),
    original_name text not null check (length(original_name) <= 500),
    mime_type text,
    size_bytes bigint not null check (size_bytes >= 0),
    content_hash bytea not null check (length(content_hash) = 32),
    source_url text check (length(source_url) <= 2000),
    blob_id uuid not null,
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    audience jsonb not null check (audience ->> 'kind' in ('organization', 'members', 'public')),
    version integer not null default 1,
    status text not null check (status in ('uploaded', 'processing', 'chunking', 'embedding', 'indexed', 'failed')),
    error text check (error is null or status = 'failed'),
    pages integer not null default 0,
    chunk_count integer not null default 0,
    chunks_done integer not null default 0,
    started_at timestamptz,
    processed_at timestamptz,
    uploaded_by uuid,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    constraint documents_content unique (organization_id, knowledge_base_id, content_hash),
    foreign key (organization_id, knowledge_base_id) references knowledge_bases (organization_id, id) on delete cascade,
    foreign key (organization_id, source_id) references sources (organization_id, id) on delete cascade,
    foreign key (organization_id, uploaded_by) references organization_members (organization_id, user_id) on delete set null (uploaded_by)
);
comment on table documents is 'One document, from its upload on.';
comment on column documents.mime_type is 'Decided by content; null until the text is extracted.';
comment on column documents.content_hash is 'SHA-256 of the bytes: the same bytes are not processed twice in one knowledge base.';
comment on column documents.audience is 'Who may see it: {"kind": "organization"}, {"kind": "members", "roles": […], "users": […]} or {"kind": "public"}.';
comment on column documents.version is 'Grows when the bytes are replaced or processed anew; work begun for an older version is thrown away.';
comment on column documents.error is 'Why processing failed, in a sentence a person can act on.';
comment on column documents.chunk_count is 'Passages of the version in work or, when settled, of the indexed one.';
comment on column documents.chunks_done is 'How many of them have been embedded.';
comment on column documents.started_at is 'When the embedding of the version in work began; what the remaining time is reckoned from.';
create index documents_knowledge_base on documents (organization_id, knowledge_base_id, id desc);
create index documents_newest on documents (organization_id, id desc);
create index documents_unsettled on documents (organization_id, id) where status not in ('indexed', 'failed');
create index documents_changed on documents (organization_id, updated_at);
create index documents_source on documents (organization_id, source_id);
create unique index documents_source_url on documents (organization_id, knowledge_base_id, source_url) where source_url is not null;
call tenant_table('documents');
grant select, insert, update, delete on documents to amebo_app;

create table document_texts (
    organization_id uuid not null references organizations (id) on delete cascade,
    document_id uuid primary key,
    version integer not null,
    content text not null,
    blocks jsonb not null,
    warnings jsonb not null default '[]',
    created_at timestamptz not null,
    unique (organization_id, document_id),
    foreign key (organization_id, document_id) references documents (organization_id, id) on delete cascade
);
comment on table document_texts is 'The text of a document as its passages were cut from it; citations are byte ranges of it.';
comment on column document_texts.version is 'The version of the document it was extracted from; older than the document''s while a newer one is in work.';
comment on column document_texts.blocks is 'Headings, paragraphs, tables …: [{"kind", "range", "page"}], in order.';
comment on column document_texts.warnings is 'What extraction left out and why, in sentences.';
call tenant_table('document_texts');
grant select, insert, update, delete on document_texts to amebo_app;

create table chunks (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    document_id uuid not null,
    version integer not null,
    chunk_index integer not null,
    content text not null,
    byte_start bigint not null,
    byte_end bigint not null check (byte_end > byte_start),
    page integer,
    heading_path jsonb not null default '[]',
    embedding bytea not null default '',
    embedding_model text check ((embedding_model is null) = (embedding = '')),
    terms bytea not null,
    created_at timestamptz not null,
    unique (organization_id, id),
    constraint chunks_place unique (organization_id, document_id, chunk_index),
    foreign key (organization_id, document_id) references documents (organization_id, id) on delete cascade
);
comment on table chunks is 'A passage: what is embedded, found and cited.';
comment on column chunks.version is 'The version of the document it was cut from.';
comment on column chunks.byte_start is 'Where it begins in the document''s text.';
comment on column chunks.embedding is 'The vector, of unit length, as little-endian f16; empty when there was no model.';
comment on column chunks.terms is 'What lexical search counts, as the analysis encoded it.';
-- Vectors do not compress; trying to costs time at every write.
alter table chunks alter column embedding set storage external;
call tenant_table('chunks');
grant select, insert, update, delete on chunks to amebo_app;

create table staged_embeddings (
    organization_id uuid not null references organizations (id) on delete cascade,
    chunk_id uuid not null,
    model text not null,
    embedding bytea not null check (embedding <> ''),
    created_at timestamptz not null,
    primary key (chunk_id, model),
    unique (organization_id, chunk_id, model),
    foreign key (organization_id, chunk_id) references chunks (organization_id, id) on delete cascade
);
comment on table staged_embeddings is 'Vectors of the model a knowledge base is being moved to, until all are there and take the place of the old ones together.';
alter table staged_embeddings alter column embedding set storage external;
call tenant_table('staged_embeddings');
grant select, insert, delete on staged_embeddings to amebo_app;

create table index_revisions (
    organization_id uuid primary key references organizations (id) on delete cascade,
    revision bigint not null
);
comment on table index_revisions is 'How often an organization''s searchable passages have changed. The row is locked from the change to its commit, so that revisions become visible in their order.';
call tenant_table('index_revisions');
grant select, insert, update on index_revisions to amebo_app;

create table index_changes (
    organization_id uuid not null references organizations (id) on delete cascade,
    document_id uuid not null,
    revision bigint not null,
    gone boolean not null,
    primary key (organization_id, document_id)
);
comment on table index_changes is 'At which revision each document last changed; what an index cache loads to catch up. Rows of deleted documents stay, since a cache may not have heard yet.';
create index index_changes_revision on index_changes (organization_id, revision);
call tenant_table('index_changes');
grant select, insert, update on index_changes to amebo_app;
