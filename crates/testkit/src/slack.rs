//! A Slack that runs in the test: its Web API, OAuth, signed events, commands, buttons, files and Socket Mode, with the shapes, pages,
//! limits and errors of the real one, and faults on demand.
//!
//! It is held to the real one by the official SDKs, which are run against it (crates/channels/tests). Its time comes from the
//! environment it is started with, so that tokens run out and rates refill when the test says so.

mod arguments;
mod caller;
mod delivery;
mod fault;
mod hooks;
mod methods;
mod oauth;
mod server;
mod sockets;
pub mod storm;
mod validation;
mod world;

use std::net::SocketAddr;
use std::sync::Arc;

use amebo_channels::slack::api::{Api, Settings};
use amebo_core::Environment;
use amebo_outbound::Config;
use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use url::Url;

pub use delivery::{SignedRequest, shuffled_with_duplicates};
pub use fault::Fault;
pub use oauth::InstallAs;
pub use world::{FakeApp, Ids, World};

/// The fake.
#[derive(Debug)]
pub struct FakeSlack {
    shared: Arc<Shared>,
    address: SocketAddr,
    _server: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    faults: Mutex<fault::Faults>,
    sockets: sockets::Sockets,
    called: Notify,
    environment: Environment,
    base: String,
}

/// A call that arrived.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method.
    pub method: String,
    /// The workspace, or organisation of workspaces, whose token it came with.
    pub account: Option<String>,
    /// Its arguments.
    pub arguments: Value,
    /// The error it was answered with.
    pub error: Option<String>,
}

impl FakeSlack {
    /// Starts with one app and the workspace `T0TEAM001` of organisation `Acme`, in which the app is installed, with the people
    /// `U0ADMIN01` and `U0USER001` and the public channel `C0GENERAL`.
    pub async fn start(environment: Environment) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            world: Mutex::new(World::new(environment.clone())),
            faults: Mutex::default(),
            sockets: sockets::Sockets::default(),
            called: Notify::new(),
            environment,
            base: format!("http://{address}"),
        });
        let router = server::router(Arc::clone(&shared));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            shared,
            address,
            _server: server,
        }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.shared.base
    }

    /// What makes our client talk to it.
    pub fn settings(&self) -> Settings {
        let url = |path: &str| Url::parse(&format!("{}{path}", self.shared.base)).unwrap();
        Settings {
            api_base: url("/api/"),
            authorize_url: url("/oauth/v2/authorize"),
            timeout_seconds: 2,
            ..Settings::default()
        }
    }

    /// What makes the outgoing client reach it although it is no public address.
    pub fn outbound(&self) -> Config {
        Config {
            allow: vec![self.address.to_string().parse().unwrap()],
            ..Config::default()
        }
    }

    /// Our client for it.
    pub fn api(&self) -> Api {
        let client = amebo_outbound::Client::new(&self.outbound(), self.shared.environment.clone()).unwrap();
        Api::new(client, self.settings(), self.shared.environment.clone())
    }

    /// Everything that is so in it. Not to be held across an await.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world.lock()
    }

    /// Waits until something is so, which is looked at after every call.
    pub async fn until<T>(&self, mut seen: impl FnMut(&World) -> Option<T>) -> T {
        loop {
            let called = self.shared.called.notified();
            tokio::pin!(called);
            // From here on no call is missed.
            called.as_mut().enable();
            if let Some(found) = seen(&self.world()) {
                return found;
            }
            called.await;
        }
    }

    /// Makes the next call of `method` go wrong; further ones wait in line.
    pub fn fail(&self, method: &str, fault: Fault) -> &Self {
        self.shared.faults.lock().next(method, fault);
        self
    }

    /// Makes every call with this account's tokens go wrong until [`Self::heal`].
    pub fn fail_account(&self, account: &str, fault: Fault) -> &Self {
        self.shared.faults.lock().account(account, fault);
        self
    }

    /// Makes this share of all calls go wrong, in ways that follow from the environment's randomness.
    pub fn fail_often(&self, share: f64) -> &Self {
        self.shared.faults.lock().often(share);
        self
    }

    /// Ends all faults.
    pub fn heal(&self) -> &Self {
        self.shared.faults.lock().clear();
        self
    }

    /// The calls of `method` so far.
    pub fn calls(&self, method: &str) -> Vec<Call> {
        let world = self.world();
        world
            .calls
            .iter()
            .filter(|call| call.method == method)
            .cloned()
            .collect()
    }

    /// Sends an event, command or interaction to whichever socket of the app is open; `false` where none is.
    pub fn send_over_socket(&self, kind: &str, payload: &Value) -> bool {
        self.shared.sockets.send(kind, payload)
    }

    /// Tells the oldest socket that it is about to end (`warning`, `refresh_requested` or `link_disabled`), and closes it where
    /// it does not only warn.
    pub fn disconnect_socket(&self, reason: &str) {
        self.shared.sockets.disconnect(reason);
    }

    /// How many sockets are open.
    pub fn open_sockets(&self) -> usize {
        self.shared.sockets.open()
    }

    /// The envelopes that were acknowledged, by id.
    pub fn acknowledged(&self) -> Vec<String> {
        self.shared.sockets.acknowledged()
    }

    /// Waits until a socket is open.
    pub async fn wait_for_socket(&self) {
        self.shared.sockets.wait_for_one().await;
    }

    /// Waits until so many envelopes were acknowledged.
    pub async fn wait_for_acknowledgements(&self, count: usize) {
        self.shared.sockets.wait_for(count).await;
    }
}
