-- How it was established that somebody on a channel is a member.

alter table channel_identities add column verified_by text check (verified_by in ('address', 'link'));
comment on column channel_identities.verified_by is 'address: the platform verified an address that is a member''s, which is looked at again whenever the platform is asked; link: the member confirmed it.';
