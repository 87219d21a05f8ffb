-- What is said on channels: accepted webhooks, conversations, messages, and what is to be sent out.

create table inbound_events (
    id uuid primary key,
    organization_id uuid not null,
    connection_id uuid not null,
    provider text not null check (provider in ('slack', 'teams', 'whatsapp', 'telegram', 'line', 'wechat', 'widget', 'email', 'highlevel')),
    account text not null check (length(account) <= 200),
    external_id text not null check (length(external_id) between 1 and 300),
    kind text not null check (length(kind) between 1 and 100),
    sealed_body bytea not null,
    state text not null default 'accepted' check (state in ('accepted', 'processed', 'failed')),
    error text check (length(error) <= 2000),
    deadline timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    constraint inbound_events_once unique (provider, account, external_id),
    foreign key (organization_id, connection_id) references channel_connections (organization_id, id) on delete cascade
) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);
comment on table inbound_events is 'Every webhook accepted, before anything is done with it. Kept for a week, which outlasts every platform''s repetitions.';
comment on column inbound_events.account is 'The account on the platform that sent it.';
comment on column inbound_events.external_id is 'The platform''s id of the event, or what stands for one: what makes a repetition a repetition.';
comment on column inbound_events.sealed_body is 'The request''s body, sealed.';
comment on column inbound_events.deadline is 'When somebody who waits for an answer must have seen an outcome; null when nobody waits.';
create index inbound_events_of_connection on inbound_events (organization_id, connection_id);
create index inbound_events_age on inbound_events (created_at);
create index inbound_events_due on inbound_events (deadline) where state = 'accepted' and deadline is not null;
call tenant_table('inbound_events');
create policy system on inbound_events to amebo_system using (true) with check (true);
grant select, update, delete on inbound_events to amebo_app;
grant select (id, organization_id, state, created_at, deadline, provider, account, external_id), update (updated_at), insert, delete on inbound_events to amebo_system;

create table conversations (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    channel text not null check (channel in ('slack', 'teams', 'whatsapp', 'telegram', 'line', 'wechat', 'widget', 'email', 'highlevel')),
    connection_id uuid not null,
    external_key text not null check (length(external_key) between 1 and 300),
    address jsonb not null,
    identity_id uuid,
    contact_id uuid,
    user_id uuid,
    status text not null default 'new' check (status in ('new', 'active', 'escalated', 'completed')),
    assigned_to uuid,
    priority text not null default 'normal' check (priority in ('low', 'normal', 'high', 'urgent')),
    context jsonb not null default '{}',
    started_at timestamptz not null,
    last_message_at timestamptz not null,
    first_replied_at timestamptz,
    completed_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    foreign key (organization_id, connection_id) references channel_connections (organization_id, id) on delete cascade,
    foreign key (organization_id, identity_id) references channel_identities (organization_id, id) on delete set null (identity_id),
    foreign key (organization_id, contact_id) references contacts (organization_id, id) on delete set null (contact_id),
    foreign key (organization_id, user_id) references organization_members (organization_id, user_id) on delete set null (user_id),
    foreign key (organization_id, assigned_to) references organization_members (organization_id, user_id) on delete set null (assigned_to),
    check ((status = 'completed') = (completed_at is not null))
);
comment on table conversations is 'One thread of exchange on a channel.';
comment on column conversations.external_key is 'What the platform''s messages of this thread have in common; for Slack the channel and the thread.';
comment on column conversations.address is 'Where answers go, in the platform''s terms.';
comment on column conversations.identity_id is 'Who began it.';
create unique index conversations_open on conversations (organization_id, connection_id, external_key) where completed_at is null;
create index conversations_by_key on conversations (organization_id, connection_id, external_key, started_at desc);
create index conversations_recent on conversations (organization_id, last_message_at desc, id desc);
create index conversations_of_contact on conversations (organization_id, contact_id) where contact_id is not null;
create index conversations_of_user on conversations (organization_id, user_id) where user_id is not null;
create index conversations_of_identity on conversations (organization_id, identity_id) where identity_id is not null;
create index conversations_assigned on conversations (organization_id, assigned_to) where assigned_to is not null;
call tenant_table('conversations');
grant select, insert, update, delete on conversations to amebo_app;

create table messages (
    id uuid not null,
    organization_id uuid not null,
    conversation_id uuid not null,
    connection_id uuid not null,
    sent_at timestamptz not null,
    sender_type text not null check (sender_type in ('user', 'assistant', 'human_agent', 'system')),
    identity_id uuid,
    message_type text not null default 'text' check (message_type in ('text', 'image', 'file', 'audio', 'location', 'button_response', 'note')),
    content text not null check (length(content) <= 100000),
    attachments jsonb not null default '[]',
    metadata jsonb not null default '{}',
    external_id text check (length(external_id) <= 300),
    delivery_status text check (delivery_status in ('queued', 'sent', 'delivered', 'read', 'failed')),
    failure text check (length(failure) <= 1000),
    question_id uuid,
    is_processed boolean not null default false,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (organization_id, id, sent_at),
    unique (organization_id, connection_id, external_id, sent_at),
    foreign key (organization_id, conversation_id) references conversations (organization_id, id) on delete cascade
) partition by range (sent_at);
comment on table messages is 'One utterance of a conversation.';
comment on column messages.sent_at is 'For what came in, the platform''s own time of it, so that the same utterance always falls into the same month and is found there; for what goes out, when it was written.';
comment on column messages.external_id is 'The platform''s id of the utterance. Null for what goes out until it is sent.';
comment on column messages.delivery_status is 'How far something that goes out has come; null for what came in.';
comment on column messages.question_id is 'The question it asked, or whose answer it gives. No reference: figures outlive the conversation.';
create index messages_of_conversation on messages (organization_id, conversation_id, sent_at, id);
create index messages_by_external_id on messages (organization_id, connection_id, external_id) where external_id is not null;
create index messages_of_question on messages (organization_id, question_id) where question_id is not null;
call tenant_table('messages');
grant select, insert, update, delete on messages to amebo_app;
create table messages_default partition of messages default;
comment on table messages_default is 'Messages of months that have no partition of their own.';
call tenant_table('messages_default');
select ensure_month_partitions('messages', (current_date - interval '1 month')::date, 4);

create table deliveries (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    connection_id uuid not null,
    conversation_id uuid,
    message_id uuid,
    message_sent_at timestamptz,
    inbound_event_id uuid,
    payload jsonb not null,
    state text not null default 'queued' check (state in ('queued', 'sending', 'sent', 'failed')),
    parts_sent integer not null default 0 check (parts_sent >= 0),
    attempts integer not null default 0 check (attempts >= 0),
    next_attempt_at timestamptz,
    provider_message_id text check (length(provider_message_id) <= 300),
    last_error text check (length(last_error) <= 2000),
    sent_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    constraint deliveries_one_outcome unique (organization_id, inbound_event_id),
    foreign key (organization_id, connection_id) references channel_connections (organization_id, id) on delete cascade,
    foreign key (organization_id, conversation_id) references conversations (organization_id, id) on delete cascade,
    foreign key (organization_id, message_id, message_sent_at) references messages (organization_id, id, sent_at) on delete cascade,
    check ((message_id is null) = (message_sent_at is null))
);
comment on table deliveries is 'Outbox of everything to be sent out on channels.';
comment on column deliveries.inbound_event_id is 'What it is the outcome of; there is exactly one. No reference: deliveries outlive the webhooks.';
comment on column deliveries.payload is 'What is sent, in parts, in the platform''s form.';
comment on column deliveries.parts_sent is 'How many parts the platform has taken.';
comment on column deliveries.state is 'sending: an attempt began and its end is not known; before another, the platform is asked whether it arrived.';
create index deliveries_of_connection on deliveries (organization_id, connection_id, created_at desc);
create index deliveries_of_conversation on deliveries (organization_id, conversation_id) where conversation_id is not null;
create index deliveries_of_message on deliveries (organization_id, message_id, message_sent_at) where message_id is not null;
call tenant_table('deliveries');
grant select, insert, update, delete on deliveries to amebo_app;
