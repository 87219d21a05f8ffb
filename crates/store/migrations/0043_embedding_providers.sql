-- Organizations bring embedding models as well.

alter table providers add column kind text not null default 'language' check (kind in ('language', 'embedding'));
alter table providers alter column kind drop default;
alter table providers add column dimension integer check (dimension between 1 and 16384);
alter table providers add constraint providers_dimension check ((kind = 'embedding') = (dimension is not null));
alter table providers drop constraint providers_protocol_check;
alter table providers add constraint providers_protocol_check check (
    case kind when 'language' then protocol in ('anthropic', 'openai') else protocol in ('openai', 'voyage') end
);
comment on table providers is 'A language-model or embedding service configured by an organization.';
comment on column providers.kind is 'What it is for.';
comment on column providers.dimension is 'How many numbers a vector has, as the model gave it; null for language models.';
comment on column providers.is_active is 'Whether it does the work of its kind: writes the answers, or embeds new knowledge bases. At most one of a kind does.';
drop index providers_active;
create unique index providers_active on providers (organization_id, kind) where is_active;
