-- Web pages that are read again from time to time.

alter table sources add column url text check (length(url) <= 2000);
alter table sources add column audience jsonb check (audience ->> 'kind' in ('organization', 'members', 'public', 'slack_channel'));
alter table sources add column timezone text check (length(timezone) between 1 and 60);
alter table sources add column paused boolean not null default false;
alter table sources add column last_outcome text check (last_outcome in ('changed', 'unchanged', 'failed'));
alter table sources add constraint sources_schedule check (schedule in ('day', 'week'));
comment on column sources.schedule is 'How often it is read again; null when only on demand. Its times are those of the schedule named source:ID.';
comment on column sources.url is 'The web page it reads; null for sources that do not read one.';
comment on column sources.audience is 'Who may see the documents it makes; null where the documents say so themselves.';
comment on column sources.timezone is 'IANA name: in whose night it is read.';
comment on column sources.paused is 'Whether it is left alone until somebody lets it go on.';
comment on column sources.last_outcome is 'What came of reading it last; last_error says why when it failed.';
create unique index sources_url on sources (organization_id, knowledge_base_id, url) where url is not null;
