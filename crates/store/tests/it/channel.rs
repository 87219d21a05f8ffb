//! Channels: accounts belong to one organisation, webhooks are accepted once, conversations go on, everything has one outcome.

use amebo_core::channel::{ChannelKind, ConnectionStatus, DeliveryStatus, Sender, Standing};
use amebo_core::conversation::{ConversationStatus, REOPEN_WINDOW};
use amebo_core::id::{ChannelConnectionId, InboundEventId};
use amebo_core::job::Priority;
use amebo_core::permission::{Action, Resource};
use amebo_store::channel_connection::Connected;
use amebo_store::channel_identity::{Profile, Who};
use amebo_store::conversation::{Conversation, Said};
use amebo_store::delivery::NewDelivery;
use amebo_store::inbound_event::{Receipt, SignedWith, Webhook};
use amebo_store::message::NewMessage;
use amebo_store::sealing::{CONNECTION_APP, CONNECTION_CREDENTIALS, INBOUND_BODY, MasterKeys, Sealer};
use amebo_store::{Access, Error, OrgTx, Permit};
use chrono::TimeDelta;
use serde_json::json;

use crate::database::Database;

fn permit(access: &Access) -> Permit {
    access
        .permit(Resource::ChannelConnection, Action::Create)
        .unwrap()
}

struct World {
    database: Database,
    sealer: Sealer,
    _directory: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let database = Database::new().await;
        let directory = tempfile::tempdir().unwrap();
        let keys = MasterKeys::File(directory.path().join("master.keys"));
        let sealer = Sealer::open(&database.store, keys).unwrap();
        Self {
            database,
            sealer,
            _directory: directory,
        }
    }

    async fn begin(&self, access: &Access) -> OrgTx {
        self.database.store.begin(&permit(access)).await.unwrap()
    }

    /// A connected account, with an app of its own or without.
    async fn connect(
        &self,
        access: &Access,
        account: &str,
        own_app: bool,
    ) -> Result<ChannelConnectionId, Error> {
        let id: ChannelConnectionId = self.database.environment().id();
        let mut tx = self.begin(access).await;
        let app = if own_app {
            let mut secrets = tx.secrets(&self.sealer);
            Some(secrets.seal(CONNECTION_APP.row(id), b"app").await.unwrap())
        } else {
            None
        };
        tx.channel_connections()
            .insert(id, ChannelKind::Slack, account, app, &json!({}))
            .await?;
        let credentials = tx
            .secrets(&self.sealer)
            .seal(CONNECTION_CREDENTIALS.row(id), b"token")
            .await
            .unwrap();
        let connected = Connected {
            account: account.to_owned(),
            app_id: None,
            display_name: account.to_owned(),
            credentials,
            scopes: vec!["chat:write".to_owned()],
            token_expires_at: None,
            facts: json!({}),
            by: access.user(),
        };
        tx.channel_connections().connect(id, &connected).await?;
        tx.commit().await?;
        Ok(id)
    }

    async fn accept(&self, webhooks: &[Webhook]) -> Vec<Receipt> {
        self.database.store.accept(&self.sealer, webhooks).await.unwrap()
    }

    async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query)
            .fetch_one(&mut self.database.raw().await)
            .await
            .unwrap()
    }

    async fn conversation(&self, access: &Access, connection: ChannelConnectionId) -> Conversation {
        let mut tx = self.begin(access).await;
        let said = Said {
            channel: ChannelKind::Slack,
            connection,
            external_key: "C1:1.0",
            address: &json!({}),
            identity: None,
            who: None,
            at: self.database.environment().now(),
        };
        let conversation = tx.conversations().continued(&said).await.unwrap();
        tx.commit().await.unwrap();
        conversation
    }
}

fn webhook(account: &str, external_id: &str) -> Webhook {
    Webhook {
        provider: ChannelKind::Slack,
        signed_with: SignedWith::ServersApp,
        accounts: vec![account.to_owned()],
        external_id: external_id.to_owned(),
        kind: "message".to_owned(),
        body: b"{\"secret\":\"plain words\"}".to_vec(),
        lane: Some("C1:1.0".to_owned()),
        priority: Priority::Interactive,
        deadline: None,
    }
}

#[tokio::test]
async fn an_account_in_use_belongs_to_one_organization() {
    let world = World::new().await;
    let (_, ours) = world.database.organization("Ours").await;
    let (_, theirs) = world.database.organization("Theirs").await;
    let id = world.connect(&ours, "T1", false).await.unwrap();
    let refused = world.connect(&theirs, "T1", false).await.unwrap_err();
    assert!(refused.is_conflict_on("channel_connections_account"));
    let mut tx = world.begin(&ours).await;
    assert!(tx.channel_connections().disconnect(id, "ended").await.unwrap());
    let sealed = tx.channel_connections().sealed(id).await.unwrap().unwrap();
    assert_eq!(
        (sealed.status, sealed.credentials),
        (ConnectionStatus::Disconnected, None)
    );
    tx.commit().await.unwrap();
    world.connect(&theirs, "T1", false).await.unwrap();
}

#[tokio::test]
async fn a_webhook_is_stored_sealed_with_one_job_however_often_it_comes() {
    let world = World::new().await;
    let (_, access) = world.database.organization("Acme").await;
    let connection = world.connect(&access, "T1", false).await.unwrap();
    let group = [
        webhook("T1", "E1"),
        webhook("T1", "E1"),
        webhook("T1", "E2"),
        webhook("T9", "E1"),
    ];
    let receipts = world.accept(&group).await;
    assert_eq!(
        receipts
            .iter()
            .filter(|receipt| **receipt == Receipt::Accepted)
            .count(),
        2
    );
    assert_eq!(
        receipts
            .iter()
            .filter(|receipt| **receipt == Receipt::Repeated)
            .count(),
        1
    );
    assert_eq!(receipts[3], Receipt::UnknownAccount);
    assert_eq!(world.accept(&group[..1]).await, [Receipt::Repeated]);
    assert_eq!(
        world
            .count("select count(*) from jobs where kind = 'channel.receive'")
            .await,
        2
    );
    assert_eq!(
        world
            .count(
                "select count(*) from inbound_events where position('plain words'::bytea in sealed_body) > 0"
            )
            .await,
        0
    );
    let ids: Vec<sqlx::types::Uuid> = sqlx::query_scalar("select id from inbound_events order by id")
        .fetch_all(&mut world.database.raw().await)
        .await
        .unwrap();
    let mut tx = world.begin(&access).await;
    let id = <InboundEventId as amebo_core::id::Id>::from_uuid(ids[0]);
    let event = tx.inbound_events().by_id(id).await.unwrap().unwrap();
    assert_eq!(event.connection, connection);
    let plain = tx
        .secrets(&world.sealer)
        .open(INBOUND_BODY.row(id), &event.body, "test")
        .await
        .unwrap();
    assert_eq!(plain.as_slice(), group[0].body);
}

#[tokio::test]
async fn repetitions_that_come_at_the_same_time_make_one_job() {
    let world = World::new().await;
    let (_, access) = world.database.organization("Acme").await;
    world.connect(&access, "T1", false).await.unwrap();
    let group: Vec<Webhook> = (0..20)
        .map(|number| webhook("T1", &format!("E{number}")))
        .collect();
    let reversed: Vec<Webhook> = group.iter().rev().cloned().collect();
    let (one, two, three, four) = tokio::join!(
        world.accept(&group),
        world.accept(&reversed),
        world.accept(&group),
        world.accept(&reversed)
    );
    let accepted = [one, two, three, four].concat();
    assert_eq!(
        accepted
            .iter()
            .filter(|receipt| **receipt == Receipt::Accepted)
            .count(),
        20
    );
    assert_eq!(world.count("select count(*) from jobs").await, 20);
}

#[tokio::test]
async fn what_an_own_app_signed_reaches_its_own_connection_only_and_the_servers_app_no_such_connection() {
    let world = World::new().await;
    let (_, ours) = world.database.organization("Ours").await;
    let (_, theirs) = world.database.organization("Theirs").await;
    let own = world.connect(&ours, "T1", true).await.unwrap();
    world.connect(&theirs, "T2", false).await.unwrap();
    let claimed = world
        .database
        .store
        .claimed_connection(ChannelKind::Slack, own)
        .await
        .unwrap()
        .unwrap();
    let signed = |account: &str| Webhook {
        signed_with: SignedWith::OwnApp(claimed.clone()),
        ..webhook(account, "E1")
    };
    assert_eq!(
        world
            .accept(&[signed("T2"), webhook("T1", "E1"), signed("T1")])
            .await,
        [
            Receipt::UnknownAccount,
            Receipt::UnknownAccount,
            Receipt::Accepted
        ]
    );
}

#[tokio::test]
async fn nothing_is_accepted_from_a_disconnected_account_and_refusals_are_counted() {
    let world = World::new().await;
    let (_, access) = world.database.organization("Acme").await;
    let id = world.connect(&access, "T1", false).await.unwrap();
    let mut tx = world.begin(&access).await;
    tx.channel_connections()
        .disconnect(id, "uninstalled")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        world.accept(&[webhook("T1", "E1")]).await,
        [Receipt::Disconnected(id)]
    );
    assert_eq!(world.count("select count(*) from inbound_events").await, 0);
    world
        .database
        .store
        .note_refusals(id, 3, "disconnected")
        .await
        .unwrap();
    let mut tx = world.begin(&access).await;
    let health = tx.channel_connections().by_id(id).await.unwrap().unwrap().health;
    assert_eq!(
        (health.refused, health.last_refusal.as_deref()),
        (3, Some("disconnected"))
    );
}

#[tokio::test]
async fn a_webhook_past_its_deadline_without_a_job_gets_another_one() {
    let world = World::new().await;
    let (_, access) = world.database.organization("Acme").await;
    world.connect(&access, "T1", false).await.unwrap();
    let waited_for = Webhook {
        deadline: Some(world.database.environment().now() + TimeDelta::seconds(60)),
        ..webhook("T1", "E1")
    };
    world.accept(&[waited_for]).await;
    let lost = || async {
        sqlx::query("update jobs set state = 'dead'")
            .execute(&mut world.database.raw().await)
            .await
            .unwrap();
    };
    lost().await;
    amebo_store::maintenance::run_due(&world.database.store)
        .await
        .unwrap();
    assert_eq!(
        world
            .count("select count(*) from jobs where state = 'queued'")
            .await,
        0
    );
    world.database.advance(TimeDelta::seconds(61));
    amebo_store::maintenance::run_due(&world.database.store)
        .await
        .unwrap();
    world.database.advance(TimeDelta::seconds(61));
    amebo_store::maintenance::run_due(&world.database.store)
        .await
        .unwrap();
    assert_eq!(
        world
            .count("select count(*) from jobs where state = 'queued'")
            .await,
        1
    );
}

#[tokio::test]
async fn when_an_account_was_last_heard_of_outlives_its_events() {
    let world = World::new().await;
    let (_, access) = world.database.organization("Acme").await;
    let connection = world.connect(&access, "T1", false).await.unwrap();
    let heard = async || {
        let mut tx = world.begin(&access).await;
        let connection = tx.channel_connections().by_id(connection).await.unwrap();
        connection.unwrap().health.last_event_at
    };
    assert_eq!(heard().await, None);
    world.accept(&[webhook("T1", "E1")]).await;
    world.database.advance(TimeDelta::minutes(1));
    let last = world.database.environment().now();
    world.accept(&[webhook("T1", "E2")]).await;
    assert_eq!(heard().await, Some(last));
    sqlx::query("update inbound_events set state = 'processed'")
        .execute(&mut world.database.raw().await)
        .await
        .unwrap();
    world.database.advance(TimeDelta::days(8));
    amebo_store::maintenance::run_due(&world.database.store)
        .await
        .unwrap();
    assert_eq!(world.count("select count(*) from inbound_events").await, 0);
    assert_eq!(heard().await, Some(last));
}

#[tokio::test]
async fn an_event_has_one_outcome_and_a_delivery_that_was_interrupted_says_so() {
    let world = World::new().await;
    let (_, access) = world.database.organization("Acme").await;
    let connection = world.connect(&access, "T1", false).await.unwrap();
    let event: InboundEventId = world.database.environment().id();
    let mut tx = world.begin(&access).await;
    let new = NewDelivery {
        connection,
        conversation: None,
        message: None,
        outcome_of: Some(event),
        payload: &json!([]),
    };
    let id = tx.deliveries().push(&new, "lane").await.unwrap().unwrap();
    assert!(tx.deliveries().push(&new, "lane").await.unwrap().is_none());
    assert!(tx.deliveries().has_outcome(event).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(
        world
            .count("select count(*) from jobs where kind = 'channel.deliver'")
            .await,
        1
    );
    let mut tx = world.begin(&access).await;
    assert!(!tx.deliveries().begin(id).await.unwrap().unwrap().is_uncertain);
    assert!(tx.deliveries().begin(id).await.unwrap().unwrap().is_uncertain);
    tx.deliveries().postponed(id, "busy", false, None).await.unwrap();
    assert!(!tx.deliveries().begin(id).await.unwrap().unwrap().is_uncertain);
    tx.deliveries()
        .parts_taken(id, 1, Some("1.5"), true)
        .await
        .unwrap();
    assert!(tx.deliveries().begin(id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_completed_conversation_is_taken_up_again_within_the_window_and_begun_anew_after_it() {
    let world = World::new().await;
    let (_, access) = world.database.organization("Acme").await;
    let connection = world.connect(&access, "T1", false).await.unwrap();
    let first = world.conversation(&access, connection).await;
    assert_eq!(first.status, ConversationStatus::New);
    let mut tx = world.begin(&access).await;
    tx.conversations().answered(first.id).await.unwrap();
    assert!(
        tx.conversations()
            .set_status(first.id, ConversationStatus::Completed)
            .await
            .unwrap()
    );
    assert!(
        !tx.conversations()
            .set_status(first.id, ConversationStatus::Escalated)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    let again = world.conversation(&access, connection).await;
    assert_eq!((again.id, again.status), (first.id, ConversationStatus::Active));
    let mut tx = world.begin(&access).await;
    tx.conversations()
        .set_status(first.id, ConversationStatus::Completed)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    world.database.advance(REOPEN_WINDOW + TimeDelta::seconds(1));
    let other = world.conversation(&access, connection).await;
    assert_ne!(other.id, first.id);
}

#[tokio::test]
async fn a_message_is_stored_once_and_its_delivery_status_never_goes_back() {
    let world = World::new().await;
    let (_, access) = world.database.organization("Acme").await;
    let connection = world.connect(&access, "T1", false).await.unwrap();
    let conversation = world.conversation(&access, connection).await;
    let now = world.database.environment().now();
    let said = NewMessage {
        conversation: conversation.id,
        connection,
        sender: Sender::User,
        identity: None,
        content: "When is tea?",
        external_id: Some("C1:1.0"),
        question: None,
        event: None,
        sent_at: now,
    };
    let mut tx = world.begin(&access).await;
    assert!(tx.messages().insert(&said).await.unwrap().is_some());
    assert!(tx.messages().insert(&said).await.unwrap().is_none());
    let answer = NewMessage {
        sender: Sender::Assistant,
        content: "At four.",
        external_id: None,
        sent_at: now + TimeDelta::seconds(1),
        ..said.clone()
    };
    let id = tx.messages().insert(&answer).await.unwrap().unwrap();
    for (news, expected) in [
        (DeliveryStatus::Sent, DeliveryStatus::Sent),
        (DeliveryStatus::Read, DeliveryStatus::Read),
        (DeliveryStatus::Failed, DeliveryStatus::Read),
        (DeliveryStatus::Sent, DeliveryStatus::Read),
    ] {
        tx.messages()
            .advance(id, answer.sent_at, news, Some("C1:1.1"), None)
            .await
            .unwrap();
        let stored = tx
            .messages()
            .by_external_id(connection, "C1:1.1")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stored.delivery_status, Some(expected));
    }
    let earlier = tx
        .messages()
        .before(conversation.id, answer.sent_at, 5)
        .await
        .unwrap();
    assert_eq!(earlier.len(), 1);
}

#[tokio::test]
async fn a_verified_address_makes_a_member_and_anything_else_a_contact() {
    let world = World::new().await;
    let (organization, access) = world.database.organization("Acme").await;
    let connection = world.connect(&access, "T1", false).await.unwrap();
    let email: String = sqlx::query_scalar(
        "select email from users u join organization_members m on m.user_id = u.id where m.organization_id = $1",
    )
    .bind(amebo_core::id::Id::uuid(organization))
    .fetch_one(&mut world.database.raw().await)
    .await
    .unwrap();
    let profile = |external_id, email_is_verified, standing| Profile {
        external_id,
        display_name: Some("Olu"),
        email: Some(&email),
        email_is_verified,
        standing,
        is_told: true,
    };
    let mut tx = world.begin(&access).await;
    let mut people = tx.channel_identities(connection);
    let member = people
        .keep(&profile("U1", true, Standing::Colleague))
        .await
        .unwrap();
    assert_eq!(member.who, Who::Member(access.user().unwrap()));
    let unverified = people
        .keep(&profile("U2", false, Standing::Colleague))
        .await
        .unwrap();
    assert!(matches!(unverified.who, Who::Contact(_)));
    let stranger = people
        .keep(&profile("U3", true, Standing::Stranger))
        .await
        .unwrap();
    assert!(matches!(stranger.who, Who::Contact(_)));
    assert_eq!(
        people
            .keep(&profile("U2", false, Standing::Colleague))
            .await
            .unwrap()
            .who,
        unverified.who
    );
    assert!(people.link("U2", access.user().unwrap()).await.unwrap());
    let linked = people
        .keep(&profile("U2", false, Standing::Colleague))
        .await
        .unwrap();
    assert_eq!(linked.who, member.who);
    assert_eq!(
        people
            .of(&["U1".to_owned(), "U9".to_owned()])
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        people
            .active_members(&[access.user().unwrap()])
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn one_process_at_a_time_renews_tokens() {
    let world = World::new().await;
    let (_, access) = world.database.organization("Acme").await;
    let id = world.connect(&access, "T1", false).await.unwrap();
    let mut tx = world.begin(&access).await;
    assert!(tx.channel_connections().claim_renewal(id, None).await.unwrap());
    assert!(!tx.channel_connections().claim_renewal(id, None).await.unwrap());
    let until = world.database.environment().now() + TimeDelta::hours(12);
    tx.channel_connections()
        .renewed(id, Some((b"new".to_vec(), Some(until))))
        .await
        .unwrap();
    assert!(!tx.channel_connections().claim_renewal(id, None).await.unwrap());
    assert!(
        tx.channel_connections()
            .claim_renewal(id, Some(until))
            .await
            .unwrap()
    );
    tx.channel_connections().renewed(id, None).await.unwrap();
    let sealed = tx.channel_connections().sealed(id).await.unwrap().unwrap();
    assert_eq!(
        (sealed.credentials, sealed.token_expires_at),
        (Some(b"new".to_vec()), Some(until))
    );
}

#[tokio::test]
async fn an_installation_is_finished_once_and_in_time() {
    let world = World::new().await;
    let (organization, access) = world.database.organization("Acme").await;
    let user = access.user().unwrap();
    let begin = || async {
        let mut tx = world.begin(&access).await;
        let state = tx
            .channel_installations()
            .begin(ChannelKind::Slack, user, None, &json!({ "a": 1 }))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        state
    };
    let (used, late) = (begin().await, begin().await);
    let store = &world.database.store;
    let taken = store
        .take_installation(ChannelKind::Slack, &used)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((taken.organization, taken.user), (organization, user));
    assert!(
        store
            .take_installation(ChannelKind::Slack, &used)
            .await
            .unwrap()
            .is_none()
    );
    world.database.advance(TimeDelta::minutes(10));
    assert!(
        store
            .take_installation(ChannelKind::Slack, &late)
            .await
            .unwrap()
            .is_none()
    );
}
