//! The only crate that speaks to PostgreSQL.
//!
//! Everything of a tenant goes through an [`OrgTx`], which only a [`Permit`] opens; a permit comes only from an [`Access`], and an
//! access only from this crate, after it looked at a membership, an API key or a claimed job. So no query runs without an
//! organisation, and none without a permission. What has no organisation yet (sign-in, claiming jobs, the operator's view) goes
//! through a [`SystemTx`], on another database role with few grants; `tests/it/golden/system_access.txt` lists who calls it.

mod access;
mod database;
pub mod error;
pub mod job;
pub mod maintenance;
pub mod managed;
mod organization;
mod signal;
mod transaction;
mod user;

pub use access::{Access, Actor, Forbidden, Permit};
pub use database::{Connection, Store, StoreConfig, check_roles, migrate};
pub use error::{Error, Result};
pub use organization::{NewOrganization, Organization, Organizations, SystemOrganizations};
pub use signal::Topic;
pub use transaction::{OrgTx, SystemTx};
pub use user::{NewUser, User, Users};
