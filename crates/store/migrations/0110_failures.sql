-- Why a document was set aside or a page was not read, as a code beside the sentence, so that pages can say it in any language.

alter table documents add column failure jsonb check (jsonb_typeof(failure -> 'code') = 'string');
alter table sources add column failure jsonb check (jsonb_typeof(failure -> 'code') = 'string');
comment on column documents.failure is 'What error says, as a code with the figures its sentence names; null for what failed before there were codes.';
comment on column sources.failure is 'What last_error says, as a code with the figures its sentence names; null for what failed before there were codes.';
