//! The embedded engine against what an engine must be: the same whatever way it was filled, blind to what readers may not
//! see, exact.

use std::collections::{BTreeMap, HashMap};

use amebo_core::document::{Audience, Reader};
use amebo_core::id::{ChunkId, DocumentId, Id, KnowledgeBaseId, OrganizationId, SlackChannelId, UserId};
use amebo_core::permission::Role;
use amebo_knowledge::index::analysis::stored::Terms;
use amebo_knowledge::index::analysis::{self, encode_passage};
use amebo_knowledge::index::embedded::{Embedded, Settings};
use amebo_knowledge::index::{Balance, Change, Engine, Error, Hits, IndexedDocument, IndexedPassage, Query};
use half::f16;
use proptest::prelude::*;
use uuid::Uuid;

const WORDS: [&str; 12] = [
    "invoice",
    "holiday",
    "server",
    "refund",
    "Urlaub",
    "東京都庁",
    "E-4711",
    "policy",
    "contract",
    "salary",
    "printer",
    "the",
];

fn organization(number: u128) -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(number))
}

fn knowledge_base(number: u8) -> KnowledgeBaseId {
    KnowledgeBaseId::from_uuid(Uuid::from_u128(u128::from(number)))
}

fn user(number: u8) -> UserId {
    UserId::from_uuid(Uuid::from_u128(u128::from(number)))
}

fn channel(number: u8) -> SlackChannelId {
    SlackChannelId::from_uuid(Uuid::from_u128(u128::from(number)))
}

fn unit(seed: [i8; 8]) -> Vec<f32> {
    let length = seed
        .iter()
        .map(|&x| f32::from(x) * f32::from(x))
        .sum::<f32>()
        .sqrt()
        .max(1.0);
    seed.iter().map(|&x| f32::from(x) / length).collect()
}

fn audience() -> impl Strategy<Value = Audience> {
    prop_oneof![
        Just(Audience::Organization),
        Just(Audience::Public),
        (0_u8..3).prop_map(|number| Audience::Members {
            roles: vec![Role::Manager],
            users: vec![user(number)]
        }),
        (0_u8..3).prop_map(|number| Audience::SlackChannel {
            channel: channel(number)
        }),
    ]
}

fn reader() -> impl Strategy<Value = Reader> {
    prop_oneof![
        Just(Reader::Machine),
        Just(Reader::Outsider),
        (0_u8..3, any::<bool>()).prop_map(|(number, insiders)| Reader::SlackChannel {
            channel: channel(number),
            insiders
        }),
        (0_u8..3, prop::sample::select(vec![Role::Manager, Role::Viewer])).prop_map(|(number, role)| {
            Reader::Member {
                user: user(number),
                role,
                channels: [channel(number)].into(),
            }
        }),
    ]
}

/// A document from a small world, so that puts replace one another.
fn document() -> impl Strategy<Value = IndexedDocument> {
    let passage = (
        prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..8),
        any::<Option<[i8; 8]>>(),
    );
    (
        0_u8..12,
        0_u8..3,
        audience(),
        prop::collection::vec(passage, 0..4),
    )
        .prop_map(|(id, base, audience, passages)| IndexedDocument {
            id: DocumentId::from_uuid(Uuid::from_u128(u128::from(id))),
            knowledge_base: knowledge_base(base),
            audience,
            passages: (0_u128..)
                .zip(passages)
                .map(|(index, (words, vector))| IndexedPassage {
                    id: ChunkId::from_uuid(Uuid::from_u128(u128::from(id) * 100 + index)),
                    vector: vector.map_or(Vec::new(), |seed| {
                        unit(seed)
                            .iter()
                            .flat_map(|&x| f16::from_f32(x).to_le_bytes())
                            .collect()
                    }),
                    model: "small".to_owned(),
                    terms: encode_passage("", &[], &words.join(" ")),
                })
                .collect(),
        })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => document().prop_map(Change::Put),
        1 => (0_u8..12).prop_map(|id| Change::Remove(DocumentId::from_uuid(Uuid::from_u128(u128::from(id))))),
    ]
}

fn query() -> impl Strategy<Value = Query> {
    (
        prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..4),
        any::<Option<[i8; 8]>>(),
        prop::collection::vec(reader(), 1..3),
        prop::collection::vec(0_u8..3, 0..4),
        0_usize..40,
        prop::sample::select(vec![Balance::Fitted, Balance::ByWordsFound]),
    )
        .prop_map(|(words, vector, readers, bases, limit, balance)| Query {
            balance,
            text: words.join(" "),
            vectors: vector
                .map(|seed| ("small".to_owned(), unit(seed)))
                .into_iter()
                .collect(),
            readers,
            knowledge_bases: bases.into_iter().map(knowledge_base).collect(),
            limit,
        })
}

/// What is left after all changes.
fn standing(changes: &[Change]) -> BTreeMap<DocumentId, IndexedDocument> {
    let mut documents = BTreeMap::new();
    for change in changes {
        match change {
            Change::Put(document) => documents.insert(document.id, document.clone()),
            Change::Remove(id) => documents.remove(id),
        };
    }
    documents
}

fn count(number: usize) -> f64 {
    u32::try_from(number).unwrap().into()
}

fn engine() -> Embedded {
    Embedded::new(Settings::default())
}

async fn fresh(documents: impl IntoIterator<Item = IndexedDocument>) -> Embedded {
    let engine = engine();
    engine
        .apply(
            organization(1),
            None,
            1,
            documents.into_iter().map(Change::Put).collect(),
        )
        .await
        .unwrap();
    engine
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// The same hits, scores up to rounding (sums are formed in another order).
fn same(left: &Hits, right: &Hits) -> Result<(), TestCaseError> {
    prop_assert_eq!(left.documents_in_scope, right.documents_in_scope);
    prop_assert_eq!(left.passages_in_scope, right.passages_in_scope);
    prop_assert_eq!(left.hits.len(), right.hits.len());
    let by_chunk: HashMap<ChunkId, _> = right.hits.iter().map(|hit| (hit.chunk, hit)).collect();
    for (left, at_rank) in left.hits.iter().zip(&right.hits) {
        prop_assert!((left.score - at_rank.score).abs() < 1e-4);
        if let Some(right) = by_chunk.get(&left.chunk) {
            prop_assert!((left.lexical - right.lexical).abs() < 1e-4);
            prop_assert_eq!(left.dense, right.dense);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_index_that_followed_changes_equals_one_built_afresh(
        batches in prop::collection::vec(prop::collection::vec(change(), 0..6), 1..12), query in query()
    ) {
        run(async {
            let followed = engine();
            let mut from = None;
            for (to, batch) in (1..).zip(&batches) {
                followed.apply(organization(1), from, to, batch.clone()).await.unwrap();
                from = Some(to);
            }
            let rebuilt = fresh(standing(&batches.concat()).into_values()).await;
            same(&followed.search(organization(1), &query).await.unwrap(), &rebuilt.search(organization(1), &query).await.unwrap())
        })?;
    }

    #[test]
    fn a_search_is_that_of_an_index_without_anything_hidden(changes in prop::collection::vec(change(), 0..20), query in query()) {
        let all = standing(&changes);
        let visible: BTreeMap<DocumentId, IndexedDocument> = all
            .clone()
            .into_iter()
            .filter(|(_, document)| {
                query.knowledge_bases.contains(&document.knowledge_base)
                    && query.readers.iter().all(|reader| document.audience.includes(reader))
            })
            .collect();
        run(async {
            let found = fresh(all.into_values()).await.search(organization(1), &query).await.unwrap();
            for hit in &found.hits {
                prop_assert!(visible[&hit.document].passages.iter().any(|passage| passage.id == hit.chunk));
            }
            prop_assert_eq!(found.documents_in_scope, visible.len());
            same(&found, &fresh(visible.into_values()).await.search(organization(1), &query).await.unwrap())
        })?;
    }

    #[test]
    fn scores_are_those_of_the_textbook(changes in prop::collection::vec(change(), 1..20), mut query in query()) {
        query.limit = 1000;
        let documents: Vec<IndexedDocument> = standing(&changes)
            .into_values()
            .map(|document| IndexedDocument { audience: Audience::Public, knowledge_base: knowledge_base(0), ..document })
            .collect();
        query.knowledge_bases = vec![knowledge_base(0)];
        let passages: Vec<&IndexedPassage> = documents.iter().flat_map(|document| &document.passages).collect();
        let fusion = Settings::default().fusion;
        let average = passages.iter().map(|passage| f64::from(Terms::read(&passage.terms).length)).sum::<f64>() / count(passages.len().max(1));
        let counts: Vec<HashMap<u64, u32>> = passages.iter().map(|passage| Terms::read(&passage.terms).collect()).collect();
        let mut expected: HashMap<ChunkId, f64> = HashMap::new();
        let question = analysis::question(&query.text);
        let mut rarities = Vec::new();
        for asked in &question.words {
            let frequency = |counts: &HashMap<u64, u32>| asked.terms.iter().filter_map(|term| counts.get(term)).max().copied().unwrap_or(0);
            let holders = count(counts.iter().filter(|counts| frequency(counts) > 0).count());
            let rarity = (1.0 + (count(passages.len()) - holders + 0.5) / (holders + 0.5)).ln();
            rarities.push(rarity);
            for (passage, counts) in passages.iter().zip(&counts) {
                let tf = f64::from(frequency(counts));
                let length = f64::from(Terms::read(&passage.terms).length);
                let (k1, b) = (f64::from(fusion.k1), f64::from(fusion.b));
                *expected.entry(passage.id).or_default() +=
                    f64::from(asked.weight) * rarity * tf / (tf + k1 * (1.0 - b + b * length / average.max(1.0)));
            }
        }
        for pair in &question.pairs {
            let rarity = f64::midpoint(rarities[pair.words[0]], rarities[pair.words[1]]);
            for passage in &passages {
                let mut terms = Terms::read(&passage.terms);
                terms.by_ref().for_each(drop);
                if terms.pairs().any(|held| pair.fingerprints.contains(&held)) && expected[&passage.id] > 0.0 {
                    *expected.entry(passage.id).or_default() += f64::from(fusion.pair) * rarity;
                }
            }
        }
        let found = run(async { fresh(documents.clone()).await.search(organization(1), &query).await.unwrap() });
        let seen: HashMap<ChunkId, _> = found.hits.iter().map(|hit| (hit.chunk, hit)).collect();
        for passage in &passages {
            let lexical = expected.get(&passage.id).copied().unwrap_or(0.0);
            let dense = query.vectors.get("small").filter(|_| !passage.vector.is_empty()).map(|question| {
                passage.vector.as_chunks().0.iter().zip(question).map(|(half, x)| f16::from_le_bytes(*half).to_f32() * x).sum::<f32>()
            });
            match seen.get(&passage.id) {
                Some(hit) => {
                    prop_assert!((f64::from(hit.lexical) - lexical).abs() < 1e-3, "{} is not {lexical}", hit.lexical);
                    match (hit.dense, dense) {
                        (Some(found), Some(truth)) => prop_assert!((found - truth).abs() < 2e-3),
                        (found, truth) => prop_assert_eq!(found, truth),
                    }
                }
                None => prop_assert!(lexical < 1e-9 && dense.is_none()),
            }
        }
    }
}

fn plain(id: u8, text: &str) -> IndexedDocument {
    IndexedDocument {
        id: DocumentId::from_uuid(Uuid::from_u128(u128::from(id))),
        knowledge_base: knowledge_base(0),
        audience: Audience::Organization,
        passages: vec![IndexedPassage {
            id: ChunkId::from_uuid(Uuid::from_u128(u128::from(id))),
            vector: Vec::new(),
            model: String::new(),
            terms: encode_passage("", &[], text),
        }],
    }
}

fn ask(text: &str) -> Query {
    Query {
        text: text.to_owned(),
        vectors: HashMap::new(),
        balance: Balance::Fitted,
        readers: vec![Reader::Machine],
        knowledge_bases: vec![knowledge_base(0)],
        limit: 10,
    }
}

#[tokio::test]
async fn where_hardly_a_word_is_found_meaning_decides_and_where_most_are_words_do() {
    let placed = |id: u8, text: &str, vector: [f32; 2]| IndexedDocument {
        passages: vec![IndexedPassage {
            vector: vector
                .iter()
                .flat_map(|&value| f16::from_f32(value).to_le_bytes())
                .collect(),
            model: "small".to_owned(),
            ..plain(id, text).passages.remove(0)
        }],
        ..plain(id, text)
    };
    let mut documents = vec![
        placed(1, "annual leave is granted in spring", [1.0, 0.0]),
        placed(2, "the pump of Feldkirch has a filter", [0.0, 1.0]),
    ];
    documents.extend((3..30).map(|id| placed(id, "nothing of this matters", [0.3, 0.954])));
    let engine = fresh(documents).await;
    let first = async |text: &str| {
        let query = Query {
            vectors: HashMap::from([("small".to_owned(), vec![1.0, 0.0])]),
            balance: Balance::ByWordsFound,
            ..ask(text)
        };
        let hits = engine.search(organization(1), &query).await.unwrap().hits;
        hits[0].document
    };
    let (meant, named) = (
        DocumentId::from_uuid(Uuid::from_u128(1)),
        DocumentId::from_uuid(Uuid::from_u128(2)),
    );
    // One word of six is shared by chance; then nearly all are.
    assert_eq!(first("wann bekommt in Feldkirch jemand Urlaub").await, meant);
    assert_eq!(first("filter pump Feldkirch").await, named);
}

#[tokio::test]
async fn changes_that_start_elsewhere_are_refused() {
    let engine = fresh([plain(1, "holiday")]).await;
    assert!(matches!(
        engine.apply(organization(1), Some(2), 3, Vec::new()).await,
        Err(Error::Moved)
    ));
    assert!(matches!(
        engine.apply(organization(2), Some(1), 2, Vec::new()).await,
        Err(Error::Moved)
    ));
    assert_eq!(engine.revision(organization(1)).await.unwrap(), Some(1));
}

#[tokio::test]
async fn a_slower_second_loading_does_not_turn_the_index_back() {
    let engine = engine();
    engine
        .apply(organization(1), None, 7, vec![Change::Put(plain(1, "holiday"))])
        .await
        .unwrap();
    engine.apply(organization(1), None, 5, Vec::new()).await.unwrap();
    assert_eq!(engine.revision(organization(1)).await.unwrap(), Some(7));
    assert_eq!(
        engine
            .search(organization(1), &ask("holiday"))
            .await
            .unwrap()
            .hits
            .len(),
        1
    );
}

#[tokio::test]
async fn organisations_do_not_see_each_other() {
    let engine = fresh([plain(1, "holiday")]).await;
    engine
        .apply(organization(2), None, 1, vec![Change::Put(plain(2, "holiday"))])
        .await
        .unwrap();
    let hits = engine
        .search(organization(2), &ask("holiday"))
        .await
        .unwrap()
        .hits;
    assert_eq!(
        hits.iter().map(|hit| hit.document).collect::<Vec<_>>(),
        [plain(2, "").id]
    );
    engine.forget(organization(2)).await.unwrap();
    assert_eq!(
        engine.search(organization(2), &ask("holiday")).await.unwrap(),
        Hits::default()
    );
}

#[tokio::test]
async fn the_organisation_longest_unused_gives_way() {
    let documents = |from: u8| {
        (from..from + 50)
            .map(|id| Change::Put(plain(id, "holiday policy")))
            .collect::<Vec<_>>()
    };
    let measured = engine();
    measured
        .apply(organization(1), None, 1, documents(0))
        .await
        .unwrap();
    let one = measured.usage().bytes;
    let engine = Embedded::new(Settings {
        memory_bytes: one * 5 / 2,
        ..Settings::default()
    });
    for number in 1..=2 {
        engine
            .apply(organization(number), None, 1, documents(0))
            .await
            .unwrap();
    }
    engine.search(organization(1), &ask("holiday")).await.unwrap();
    engine
        .apply(organization(3), None, 1, documents(0))
        .await
        .unwrap();
    assert_eq!(engine.revision(organization(2)).await.unwrap(), None);
    assert_eq!(engine.revision(organization(1)).await.unwrap(), Some(1));
    assert_eq!(engine.usage().organizations, 2);
}
