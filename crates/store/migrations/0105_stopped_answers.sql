-- Answers that were stopped by whoever asked, apart from those that broke.

alter table answers add column stopped boolean not null default false,
    add constraint answers_stopped_without_answer check (not stopped or outcome = 'failed');
comment on column answers.stopped is 'Nothing broke: whoever asked wanted no more of it while it was written.';
