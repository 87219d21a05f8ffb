-- An answer shown to the organization by whoever asked.

alter table questions add column shared_at timestamptz;
comment on column questions.shared_at is 'When the asker shared it with the organization; null while it is theirs alone.';
