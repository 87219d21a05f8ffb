-- Whoever holds an invitation sees where the organization has public profiles, before they are anybody.
create policy system on social_links for select to amebo_system using (true);
grant select on social_links to amebo_system;
