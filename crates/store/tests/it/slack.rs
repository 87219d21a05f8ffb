//! The mirror of Slack workspaces, and who may see what was said.

use amebo_core::document::{Audience, Reader};
use amebo_core::id::{Id as _, SlackChannelId, SourceId};
use amebo_core::permission::{Action, Resource, Role};
use amebo_core::slack::SlackChannelKind;
use amebo_store::slack::{NewSlackChannel, NewSlackUser, SlackMessage};
use amebo_store::{Access, NewKnowledgeBase, OrgTx};
use chrono::{DateTime, NaiveDate, Utc};

use crate::database::Database;

async fn workspace(tx: &mut OrgTx) -> SourceId {
    let base = tx
        .knowledge_bases()
        .insert(&NewKnowledgeBase {
            name: "Chat".to_owned(),
            description: String::new(),
            embedding_model: None,
            chunking: serde_json::json!({}),
        })
        .await
        .unwrap();
    tx.sources()
        .of_workspace(base, "T1", Some("https://acme.slack.com"))
        .await
        .unwrap()
}

fn user(external: &str, email: Option<&str>) -> NewSlackUser {
    NewSlackUser {
        external: external.to_owned(),
        name: external.to_lowercase(),
        email: email.map(str::to_owned),
        is_bot: false,
        is_deleted: false,
    }
}

async fn channel(tx: &mut OrgTx, source: SourceId, external: &str) -> SlackChannelId {
    let new = NewSlackChannel {
        external: external.to_owned(),
        kind: SlackChannelKind::Private,
        name: format!("#{}", external.to_lowercase()),
        is_archived: false,
        is_shared: false,
        is_open: false,
        members: None,
        began_at: None,
    };
    tx.slack().put_channels(source, &[new]).await.unwrap()[external]
}

fn said(seconds: i64, thread: Option<i64>, text: &str) -> SlackMessage {
    let at = |seconds| DateTime::<Utc>::from_timestamp(1_500_000_000 + seconds, 0).unwrap();
    SlackMessage {
        ts: at(seconds),
        thread: thread.map(at),
        author: "U1".to_owned(),
        content: text.to_owned(),
        files: None,
        edited: None,
    }
}

/// The channels that a person reads now.
async fn channels(database: &Database, access: &Access) -> Vec<SlackChannelId> {
    let user = access.user().unwrap();
    let access = database
        .store
        .access_of_user(user, access.organization())
        .await
        .unwrap()
        .unwrap();
    match access.reader() {
        Reader::Member { channels, .. } => channels.to_vec(),
        other => panic!("{other:?}"),
    }
}

async fn begin(database: &Database, access: &Access) -> OrgTx {
    let permit = access.permit(Resource::Document, Action::Update).unwrap();
    database.store.begin(&permit).await.unwrap()
}

async fn email_of(database: &Database, access: &Access) -> String {
    let mut tx = database.store.begin_system().await.unwrap();
    let user = tx.users().by_id(access.user().unwrap()).await.unwrap();
    user.unwrap().email
}

#[tokio::test]
async fn people_read_a_channel_from_the_commit_that_lets_them_in_to_the_one_that_takes_them_out() {
    let database = Database::new().await;
    let (organization, owner) = database.organization("Acme").await;
    let member = database.colleague(organization, Role::Member).await;
    let address = email_of(&database, &member).await;
    let mut tx = begin(&database, &owner).await;
    let source = workspace(&mut tx).await;
    let users = [
        user("U1", Some(&address)),
        user("U2", None),
        user("U3", Some("other@acme.example")),
    ];
    assert_eq!(tx.slack().put_users(source, &users).await.unwrap(), 3);
    assert_eq!(
        tx.slack().put_users(source, &users).await.unwrap(),
        0,
        "nothing changes twice"
    );
    let ops = channel(&mut tx, source, "C1").await;
    let people = ["U1", "U3", "U9"].map(str::to_owned);
    tx.slack().set_members(ops, &people).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(channels(&database, &member).await, [ops]);
    assert_eq!(
        channels(&database, &owner).await,
        [],
        "an owner who is not in the channel reads nothing of it"
    );

    let mut tx = begin(&database, &owner).await;
    tx.slack().link_user(source, "U3", owner.user()).await.unwrap();
    tx.slack().remove_member(ops, "U1").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(channels(&database, &member).await, []);
    assert_eq!(
        channels(&database, &owner).await,
        [ops],
        "who somebody said they are counts"
    );

    let mut tx = begin(&database, &owner).await;
    tx.slack().add_members(ops, &people).await.unwrap();
    let closed = NewSlackUser {
        is_deleted: true,
        ..user("U1", Some(&address))
    };
    tx.slack().put_users(source, &[closed]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        channels(&database, &member).await,
        [],
        "a closed account reads nothing"
    );
}

#[tokio::test]
async fn another_organization_with_the_same_address_reads_nothing() {
    let database = Database::new().await;
    let (_, ours) = database.organization("Ours").await;
    let (_, theirs) = database.organization("Theirs").await;
    let address = email_of(&database, &theirs).await;
    let mut tx = begin(&database, &ours).await;
    let source = workspace(&mut tx).await;
    tx.slack()
        .put_users(source, &[user("U1", Some(&address))])
        .await
        .unwrap();
    let ops = channel(&mut tx, source, "C1").await;
    tx.slack().set_members(ops, &["U1".to_owned()]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(channels(&database, &theirs).await, []);
}

#[tokio::test]
async fn messages_are_kept_once_edits_go_forward_and_a_reply_makes_a_thread() {
    let database = Database::new().await;
    let (_, owner) = database.organization("Acme").await;
    let july = NaiveDate::from_ymd_opt(2017, 7, 14).unwrap();
    database.store.prepare_slack_months(&[july, july]).await.unwrap();
    database.store.prepare_slack_months(&[july]).await.unwrap();
    let mut tx = begin(&database, &owner).await;
    let source = workspace(&mut tx).await;
    let ops = channel(&mut tx, source, "C1").await;
    let messages = [said(0, None, "one"), said(1, None, "two")];
    assert_eq!(tx.slack().put_messages(ops, &messages).await.unwrap(), 2);
    assert_eq!(tx.slack().put_messages(ops, &messages).await.unwrap(), 0);
    tx.slack()
        .place(ops, &[(messages[0].ts, None), (messages[1].ts, None)])
        .await
        .unwrap();
    assert_eq!(tx.slack().pending(source).await.unwrap(), 0);

    let edit = |seconds, text| SlackMessage {
        edited: Some(messages[1].ts + chrono::TimeDelta::seconds(seconds)),
        ..said(1, None, text)
    };
    assert_eq!(
        tx.slack().put_messages(ops, &[edit(20, "newest")]).await.unwrap(),
        1
    );
    assert_eq!(
        tx.slack().put_messages(ops, &[edit(10, "older")]).await.unwrap(),
        0
    );
    assert_eq!(
        tx.slack()
            .put_messages(ops, &[said(1, None, "two")])
            .await
            .unwrap(),
        0
    );
    tx.slack()
        .put_messages(ops, &[said(60, Some(0), "a reply")])
        .await
        .unwrap();
    let threads = tx.slack().pending_threads(ops, 100).await.unwrap();
    let texts: Vec<_> = threads
        .iter()
        .map(|placed| placed.message.content.as_str())
        .collect();
    assert_eq!(texts, ["one", "a reply"]);
    let (before, outside) = tx
        .slack()
        .pending_outside_threads(ops, 100, chrono::TimeDelta::hours(24))
        .await
        .unwrap();
    assert!(before.is_empty());
    assert_eq!(outside.len(), 1);
    assert_eq!(outside[0].message.content, "newest");
    let partition: Option<String> = {
        tx.commit().await.unwrap();
        sqlx::query_scalar("select tableoid::regclass::text from slack_messages limit 1")
            .fetch_optional(&mut database.raw().await)
            .await
            .unwrap()
    };
    assert_eq!(partition.as_deref(), Some("slack_messages_2017_07"));
}

#[test]
fn an_audience_of_a_channel_is_stored_with_its_kind() {
    let channel = SlackChannelId::from_uuid(sqlx::types::Uuid::nil());
    let stored = serde_json::to_value(Audience::SlackChannel { channel }).unwrap();
    assert_eq!(stored["kind"], "slack_channel");
    assert_eq!(stored["channel"], channel.to_string());
}
