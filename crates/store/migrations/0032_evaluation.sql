-- Questions with known answers, and their replays.

create table evaluation_sets (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    name text not null check (length(name) between 1 and 200),
    description text not null default '' check (length(description) <= 2000),
    cases jsonb not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    unique (organization_id, name)
);
comment on table evaluation_sets is 'Questions with known answers, replayed before a change goes live.';
comment on column evaluation_sets.cases is '[{"question": …, "documents": [id, …], "answers": [text, …], "answerable": bool}, …]';
call tenant_table('evaluation_sets');
grant select, insert, update, delete on evaluation_sets to amebo_app;

create table evaluation_runs (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    evaluation_set_id uuid not null,
    state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed')),
    started_by uuid,
    cases_total integer not null,
    cases_done integer not null default 0,
    metrics jsonb,
    results jsonb,
    error text,
    started_at timestamptz,
    finished_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    foreign key (organization_id, evaluation_set_id) references evaluation_sets (organization_id, id) on delete cascade,
    foreign key (organization_id, started_by) references organization_members (organization_id, user_id) on delete set null (started_by),
    check ((state = 'done') = (metrics is not null)),
    check ((state = 'failed') = (error is not null))
);
comment on table evaluation_runs is 'One replay of an evaluation set.';
comment on column evaluation_runs.metrics is 'Figures over all cases.';
comment on column evaluation_runs.results is 'One entry for each case: what was found and answered.';
create index evaluation_runs_of_set on evaluation_runs (organization_id, evaluation_set_id, created_at desc, id desc);
create index evaluation_runs_by on evaluation_runs (organization_id, started_by) where started_by is not null;
call tenant_table('evaluation_runs');
grant select, insert, update, delete on evaluation_runs to amebo_app;
