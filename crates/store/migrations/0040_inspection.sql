-- `amebo doctor` and readiness compare what was applied with what this version carries.
grant select on _sqlx_migrations to amebo_app;
