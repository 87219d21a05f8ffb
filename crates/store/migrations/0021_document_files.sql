-- The original of a document is a stored file of its organisation.

alter table documents add constraint documents_blob foreign key (organization_id, blob_id) references blobs (organization_id, id);
create index documents_of_blob on documents (organization_id, blob_id);
