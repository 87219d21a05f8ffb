//! The whole application in process: its own database, a clock that stands still, randomness from a seed.

use std::sync::Arc;

use amebo_app::mail::Mailer;
use amebo_app::{App, Parts};
use amebo_core::id::{OrganizationId, UserId};
use amebo_core::{Environment, ManualClock};
use amebo_store::Store;
use axum::Router;
use chrono::{DateTime, TimeZone as _, Utc};
use secrecy::SecretBox;
use serde_json::json;

use crate::{Client, Database};

/// The password of everybody in tests.
const PASSWORD: &str = "correct horse battery staple";

/// When every test begins.
pub fn start_of_time() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 5, 9, 0, 0).unwrap()
}

/// The application under test.
#[derive(Debug)]
pub struct TestApp {
    /// The application itself.
    pub app: Arc<App>,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// Its database.
    pub database: Database,
    router: Router,
}

/// Somebody signed in.
#[derive(Debug, Clone)]
pub struct Person {
    /// Who.
    pub user: UserId,
    /// The organisation they signed up with.
    pub organization: OrganizationId,
    /// Their address.
    pub email: String,
    /// Calls as this person.
    pub client: Client,
}

impl TestApp {
    /// Starts the application on a database of its own.
    pub async fn start() -> Self {
        let database = Database::create().await;
        let clock = Arc::new(ManualClock::starting_at(start_of_time()));
        let environment = Environment::replayable(clock.clone(), 7);
        let store = Store::connect(&database.store_config(), environment)
            .await
            .unwrap();
        let token_key = SecretBox::new(vec![7; 32].into_boxed_slice());
        let app = Arc::new(App::new(Parts {
            store,
            token_key,
            identity: amebo_app::identity::Config::default(),
            mailer: Mailer::new(None).unwrap(),
        }));
        let router = amebo_http::router(app.clone(), amebo_http::Config::default());
        Self {
            app,
            clock,
            database,
            router,
        }
    }

    /// Somebody who is not signed in.
    pub fn anonymous(&self) -> Client {
        Client::new(self.router.clone(), None)
    }

    /// The owner of a new organisation of this name, signed in.
    pub async fn owner(&self, organization: &str) -> Person {
        let email = format!("owner@{}.example", organization.to_lowercase().replace(' ', "-"));
        let sign_up = json!({ "email": email, "name": "Olu Owner", "password": PASSWORD, "organization": organization });
        let body = self
            .anonymous()
            .post("/api/v1/auth/sign-up", &sign_up)
            .await
            .expect(201)
            .json();
        let id = |name: &str| body[name].as_str().unwrap().to_owned();
        let client = self.sign_in(&email).await;
        Person {
            user: id("user_id").parse().unwrap(),
            organization: id("organization_id").parse().unwrap(),
            email,
            client,
        }
    }

    /// Signs a person in anew.
    pub async fn sign_in(&self, email: &str) -> Client {
        let credentials = json!({ "email": email, "password": PASSWORD });
        let body = self
            .anonymous()
            .post("/api/v1/auth/sign-in", &credentials)
            .await
            .expect(200)
            .json();
        self.anonymous().with_bearer(body["access_token"].as_str())
    }
}

impl Person {
    /// A path below the person's organisation.
    pub fn path(&self, rest: &str) -> String {
        format!("/api/v1/organizations/{}{rest}", self.organization)
    }
}
