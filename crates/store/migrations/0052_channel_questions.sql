-- Questions asked on channels.

alter table questions drop constraint questions_origin_check;
alter table questions add constraint questions_origin_check
    check (origin in ('api', 'session', 'chat_completions', 'mcp', 'terminal', 'slack'));
alter table questions add column contact_id uuid;
alter table questions add column conversation_id uuid;
alter table questions add column readers jsonb;
alter table questions add foreign key (organization_id, contact_id) references contacts (organization_id, id) on delete set null (contact_id);
alter table questions add foreign key (organization_id, conversation_id) references conversations (organization_id, id) on delete cascade;
comment on column questions.contact_id is 'The person outside who asked.';
comment on column questions.conversation_id is 'The conversation on a channel it was asked in.';
comment on column questions.readers is 'For whose eyes it was answered, where that is not the asker alone: what every reader of the place may see.';
create index questions_of_contact on questions (organization_id, contact_id) where contact_id is not null;
create index questions_of_conversation on questions (organization_id, conversation_id, created_at) where conversation_id is not null;
