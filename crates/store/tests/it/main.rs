//! The store against a real PostgreSQL.

#[cfg(test)]
mod database;
#[cfg(test)]
mod job;
#[cfg(test)]
mod knowledge;
#[cfg(test)]
mod managed;
