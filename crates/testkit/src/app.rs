//! The whole application in process: its own database, a clock that stands still, randomness from a seed.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use amebo_app::ask::{Answering, AskSettings};
use amebo_app::embedders::Embedders;
use amebo_app::library::Library;
use amebo_app::mail::{self, Mailer};
use amebo_app::{App, Parts};
use amebo_core::id::{OrganizationId, UserId};
use amebo_core::permission::Role;
use amebo_core::{Environment, ManualClock};
use amebo_knowledge::embed::Embedder;
use amebo_knowledge::index::embedded::{self, Embedded};
use amebo_store::blob::Storage;
use amebo_store::sealing::{MasterKeys, Sealer};
use amebo_store::{LinkPurpose, NewUser, Store, blob};
use axum::Router;
use chrono::{DateTime, TimeZone as _, Utc};
use secrecy::SecretBox;
use serde_json::json;
use tempfile::TempDir;

use crate::{Client, Database, FakeSlack, WordModel, extractor};

/// The password of everybody in tests.
pub const PASSWORD: &str = "correct horse battery staple";

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
    /// The store the application works on.
    pub store: Store,
    /// Its embedding models: the first is what new knowledge bases take.
    pub models: Vec<Arc<WordModel>>,
    router: Router,
    addresses: AtomicU32,
    pub(crate) files: TempDir,
}

/// How the application is set up.
#[derive(Debug, Default)]
pub struct Setup {
    /// Its embedding models: the first is what new knowledge bases take.
    pub models: Vec<WordModel>,
    /// How it sends letters, if it does.
    pub mail: Option<mail::Config>,
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
    /// Starts the application on a database of its own, with one embedding model.
    pub async fn start() -> Self {
        Self::start_with_models(&["words-1"]).await
    }

    /// Starts the application with embedding models of these names, or none.
    pub async fn start_with_models(names: &[&str]) -> Self {
        let models = names.iter().map(|name| WordModel::named(name)).collect();
        Self::start_with(Setup { models, mail: None }).await
    }

    /// Starts the application as described.
    pub async fn start_with(setup: Setup) -> Self {
        let clock = Arc::new(ManualClock::starting_at(start_of_time()));
        let environment = Environment::replayable(clock.clone(), 7);
        Self::start_in(setup, clock, environment, slack_config()).await
    }

    /// Starts the application beside a Slack of its own, whose app is the server's.
    pub async fn start_with_slack() -> (Self, FakeSlack) {
        let clock = Arc::new(ManualClock::starting_at(start_of_time()));
        let environment = Environment::replayable(clock.clone(), 7);
        let slack = FakeSlack::start(environment.clone()).await;
        let app = slack.world().app();
        let config = amebo_app::slack::Config {
            api: slack.settings(),
            app: Some(amebo_app::slack::AppConfig {
                client_id: app.client_id,
                client_secret: app.client_secret.into(),
                signing_secrets: vec![app.signing_secret.into()],
            }),
        };
        let setup = Setup {
            models: vec![WordModel::named("words-1")],
            mail: None,
        };
        let app = Self::start_in(setup, clock, environment, config).await;
        (app, slack)
    }

    async fn start_in(
        setup: Setup,
        clock: Arc<ManualClock>,
        environment: Environment,
        slack: amebo_app::slack::Config,
    ) -> Self {
        let database = Database::create().await;
        let files = tempfile::tempdir().unwrap();
        let storage = Storage::open(
            &blob::Settings::default(),
            &files.path().join("files"),
            environment.clone(),
        )
        .unwrap();
        let web = amebo_outbound::Client::new(&web_config(), environment.clone()).unwrap();
        let models: Vec<_> = setup.models.into_iter().map(Arc::new).collect();
        let embedders = Embedders::new(
            models
                .iter()
                .map(|model| Arc::clone(model) as Arc<dyn Embedder>)
                .collect(),
        );
        let store = Store::connect(&database.store_config(), environment)
            .await
            .unwrap();
        let token_key = SecretBox::new(vec![7; 32].into_boxed_slice());
        let engine = Arc::new(Embedded::new(embedded::Settings::default()));
        let embedder = embedders.first().cloned();
        let library = Library::new(store.clone(), engine, embedders);
        let app = Arc::new(App::new(Parts {
            store: store.clone(),
            token_key,
            identity: amebo_app::identity::Config::default(),
            mailer: Mailer::new(setup.mail.as_ref()).unwrap(),
            library,
            storage,
            extractor: extractor(),
            web,
            answering: Answering::new(
                store.environment().clone(),
                AskSettings {
                    deadline_seconds: 3,
                    ..AskSettings::default()
                },
                embedder,
                None,
            ),
            sealer: Sealer::open(&store, MasterKeys::File(files.path().join("master.keys"))).unwrap(),
            slack,
        }));
        let router = amebo_http::router(app.clone(), amebo_http::Config::default());
        Self {
            app,
            clock,
            database,
            store,
            models,
            router,
            addresses: AtomicU32::new(0),
            files,
        }
    }

    /// Somebody who is not signed in, at a network address of their own.
    pub fn anonymous(&self) -> Client {
        let number = self.addresses.fetch_add(1, Ordering::Relaxed);
        let address = Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + number);
        Client::new(self.router.clone(), address.into())
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

    /// A new member of somebody's organisation, signed in. They have no password.
    pub async fn member(&self, of: &Person, role: Role) -> Person {
        let (user, email) = self.user(false).await;
        let mut tx = self.store.begin_system().await.unwrap();
        tx.organizations()
            .add_member(of.organization, user, role)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        Person {
            user,
            organization: of.organization,
            client: self.sign_in_with_link(user).await,
            email,
        }
    }

    /// An operator of the platform, signed in, who belongs to no organisation.
    pub async fn superadmin(&self) -> Client {
        let (user, _) = self.user(true).await;
        self.sign_in_with_link(user).await
    }

    /// A program with an API key that this person makes.
    pub async fn program(&self, person: &Person, scopes: &[&str]) -> Client {
        let body = json!({ "name": "program", "scopes": scopes });
        let reply = person.client.post(&person.path("/api-keys"), &body).await;
        self.anonymous()
            .with_bearer(reply.expect(201).json()["key"].as_str())
    }

    async fn user(&self, is_superadmin: bool) -> (UserId, String) {
        let mut tx = self.store.begin_system().await.unwrap();
        let email = format!(
            "{}@people.example",
            self.store.environment().token().to_lowercase()
        );
        let new = NewUser {
            email: email.clone(),
            name: "Pat Person".to_owned(),
            password_hash: None,
            is_superadmin,
        };
        let user = tx.users().insert(&new).await.unwrap();
        tx.commit().await.unwrap();
        (user, email)
    }

    async fn sign_in_with_link(&self, user: UserId) -> Client {
        let mut tx = self.store.begin_system().await.unwrap();
        let token = tx
            .account_links()
            .create(user, LinkPurpose::SignIn)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let client = self.anonymous();
        let reply = client.post("/api/v1/auth/link", &json!({ "token": token })).await;
        client.with_bearer(reply.expect(200).json()["access_token"].as_str())
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

/// What Slack signs its requests to the server's app with, in tests.
pub const SIGNING_SECRET: &str = "a signing secret for tests";

fn slack_config() -> amebo_app::slack::Config {
    amebo_app::slack::Config {
        app: Some(amebo_app::slack::AppConfig {
            client_id: "1.2".to_owned(),
            client_secret: "a client secret for tests".to_owned().into(),
            signing_secrets: vec![SIGNING_SECRET.to_owned().into()],
        }),
        ..amebo_app::slack::Config::default()
    }
}

/// Fakes of third parties listen on this machine.
fn web_config() -> amebo_outbound::Config {
    amebo_outbound::Config {
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        ..amebo_outbound::Config::default()
    }
}

impl Person {
    /// A path below the person's organisation.
    pub fn path(&self, rest: &str) -> String {
        format!("/api/v1/organizations/{}{rest}", self.organization)
    }
}
