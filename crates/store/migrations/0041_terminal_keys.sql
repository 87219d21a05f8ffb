-- Which keys are the terminal's own, so that what is asked there can be told from what programs ask.

alter table api_keys add column is_of_terminal boolean not null default false;
comment on column api_keys.is_of_terminal is 'Whether the server made it for the terminal on its own machine.';
