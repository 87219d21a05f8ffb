-- What index caches need no longer is removed: for how long the changes of documents that are gone are kept.

alter table index_changes add column gone_at timestamptz;
comment on column index_changes.gone_at is 'Since when the document is gone; null while it is there.';
comment on table index_changes is 'At which revision each document last changed; what an index cache loads to catch up. Rows of documents that are gone stay for some days, since a cache may not have heard yet; one that stood still for longer loads everything.';
create index index_changes_gone on index_changes (gone_at) where gone;
create policy system on index_changes to amebo_system using (true);
grant select, delete on index_changes to amebo_system;

alter table index_revisions add column pruned_to bigint not null default 0;
comment on column index_revisions.pruned_to is 'The latest revision of which a change was removed: a cache that stands before it cannot catch up and loads everything.';
create policy system on index_revisions to amebo_system using (true);
grant select, update (pruned_to) on index_revisions to amebo_system;
