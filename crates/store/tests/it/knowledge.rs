//! Knowledge bases, documents, passages, and the feed that index caches follow.

use amebo_core::document::{Audience, DocumentStatus, KnowledgeBaseStatus, Reader, SourceKind};
use amebo_core::failure::{Failure, FailureCode};
use amebo_core::id::{DocumentId, KnowledgeBaseId, UserId};
use amebo_core::page::PageRequest;
use amebo_core::permission::{Action, Resource, Role};
use amebo_store::blob::{Settings, Storage};
use amebo_store::{
    Access, Changes, DocumentFilter, GONE_FOR, NewChunk, NewDocument, NewKnowledgeBase, NewText, OrgTx,
    Original, Permit, maintenance,
};
use bytes::Bytes;
use chrono::TimeDelta;
use serde_json::{Map, json};

use crate::database::Database;

fn permit(access: &Access) -> Permit {
    access.permit(Resource::Document, Action::Create).unwrap()
}

async fn knowledge_base(tx: &mut OrgTx, name: &str, model: Option<&str>) -> KnowledgeBaseId {
    tx.knowledge_bases()
        .insert(&NewKnowledgeBase {
            name: name.to_owned(),
            description: String::new(),
            embedding_model: model.map(str::to_owned),
            chunking: json!({}),
        })
        .await
        .unwrap()
}

/// Three bytes in storage.
pub(crate) async fn original(database: &Database, tx: &mut OrgTx, byte: u8) -> Original {
    let directory = tempfile::tempdir().unwrap();
    let storage = Storage::open(
        &Settings::default(),
        directory.path(),
        database.environment().clone(),
    )
    .unwrap();
    let bytes = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![byte; 3]))]);
    let stored = storage.put(tx.organization(), bytes, 3).await.unwrap();
    Original {
        name: "notes.txt".to_owned(),
        size_bytes: stored.size_bytes,
        content_hash: stored.sha256,
        blob: Some(tx.blobs().insert(&stored, "text/plain").await.unwrap()),
    }
}

async fn document(
    database: &Database,
    tx: &mut OrgTx,
    base: KnowledgeBaseId,
    hash: u8,
    audience: Audience,
) -> DocumentId {
    let source = tx
        .sources()
        .of_single_documents(base, SourceKind::Upload)
        .await
        .unwrap();
    let original = original(database, tx, hash).await;
    tx.documents()
        .insert(&NewDocument {
            knowledge_base: base,
            source,
            title: format!("Notes {hash}"),
            original,
            source_url: None,
            metadata: Map::new(),
            audience,
        })
        .await
        .unwrap()
}

fn text(content: &str) -> NewText {
    NewText {
        content: content.to_owned(),
        blocks: json!([]),
        warnings: Vec::new(),
    }
}

fn chunk(content: &str, embedding: &[u8]) -> NewChunk {
    NewChunk {
        content: content.to_owned(),
        range: 0..content.len(),
        page: Some(1),
        heading_path: vec!["Top".to_owned()],
        embedding: embedding.to_vec(),
        terms: vec![1],
    }
}

async fn publish(tx: &mut OrgTx, id: DocumentId, version: i32, content: &str, model: Option<&str>) -> bool {
    let embedding: &[u8] = if model.is_some() { &[1, 2] } else { &[] };
    tx.chunks()
        .publish(id, version, &text(content), model, &[chunk(content, embedding)])
        .await
        .unwrap()
}

fn first<K: serde::Serialize + serde::de::DeserializeOwned>() -> PageRequest<K> {
    PageRequest::new(None, None).unwrap()
}

#[tokio::test]
async fn a_document_becomes_findable_with_all_its_passages_in_the_commit_that_raises_the_revision() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    let base = knowledge_base(&mut tx, "Handbook", Some("m")).await;
    let id = document(&database, &mut tx, base, 1, Audience::Organization).await;
    tx.commit().await.unwrap();

    let mut writing = database.store.begin(&permit(&access)).await.unwrap();
    assert!(publish(&mut writing, id, 1, "Tea is at four.", Some("m")).await);
    let mut reading = database.store.begin(&permit(&access)).await.unwrap();
    assert_eq!(reading.index_feed().revision().await.unwrap(), 0);
    writing.commit().await.unwrap();
    assert_eq!(reading.index_feed().revision().await.unwrap(), 1);
    let changes = reading.index_feed().changes(None).await.unwrap();
    assert_eq!(
        (changes.to, changes.changed.as_slice(), changes.gone.len()),
        (1, &[id][..], 0)
    );
    let loaded = reading.index_feed().load(&changes.changed).await.unwrap();
    assert_eq!(loaded[0].passages.len(), 1);
    assert_eq!(loaded[0].passages[0].embedding, [1, 2]);
    let readers = [access.reader().clone()];
    let found = reading
        .chunks()
        .read(&[loaded[0].passages[0].id], &readers)
        .await
        .unwrap();
    assert_eq!(found[0].content, "Tea is at four.");
    assert_eq!(found[0].heading_path, ["Top"]);
    let stored = reading.documents().get(id).await.unwrap().unwrap();
    assert_eq!((stored.status, stored.chunk_count), (DocumentStatus::Indexed, 1));
}

#[tokio::test]
async fn work_for_an_older_version_or_another_model_is_thrown_away() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    let base = knowledge_base(&mut tx, "Handbook", Some("m")).await;
    let id = document(&database, &mut tx, base, 1, Audience::Organization).await;
    assert!(publish(&mut tx, id, 1, "Old.", Some("m")).await);
    let other = original(&database, &mut tx, 2).await;
    let version = tx.documents().renew(id, Some(&other)).await.unwrap();
    assert_eq!(version, 2);
    assert!(!publish(&mut tx, id, 1, "Late.", Some("m")).await);
    assert!(!publish(&mut tx, id, 2, "Other model.", Some("other")).await);
    let failure = Failure::from(FailureCode::Failed);
    assert!(!tx.documents().fail(id, 1, "late", &failure).await.unwrap());
    assert!(
        !tx.documents()
            .advance(id, 1, DocumentStatus::Chunking)
            .await
            .unwrap()
    );
    let page = tx.chunks().of_document(id, first()).await.unwrap();
    assert_eq!(page.items[0].content, "Old.", "what was findable stays so");
    assert!(publish(&mut tx, id, 2, "New.", Some("m")).await);
    let page = tx.chunks().of_document(id, first()).await.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].content, "New.");
}

#[tokio::test]
async fn a_deleted_document_is_gone_from_the_feed_and_from_what_an_index_found() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    let base = knowledge_base(&mut tx, "Handbook", None).await;
    let id = document(&database, &mut tx, base, 1, Audience::Organization).await;
    assert!(publish(&mut tx, id, 1, "Tea.", None).await);
    let passage = tx.index_feed().load(&[id]).await.unwrap()[0].passages[0].id;
    assert!(tx.documents().delete(id).await.unwrap());
    let changes = tx.index_feed().changes(Some(1)).await.unwrap();
    assert_eq!((changes.to, changes.gone.as_slice()), (2, &[id][..]));
    assert!(
        tx.chunks()
            .read(&[passage], &[Reader::Machine])
            .await
            .unwrap()
            .is_empty()
    );
    assert!(!tx.documents().delete(id).await.unwrap());
}

#[tokio::test]
async fn a_cache_that_stood_still_while_deletions_were_forgotten_loads_everything() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    let base = knowledge_base(&mut tx, "Handbook", None).await;
    let mut ids = Vec::new();
    for number in 1..=3 {
        let id = document(&database, &mut tx, base, number, Audience::Organization).await;
        assert!(publish(&mut tx, id, 1, "Tea.", None).await);
        ids.push(id);
    }
    assert!(tx.documents().delete(ids[0]).await.unwrap());
    tx.commit().await.unwrap();
    database.advance(GONE_FOR - TimeDelta::hours(2));
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    assert!(tx.documents().delete(ids[1]).await.unwrap());
    tx.commit().await.unwrap();
    let changes = async |after| {
        let mut tx = database.store.begin(&permit(&access)).await.unwrap();
        tx.index_feed().changes(after).await.unwrap()
    };
    maintenance::run_due(&database.store).await.unwrap();
    assert_eq!(
        changes(Some(3)).await.gone.len(),
        2,
        "nothing is forgotten too early"
    );
    database.advance(TimeDelta::hours(3));
    maintenance::run_due(&database.store).await.unwrap();
    let everything = Changes {
        from: None,
        to: 5,
        changed: vec![ids[2]],
        gone: Vec::new(),
    };
    assert_eq!(
        changes(Some(3)).await,
        everything,
        "the first deletion is forgotten"
    );
    assert_eq!(changes(None).await, everything);
    let rest = Changes {
        from: Some(4),
        to: 5,
        changed: Vec::new(),
        gone: vec![ids[1]],
    };
    assert_eq!(
        changes(Some(4)).await,
        rest,
        "who heard of the first hears of the second"
    );
    database.advance(GONE_FOR);
    maintenance::run_due(&database.store).await.unwrap();
    assert_eq!(changes(Some(4)).await, everything);
    let nothing = Changes {
        from: Some(5),
        to: 5,
        ..Changes::default()
    };
    assert_eq!(changes(Some(5)).await, nothing);
}

#[tokio::test]
async fn restricted_documents_are_neither_listed_nor_read_by_others_whatever_their_role() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    let base = knowledge_base(&mut tx, "Handbook", None).await;
    let anna = database.environment().id::<UserId>();
    let restricted = Audience::Members {
        roles: vec![Role::Manager],
        users: vec![anna],
    };
    let id = document(&database, &mut tx, base, 1, restricted).await;
    let open = document(&database, &mut tx, base, 2, Audience::Public).await;
    assert!(publish(&mut tx, id, 1, "Secret.", None).await);
    let passage = tx.index_feed().load(&[id]).await.unwrap()[0].passages[0].id;
    let reader = |user, role| Reader::Member {
        user,
        role,
        channels: [].into(),
    };
    let other = database.environment().id::<UserId>();
    for (reader, sees) in [
        (reader(anna, Role::Viewer), true),
        (reader(other, Role::Manager), true),
        (reader(other, Role::Owner), false),
        (Reader::Machine, false),
        (Reader::Outsider, false),
    ] {
        let listed = tx
            .documents()
            .list(first(), &DocumentFilter::default(), &reader)
            .await
            .unwrap();
        let expected = if sees { vec![open, id] } else { vec![open] };
        let ids: Vec<_> = listed.items.iter().map(|document| document.id).collect();
        assert_eq!(ids, expected, "{reader:?}");
        let fetched = tx
            .documents()
            .fetch_for(id, Action::Update, &reader)
            .await
            .unwrap();
        assert_eq!(fetched.is_some(), sees, "{reader:?}");
        let read = tx
            .chunks()
            .read(&[passage], std::slice::from_ref(&reader))
            .await
            .unwrap();
        assert_eq!(read.len() == 1, sees, "{reader:?}");
        assert_eq!(
            tx.chunks().get(passage, &reader).await.unwrap().is_some(),
            sees,
            "{reader:?}"
        );
    }
    tx.documents().set_audience(id, &Audience::Public).await.unwrap();
    assert_eq!(
        tx.index_feed().changes(Some(1)).await.unwrap().changed,
        [id],
        "indexes hear of a new audience"
    );
}

#[tokio::test]
async fn the_same_bytes_are_refused_in_one_knowledge_base_and_taken_in_another() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    let first = knowledge_base(&mut tx, "One", None).await;
    let second = knowledge_base(&mut tx, "Two", None).await;
    let id = document(&database, &mut tx, first, 1, Audience::Organization).await;
    document(&database, &mut tx, second, 1, Audience::Organization).await;
    let again = original(&database, &mut tx, 1).await;
    let same = tx
        .documents()
        .by_content(first, &again.content_hash)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(same.id, id);
    let source = tx
        .sources()
        .of_single_documents(first, SourceKind::Upload)
        .await
        .unwrap();
    assert_eq!(source, same.source);
    let new = NewDocument {
        knowledge_base: first,
        source,
        title: "Again".to_owned(),
        original: again,
        source_url: None,
        metadata: Map::new(),
        audience: Audience::Organization,
    };
    let refused = tx.documents().insert(&new).await.unwrap_err();
    assert!(refused.is_conflict_on("documents_content"));
}

#[tokio::test]
async fn a_knowledge_base_changes_its_model_only_when_every_passage_has_the_new_vector() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    let base = knowledge_base(&mut tx, "Handbook", Some("old")).await;
    let one = document(&database, &mut tx, base, 1, Audience::Organization).await;
    let two = document(&database, &mut tx, base, 2, Audience::Organization).await;
    assert!(publish(&mut tx, one, 1, "One.", Some("old")).await);
    assert!(publish(&mut tx, two, 1, "Two.", Some("old")).await);
    tx.knowledge_bases().build(base, Some("new")).await.unwrap();
    let waiting = tx.chunks().unembedded(base, "new", None, 10).await.unwrap();
    assert_eq!(waiting.len(), 2);
    tx.chunks()
        .stage("new", &[(waiting[0].id, vec![9, 9])])
        .await
        .unwrap();
    let begun = database.store.environment().now();
    let moved = tx.chunks().moved(base, "new", begun).await.unwrap();
    assert_eq!((moved.passages, moved.embedded), (2, 1));
    assert_eq!(
        moved.recent,
        Some((begun, 0)),
        "the first of them does not tell how long one takes"
    );
    database.advance(TimeDelta::seconds(30));
    assert!(!tx.knowledge_bases().switch_model(base, "new").await.unwrap());
    let loaded = tx.index_feed().load(&[one, two]).await.unwrap();
    assert!(loaded.iter().all(|document| document.passages[0].model == "old"));
    let rest = tx.chunks().unembedded(base, "new", None, 10).await.unwrap();
    tx.chunks()
        .stage("new", &[(rest[0].id, vec![9, 9])])
        .await
        .unwrap();
    let moved = tx.chunks().moved(base, "new", begun).await.unwrap();
    assert_eq!((moved.embedded, moved.recent), (2, Some((begun, 1))));
    let later = begun + TimeDelta::seconds(31);
    let moved = tx.chunks().moved(base, "new", later).await.unwrap();
    assert_eq!((moved.embedded, moved.recent), (2, None));
    assert!(tx.knowledge_bases().switch_model(base, "new").await.unwrap());
    let loaded = tx.index_feed().load(&[one, two]).await.unwrap();
    assert!(
        loaded
            .iter()
            .all(|document| document.passages[0].model == "new" && document.passages[0].embedding == [9, 9])
    );
    assert_eq!(tx.index_feed().changes(Some(2)).await.unwrap().changed.len(), 2);
    let stored = tx.knowledge_bases().get(base).await.unwrap().unwrap();
    assert_eq!(
        (stored.status, stored.embedding_model.as_deref()),
        (KnowledgeBaseStatus::Active, Some("new"))
    );
}

#[tokio::test]
async fn an_archived_knowledge_base_is_neither_searchable_nor_read_for_answers() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    let base = knowledge_base(&mut tx, "Handbook", None).await;
    let id = document(&database, &mut tx, base, 1, Audience::Organization).await;
    assert!(publish(&mut tx, id, 1, "Tea.", None).await);
    let passage = tx.index_feed().load(&[id]).await.unwrap()[0].passages[0].id;
    assert_eq!(tx.knowledge_bases().searchable().await.unwrap().len(), 1);
    tx.knowledge_bases().set_archived(base, true).await.unwrap();
    assert!(tx.knowledge_bases().searchable().await.unwrap().is_empty());
    let readers = [access.reader().clone()];
    assert!(tx.chunks().read(&[passage], &readers).await.unwrap().is_empty());
    let removed = tx.knowledge_bases().delete(base).await.unwrap().unwrap();
    assert_eq!((removed.documents, removed.bytes, removed.blobs.len()), (1, 3, 1));
    assert_eq!(tx.index_feed().changes(Some(1)).await.unwrap().gone, [id]);
}

#[tokio::test]
async fn a_window_of_text_is_cut_between_characters() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    let base = knowledge_base(&mut tx, "Handbook", None).await;
    let id = document(&database, &mut tx, base, 1, Audience::Organization).await;
    assert!(tx.chunks().text(id, 0..10).await.unwrap().is_none());
    assert!(publish(&mut tx, id, 1, "漢字 tea", None).await);
    let window = tx.chunks().text(id, 1..9).await.unwrap().unwrap();
    assert_eq!(
        (window.content.as_str(), window.range, window.length),
        ("字 te", 3..9, 10)
    );
    let beyond = tx.chunks().text(id, 50..60).await.unwrap().unwrap();
    assert_eq!((beyond.content.as_str(), beyond.range), ("", 10..10));
}
