//! For tests only: a database per test, the whole application in process, and fakes of third parties.
//!
//! Everything here panics on failure: a test that cannot be set up has failed.

mod app;
mod client;
mod database;
mod embedder;
mod extraction;
mod knowledge;
mod mail_server;
mod model;
pub mod slack;
mod workspace;

pub use app::{PASSWORD, Person, SIGNING_SECRET, Setup, TestApp, start_of_time};
pub use client::{Client, Reply};
pub use database::Database;
pub use embedder::{Fault, WordModel};
pub use extraction::extractor;
pub use mail_server::{MailServer, Manner, Received};
pub use model::{Dictation, FakeModel, Turn};
pub use slack::FakeSlack;
pub use workspace::{NewWorkspace, connect_workspaces, first_owner, slack_event};
