-- Questions, what became of each, and the sessions they are asked in.

create table sessions (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    user_id uuid not null,
    title text check (length(title) between 1 and 200),
    last_question_at timestamptz not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    foreign key (organization_id, user_id) references organization_members (organization_id, user_id) on delete cascade
);
comment on table sessions is 'A signed-in person''s own conversation with Amebo; nobody else''s.';
comment on column sessions.title is 'Chosen by the person, or the beginning of the first question.';
comment on column sessions.last_question_at is 'What the list is ordered by; the time of creation until something is asked.';
create index sessions_of_user on sessions (organization_id, user_id, last_question_at desc, id desc);
call tenant_table('sessions');
grant select, insert, update, delete on sessions to amebo_app;

create table questions (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    session_id uuid,
    user_id uuid,
    api_key_id uuid,
    origin text not null check (origin in ('api', 'session', 'chat_completions', 'mcp', 'terminal')),
    text text not null check (length(text) between 1 and 8000),
    knowledge_base_ids uuid[] not null,
    state text not null default 'open' check (state in ('open', 'settled')),
    deadline timestamptz not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    foreign key (organization_id, session_id) references sessions (organization_id, id) on delete cascade,
    foreign key (organization_id, user_id) references organization_members (organization_id, user_id) on delete set null (user_id)
);
comment on table questions is 'Every question asked. It is open until exactly one answer settles it.';
comment on column questions.user_id is 'The member who asked; null for a program, and once the member has left.';
comment on column questions.api_key_id is 'The key a program asked with. No reference: the figures outlive the key.';
comment on column questions.knowledge_base_ids is 'What was searched.';
comment on column questions.deadline is 'Past it, an open question was interrupted; maintenance settles it as failed.';
create index questions_recent on questions (organization_id, created_at desc, id desc);
create index questions_of_session on questions (organization_id, session_id, created_at, id) where session_id is not null;
create index questions_of_user on questions (organization_id, user_id) where user_id is not null;
create index questions_open on questions (deadline) where state = 'open';
call tenant_table('questions');
grant select, insert, update, delete on questions to amebo_app;
-- Maintenance finds what was interrupted; its grants on columns keep every text from it.
create policy system on questions to amebo_system using (true) with check (true);
grant select (id, organization_id, state, deadline), update (state, updated_at) on questions to amebo_system;

create table answers (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    question_id uuid not null,
    outcome text not null check (outcome in ('answered', 'declined', 'escalated', 'failed')),
    reason text check (reason in ('nothing_to_search', 'nothing_found', 'low_confidence', 'unsupported')),
    message text,
    notice text,
    language text,
    sentences jsonb not null default '[]',
    composer text check (composer in ('extractive', 'model')),
    model text,
    confidence double precision check (confidence between 0 and 1),
    knowledge_bases_searched integer not null default 0,
    documents_searched integer not null default 0,
    passages_searched integer not null default 0,
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    retrieval_us bigint not null default 0,
    composition_us bigint not null default 0,
    total_us bigint not null default 0,
    redacted boolean not null default false,
    rating text check (rating in ('up', 'down')),
    comment text check (length(comment) <= 4000),
    rated_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    unique (organization_id, question_id),
    foreign key (organization_id, question_id) references questions (organization_id, id) on delete cascade,
    check ((outcome = 'declined') = (reason is not null)),
    check ((outcome = 'answered') = (message is null))
);
comment on table answers is 'The one outcome of a question.';
comment on column answers.reason is 'Why it was declined.';
comment on column answers.message is 'What was said instead of an answer: what was searched and what to do next, or what broke.';
comment on column answers.notice is 'What is shown beside an answer, such as that it quotes.';
comment on column answers.language is 'The language of the question, as an ISO 639-1 code.';
comment on column answers.sentences is 'The answer: [{"text": …, "citations": [number, …]}, …]; the numbers are those of citations.';
comment on column answers.model is 'The language model that wrote the answer; null when it quotes.';
comment on column answers.redacted is 'Sentences were struck because a document they rest on was deleted.';
create index answers_recent on answers (organization_id, created_at desc);
call tenant_table('answers');
grant select, insert, update, delete on answers to amebo_app;
create policy system on answers for insert to amebo_system with check (outcome = 'failed');
grant insert on answers to amebo_system;

create table citations (
    organization_id uuid not null references organizations (id) on delete cascade,
    id uuid primary key,
    answer_id uuid not null,
    number integer not null check (number >= 0),
    source integer not null check (source > 0),
    chunk_id uuid not null,
    document_id uuid not null,
    document_title text not null,
    heading_path text[] not null default '{}',
    page integer,
    quote text not null,
    range_start bigint not null check (range_start >= 0),
    range_end bigint not null check (range_end >= range_start),
    unique (organization_id, id),
    unique (organization_id, answer_id, number),
    foreign key (organization_id, answer_id) references answers (organization_id, id) on delete cascade
);
comment on table citations is 'What an answer rests on, or what came closest when it was declined, with the words as they stood, so that a citation stays true when the document is replaced.';
comment on column citations.source is 'The number of the passage in the answer, as in the marks [1], [2] of its text.';
comment on column citations.chunk_id is 'The passage as it was found. No reference: replacing a document replaces its passages.';
comment on column citations.range_start is 'Bytes of the document''s extracted text at the time; range_end likewise.';
create index citations_of_document on citations (organization_id, document_id);
call tenant_table('citations');
grant select, insert, update, delete on citations to amebo_app;
