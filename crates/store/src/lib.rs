//! The only crate that speaks to PostgreSQL.
//!
//! Everything of a tenant goes through an [`OrgTx`], which only a [`Permit`] opens; a permit comes only from an [`Access`], and an
//! access only from this crate, after it looked at a membership, an API key or a claimed job. So no query runs without an
//! organisation, and none without a permission. What has no organisation yet (sign-in, claiming jobs, the operator's view) goes
//! through a [`SystemTx`], on another database role with few grants; a golden file (`tests/it/system_access.rs`) lists who calls
//! it.

mod access;
mod account_link;
pub mod analytics;
pub mod answer;
mod api_key;
pub mod audit;
pub mod blob;
pub mod branding;
pub mod channel_connection;
pub mod channel_identity;
pub mod channel_installation;
pub mod channel_link;
mod chunk;
pub mod conversation;
mod credential;
mod database;
pub mod delivery;
pub mod delivery_draft;
mod document;
pub mod error;
pub mod evaluation;
pub mod event;
pub mod idempotency;
pub mod inbound_event;
mod index_feed;
mod inspection;
mod invitation;
pub mod job;
mod knowledge_base;
pub mod maintenance;
pub mod managed;
mod member;
pub mod message;
mod organization;
pub mod provider;
pub mod question;
mod refresh_token;
mod role_permission;
pub mod schedule;
pub mod sealing;
mod secret_token;
pub mod session;
mod signal;
pub mod slack;
pub mod source;
mod throttle;
mod transaction;
mod usage;
mod user;

pub use access::{Access, Actor, Forbidden, Permit, RequestOrigin};
pub use account_link::{AccountLinks, LinkPurpose};
pub use api_key::{API_KEY_PREFIX, ApiKey, ApiKeys, NewApiKey};
pub use chunk::{Chunks, Moved, NewChunk, NewText, Passage, TextWindow, Unembedded};
pub use credential::Person;
pub use database::{Connection, Store, StoreConfig, check_roles, migrate};
pub use document::{Backlog, Document, DocumentFilter, Documents, Learnt, NewDocument, Original};
pub use error::{Error, Result};
pub use index_feed::{Changes, FeedDocument, FeedPassage, GONE_FOR, IndexFeed};
pub use inspection::Inspection;
pub use invitation::{INVITATION_LIFETIME, Invitation, Invitations, OpenInvitation, SystemInvitations};
pub use knowledge_base::{KnowledgeBase, KnowledgeBases, NewKnowledgeBase, Removed, Searchable};
pub use member::{Member, MemberState, Members};
pub use organization::{
    NewOrganization, Organization, OrganizationTerms, Organizations, SystemOrganizations,
};
pub use refresh_token::{DEVICE_LIFETIME, Device, Devices, Issued, Origin, Rotation};
pub use role_permission::RolePermissions;
pub use signal::Topic;
pub use source::Sources;
pub use throttle::{ThrottleSubject, Throttles};
pub use transaction::{OrgTx, SystemTx};
pub use usage::{Metric, Usage};
pub use user::{Membership, NewUser, User, Users};
