-- The view member_profiles runs with its owner's rights, and the owner too is bound by row-level security (it is forced), so it needs a
-- policy of its own to see the current organization's members.
create policy profiles on organization_members for select to amebo_owner using (organization_id = (select current_organization()));
