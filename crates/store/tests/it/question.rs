//! Questions and their one outcome, sessions, and what deleting a document does to answers.

use amebo_core::answer::{Composer, Confidence, DeclineReason, Origin, Rating};
use amebo_core::document::{Audience, Reader, SourceKind};
use amebo_core::id::{ChunkId, DocumentId, Id, KnowledgeBaseId, QuestionId};
use amebo_core::page::PageRequest;
use amebo_core::permission::{Action, Resource, Role};
use amebo_store::answer::{Citation, Latency, NewAnswer, Searched, Sentence, Usage, Verdict};
use amebo_store::question::{NewQuestion, Opened, QuestionFilter};
use amebo_store::{Access, NewDocument, NewKnowledgeBase, OrgTx};
use chrono::TimeDelta;
use serde_json::{Map, json};

use crate::database::Database;
use crate::knowledge::original;

async fn begin(database: &Database, access: &Access) -> OrgTx {
    let permit = access.permit(Resource::Question, Action::Create).unwrap();
    database.store.begin(&permit).await.unwrap()
}

async fn document(database: &Database, tx: &mut OrgTx, title: &str, audience: Audience) -> DocumentId {
    let base = tx
        .knowledge_bases()
        .insert(&NewKnowledgeBase {
            name: title.to_owned(),
            description: String::new(),
            embedding_model: None,
            chunking: json!({}),
        })
        .await
        .unwrap();
    let source = tx
        .sources()
        .of_single_documents(base, SourceKind::Upload)
        .await
        .unwrap();
    let original = original(database, tx, 1).await;
    tx.documents()
        .insert(&NewDocument {
            knowledge_base: base,
            source,
            title: title.to_owned(),
            original,
            source_url: None,
            metadata: Map::new(),
            audience,
        })
        .await
        .unwrap()
}

fn question<'a>(database: &Database, text: &'a str) -> NewQuestion<'a> {
    NewQuestion {
        text,
        origin: Origin::Api,
        session: None,
        title: text,
        knowledge_bases: None,
        deadline: database.environment().now() + TimeDelta::minutes(1),
        asked_in: None,
    }
}

async fn open(database: &Database, tx: &mut OrgTx) -> Opened {
    let new = question(database, "When is tea?");
    tx.questions().open(&new).await.unwrap().unwrap()
}

fn citation(number: u32, document: DocumentId) -> Citation {
    Citation {
        number,
        source: number + 1,
        chunk: ChunkId::from_uuid(uuid::Uuid::from_u128(u128::from(number))),
        document,
        document_title: "Handbook".to_owned(),
        heading_path: vec!["Breaks".to_owned(), "Tea".to_owned()],
        page: Some(2),
        quote: "Tea is at four.".to_owned(),
        range_start: 10,
        range_end: 25,
    }
}

/// An answer whose sentence number n rests on document number n.
fn answered(documents: &[DocumentId]) -> NewAnswer {
    let numbers = 0..u32::try_from(documents.len()).unwrap();
    NewAnswer {
        verdict: Verdict::Answered {
            sentences: numbers
                .clone()
                .map(|number| Sentence {
                    text: format!("Sentence {number}."),
                    citations: vec![number],
                })
                .collect(),
            citations: numbers
                .zip(documents)
                .map(|(number, document)| citation(number, *document))
                .collect(),
            composer: Composer::Extractive,
            confidence: Confidence::new(0.9),
            notice: Some("Quoted.".to_owned()),
        },
        language: Some("en".to_owned()),
        searched: Searched {
            knowledge_bases: 1,
            documents: 2,
            passages: 3,
        },
        usage: Usage {
            model: Some("m".to_owned()),
            input_tokens: 5,
            output_tokens: 6,
        },
        latency: Latency {
            retrieval_us: 7,
            composition_us: 8,
            total_us: 9,
        },
    }
}

async fn verdict(tx: &mut OrgTx, id: QuestionId, reader: &Reader) -> (Verdict, bool) {
    let question = tx.questions().by_id(id, reader).await.unwrap().unwrap();
    let answer = question.answer.unwrap();
    (answer.content.verdict, answer.redacted)
}

fn sentences(verdict: &Verdict) -> Vec<&str> {
    match verdict {
        Verdict::Answered { sentences, .. } => {
            sentences.iter().map(|sentence| sentence.text.as_str()).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_question_is_settled_by_exactly_one_answer_and_read_back_as_it_was_written() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = begin(&database, &access).await;
    let handbook = document(&database, &mut tx, "Handbook", Audience::Organization).await;
    let opened = open(&database, &mut tx).await;
    assert_eq!(opened.names, ["Handbook"]);
    let answer = answered(&[handbook]);
    assert!(tx.questions().settle(opened.id, &answer).await.unwrap().is_some());
    let again = NewAnswer {
        verdict: Verdict::Failed {
            message: "late".to_owned(),
            stopped: false,
        },
        ..answer.clone()
    };
    assert_eq!(tx.questions().settle(opened.id, &again).await.unwrap(), None);
    let read = tx
        .questions()
        .by_id(opened.id, access.reader())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read.user, access.user());
    assert_eq!(read.answer.unwrap().content, answer);
}

#[tokio::test]
async fn a_declined_question_keeps_its_reason_and_what_came_closest() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = begin(&database, &access).await;
    let handbook = document(&database, &mut tx, "Handbook", Audience::Organization).await;
    let opened = open(&database, &mut tx).await;
    let declined = NewAnswer {
        verdict: Verdict::Declined {
            reason: DeclineReason::LowConfidence,
            message: "I am not sure.".to_owned(),
            confidence: Confidence::new(0.1),
            closest: vec![citation(0, handbook)],
        },
        ..answered(&[])
    };
    tx.questions().settle(opened.id, &declined).await.unwrap();
    let (verdict, _) = verdict(&mut tx, opened.id, access.reader()).await;
    assert_eq!(verdict, declined.verdict);
}

#[tokio::test]
async fn deleting_a_document_strikes_the_sentences_that_rest_on_it_and_no_others() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = begin(&database, &access).await;
    let kept = document(&database, &mut tx, "Kept", Audience::Organization).await;
    let gone = document(&database, &mut tx, "Gone", Audience::Organization).await;
    let opened = open(&database, &mut tx).await;
    let answer = answered(&[kept, gone, kept]);
    tx.questions().settle(opened.id, &answer).await.unwrap();
    assert!(tx.documents().delete(gone).await.unwrap());
    let (verdict, redacted) = verdict(&mut tx, opened.id, access.reader()).await;
    assert_eq!(sentences(&verdict), ["Sentence 0.", "Sentence 2."]);
    assert!(redacted);
    tx.commit().await.unwrap();
    let left: i64 = sqlx::query_scalar(
        "select (select count(*) from citations where document_id = $1)
              + (select count(*) from answers where sentences::text like '%Sentence 1%')",
    )
    .bind(gone.uuid())
    .fetch_one(&mut database.raw().await)
    .await
    .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn an_answer_is_read_without_what_the_reader_may_not_see() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = begin(&database, &access).await;
    let everybodys = document(&database, &mut tx, "Handbook", Audience::Organization).await;
    let owners = Audience::Members {
        roles: vec![Role::Owner],
        users: Vec::new(),
    };
    let restricted = document(&database, &mut tx, "Salaries", owners).await;
    let opened = open(&database, &mut tx).await;
    let answer = answered(&[everybodys, restricted]);
    tx.questions().settle(opened.id, &answer).await.unwrap();
    let (owner, _) = verdict(&mut tx, opened.id, access.reader()).await;
    assert_eq!(sentences(&owner).len(), 2);
    let (machine, redacted) = verdict(&mut tx, opened.id, &Reader::Machine).await;
    assert_eq!(sentences(&machine), ["Sentence 0."]);
    assert!(redacted);
}

#[tokio::test]
async fn questions_left_open_past_their_deadline_are_settled_as_failed() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = begin(&database, &access).await;
    let opened = open(&database, &mut tx).await;
    tx.commit().await.unwrap();
    let mut system = database.store.begin_system().await.unwrap();
    assert_eq!(system.open_questions().fail_overdue(10).await.unwrap(), 0);
    drop(system);
    database.advance(TimeDelta::minutes(2));
    let mut system = database.store.begin_system().await.unwrap();
    assert_eq!(system.open_questions().fail_overdue(10).await.unwrap(), 1);
    assert_eq!(system.open_questions().fail_overdue(10).await.unwrap(), 0);
    system.commit().await.unwrap();
    let mut tx = begin(&database, &access).await;
    let (verdict, _) = verdict(&mut tx, opened.id, access.reader()).await;
    assert!(matches!(verdict, Verdict::Failed { .. }));
    assert_eq!(
        tx.questions().settle(opened.id, &answered(&[])).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn a_session_takes_its_title_from_the_first_question_and_belongs_to_its_person_alone() {
    let database = Database::new().await;
    let (organization, access) = database.organization("Acme").await;
    let (_, stranger) = database.organization("Other").await;
    let mut tx = begin(&database, &access).await;
    let session = tx.sessions(access.user().unwrap()).insert(None).await.unwrap();
    let mut new = question(&database, "When is tea?");
    new.session = Some(session.id);
    let opened = tx.questions().open(&new).await.unwrap().unwrap();
    tx.questions().settle(opened.id, &answered(&[])).await.unwrap();
    let listed = tx
        .sessions(access.user().unwrap())
        .list(&PageRequest::new(None, None).unwrap())
        .await
        .unwrap();
    assert_eq!(listed.items[0].title.as_deref(), Some("When is tea?"));
    let history = tx.questions().history(session.id, access.reader()).await.unwrap();
    assert_eq!(history.len(), 1);
    tx.commit().await.unwrap();

    // Another member of the same organisation, and somebody of another.
    let colleague = database.colleague(organization, Role::Administrator).await;
    for other in [colleague, stranger] {
        let mut tx = begin(&database, &other).await;
        assert!(
            tx.questions().open(&new).await.unwrap().is_none(),
            "asked in another's session"
        );
        assert!(
            tx.sessions(other.user().unwrap())
                .by_id(session.id)
                .await
                .unwrap()
                .is_none()
        );
        assert!(
            !tx.sessions(other.user().unwrap())
                .delete(session.id)
                .await
                .unwrap()
        );
        assert!(
            !tx.questions()
                .rate(opened.id, Some(Rating::Up), None)
                .await
                .unwrap()
        );
    }
}

#[tokio::test]
async fn figures_count_outcomes_and_ratings_day_by_day() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = begin(&database, &access).await;
    let from = database.environment().now();
    for _ in 0..2 {
        let opened = open(&database, &mut tx).await;
        tx.questions().settle(opened.id, &answered(&[])).await.unwrap();
        assert!(
            tx.questions()
                .rate(opened.id, Some(Rating::Down), Some("no"))
                .await
                .unwrap()
        );
        database.advance(TimeDelta::days(1));
    }
    let until = database.environment().now();
    let figures = tx.analytics().figures(from, until).await.unwrap();
    assert_eq!(
        (figures.total.answered, figures.total.rated_down, figures.askers),
        (2, 2, 1)
    );
    assert_eq!((figures.days.len(), figures.latency_p50_us), (2, 9));
    let filter = QuestionFilter {
        rating: Some(Rating::Down),
        ..QuestionFilter::default()
    };
    let page = PageRequest::new(None, Some(1)).unwrap();
    let listed = tx
        .questions()
        .list(&filter, access.reader(), &page)
        .await
        .unwrap();
    assert_eq!(listed.items.len(), 1);
    assert!(listed.next_cursor.is_some());
}

#[tokio::test]
async fn a_question_searches_only_what_was_asked_for_and_is_in_use() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = begin(&database, &access).await;
    document(&database, &mut tx, "One", Audience::Organization).await;
    document(&database, &mut tx, "Two", Audience::Organization).await;
    let all = open(&database, &mut tx).await;
    let two: Vec<KnowledgeBaseId> = vec![all.knowledge_bases[1].id];
    let mut new = question(&database, "When is tea?");
    new.knowledge_bases = Some(&two);
    let opened = tx.questions().open(&new).await.unwrap().unwrap();
    assert_eq!((all.names.len(), opened.names), (2, vec!["Two".to_owned()]));
}
