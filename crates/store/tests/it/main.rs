//! The store against a real PostgreSQL.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod blob;
#[cfg(test)]
mod channel;
#[cfg(test)]
mod database;
#[cfg(test)]
mod event;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod job;
#[cfg(test)]
mod knowledge;
#[cfg(test)]
mod managed;
#[cfg(test)]
mod question;
#[cfg(test)]
mod schedule;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod sealing;
#[cfg(test)]
mod signal;
#[cfg(test)]
mod slack;
#[cfg(test)]
mod system_access;
#[cfg(test)]
mod tenancy;
