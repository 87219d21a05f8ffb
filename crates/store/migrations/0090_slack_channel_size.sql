-- What is shown of a connected workspace: how large its channels are, and from what reading them is reckoned.

alter table slack_channels
    add column member_count bigint check (member_count >= 0),
    add column began_at timestamptz,
    add column backfill_began_at timestamptz;
comment on column slack_channels.member_count is 'How many people Slack says are in it; null when it did not say.';
comment on column slack_channels.began_at is 'When it was made; nothing was said in it before.';
comment on column slack_channels.backfill_began_at is 'When reading its history began; what the remaining time is reckoned from.';

alter table channel_connections add column listed_at timestamptz;
comment on column channel_connections.listed_at is 'When the account''s people and places were last listed to the end.';
