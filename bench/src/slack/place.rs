//! A server with a Slack beside it, and what it knows.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use amebo_core::Environment;
use amebo_core::permission::{Action, Resource};
use amebo_store::managed::{Login, Postgres};
use amebo_store::sealing::{MasterKeys, Sealer};
use amebo_store::{Permit, Store, StoreConfig};
use amebo_testkit::slack::SignedRequest;
use amebo_testkit::{FakeSlack, NewWorkspace, connect_workspaces, first_owner};
use anyhow::{Context as _, Result};
use reqwest::{Client, StatusCode};
use serde_json::json;

use crate::Options;
use crate::questions;
use crate::server::{Installation, Server};

/// The Slack, the installation and its server.
pub struct Place {
    pub fake: Arc<FakeSlack>,
    pub installation: Installation,
    pub server: Arc<Server>,
    pub store: Store,
    pub sealer: Sealer,
    /// To connect workspaces to the organisation that the server begins with.
    pub permit: Permit,
}

impl Place {
    /// Starts both, and has the server take in so many documents of ten passages each.
    pub async fn start(options: &Options, configuration: &[(&str, &str)], documents: usize) -> Result<Self> {
        let fake = Arc::new(FakeSlack::start(Environment::system()).await);
        let app = fake.world().app();
        let host = fake.url().trim_start_matches("http://").to_owned();
        let installation = Installation::new(&options.amebo, &options.models)?
            .with(&[
                ("AMEBO__SLACK__API__API_BASE", &format!("{}/api/", fake.url())),
                ("AMEBO__OUTBOUND__ALLOW", &format!("[\"{host}\"]")),
                ("AMEBO__SLACK__APP__CLIENT_ID", &app.client_id),
                ("AMEBO__SLACK__APP__CLIENT_SECRET", &app.client_secret),
                (
                    "AMEBO__SLACK__APP__SIGNING_SECRETS",
                    &format!("[\"{}\"]", app.signing_secret),
                ),
            ])
            .with(configuration);
        let server = Arc::new(installation.start().await?);
        if documents > 0 {
            let base = server.knowledge_base("Bench").await?;
            questions::upload(&server, &base, 0..documents).await?;
            server.settled(&base, Duration::from_mins(20)).await?;
        }
        let (store, sealer) = open(&installation).await?;
        let permit = first_owner(&store)
            .await
            .permit(Resource::ChannelConnection, Action::Create)?;
        Ok(Self {
            fake,
            installation,
            server,
            store,
            sealer,
            permit,
        })
    }

    /// Adds a workspace to the Slack, in which nobody is yet, and connects it.
    pub async fn add_workspace(&self, team: &str) {
        let token = format!("xoxb-{team}");
        self.fake.world().add_installed_team(team, team, &token);
        let workspace = NewWorkspace {
            account: team.to_owned(),
            token,
            configuration: json!({ "people_are_colleagues": true }),
            app: None,
            by: None,
        };
        connect_workspaces(&self.store, &self.sealer, &self.permit, &[workspace]).await;
    }

    /// Ends everything.
    pub async fn stop(self) -> Result<()> {
        self.store.close().await;
        Arc::into_inner(self.server)
            .context("the server is still used")?
            .stop()
    }
}

/// The database of a running installation, and what seals its secrets.
pub async fn open(installation: &Installation) -> Result<(Store, Sealer)> {
    let data: &Path = installation.data();
    let postgres = Postgres::attach(&data.join("postgres")).await?;
    let config = StoreConfig {
        app: postgres.connection(Login::App),
        system: postgres.connection(Login::System),
        max_connections: 8,
    };
    let store = Store::connect(&config, Environment::system()).await?;
    let sealer = Sealer::open(&store, MasterKeys::File(data.join("master.keys")))?;
    Ok((store, sealer))
}

/// Sends a request to a server's door for events.
pub async fn send(client: &Client, url: &str, request: &SignedRequest) -> reqwest::Result<StatusCode> {
    let mut built = client.post(format!("{url}/channels/slack/events"));
    for (name, value) in &request.headers {
        built = built.header(*name, value);
    }
    Ok(built.body(request.body.clone()).send().await?.status())
}
