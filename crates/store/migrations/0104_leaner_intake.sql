-- Taking an event in writes two rows and an entry in each of their indices; two of those served nothing.
--
-- Nobody refers to a job, so it needs no key of organization and id beside its id. While the table was new and its statistics were of an
-- empty one, that key was also taken to look a lane up, which reads every job of the organization for each job pushed.

alter table jobs drop constraint jobs_organization_id_id_key;

alter table delivery_drafts drop constraint delivery_drafts_organization_id_inbound_event_id_fkey;
alter table inbound_events
    drop constraint inbound_events_organization_id_id_key,
    drop constraint inbound_events_pkey,
    add primary key (organization_id, id);
alter table delivery_drafts
    add foreign key (organization_id, inbound_event_id) references inbound_events (organization_id, id) on delete cascade;
