-- Taking an event in writes as little as can be: when an account was last heard of is read from its events, instead of being noted
-- beside each of them; their age needs a summary of pages, not an entry for each row.

drop index inbound_events_of_connection;
create index inbound_events_of_connection on inbound_events (organization_id, connection_id, created_at);
drop index inbound_events_age;
create index inbound_events_age on inbound_events using brin (created_at) with (autosummarize = on);
grant select (connection_id) on inbound_events to amebo_system;
comment on column channel_connections.last_event_at is 'When it was last heard of as far as events went that are no longer kept; those that are kept say it themselves.';
