-- Readers who want no more of an answer while it is written.

alter table conversations add column stop_requested_at timestamptz;
comment on column conversations.stop_requested_at is 'When somebody last asked to stop what is being written; what was asked before is answered no further.';
