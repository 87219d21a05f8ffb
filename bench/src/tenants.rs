//! Many organisations on one server: what a question costs in a random one of them, against one organisation that is asked alone.

use std::time::Duration;

use amebo_core::Environment;
use amebo_core::document::{Audience, DocumentStatus, SourceKind};
use amebo_core::id::OrganizationId;
use amebo_core::permission::{Action, Resource};
use amebo_knowledge::index::analysis::encode_passage;
use amebo_knowledge::models::DEFAULT_MODEL;
use amebo_store::blob::{self, Storage};
use amebo_store::managed::{Login, Postgres};
use amebo_store::{
    NewChunk, NewDocument, NewKnowledgeBase, NewOrganization, NewText, Original, Permit, Store, StoreConfig,
};
use anyhow::{Context as _, Result};
use bytes::Bytes;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use serde_json::{Map, json};

use crate::figure::{Better, Figure, percentile};
use crate::search::{bytes, vector};
use crate::server::{Installation, Server};
use crate::text;

const ORGANIZATIONS: usize = 1_000;
const PASSAGES: usize = 1_000;
const PASSAGES_OF_A_DOCUMENT: usize = 10;
const QUESTIONS: usize = 500;
const OWNER: &str = "owner@bench.example";

/// Measures a server of its own with a thousand organisations of a thousand passages.
pub async fn measure(amebo: &std::path::Path, models: &std::path::Path) -> Result<Vec<Figure>> {
    let installation = Installation::new(amebo, models)?;
    let mut server = installation.start().await?;
    server.sign_up(OWNER).await?;
    let postgres = Postgres::attach(&installation.data().join("postgres")).await?;
    let config = StoreConfig {
        app: postgres.connection(Login::App),
        system: postgres.connection(Login::System),
        max_connections: 4,
    };
    let store = Store::connect(&config, Environment::system()).await?;
    let storage = Storage::open(
        &blob::Settings::default(),
        &installation.data().join("files"),
        Environment::system(),
    )?;
    let contents = Contents::new();
    let mut organizations = Vec::with_capacity(ORGANIZATIONS);
    for number in 0..ORGANIZATIONS {
        organizations.push(fill(&store, &storage, number, &contents).await?);
    }
    store.close().await;

    let mut random = ChaCha20Rng::seed_from_u64(2);
    let alone = [organizations[0]];
    let _ = ask(&server, &alone, 50, &mut random).await?;
    let mut warm = ask(&server, &alone, QUESTIONS, &mut random).await?;
    let _ = ask(&server, &organizations, ORGANIZATIONS, &mut random).await?;
    let mut spread = ask(&server, &organizations, QUESTIONS, &mut random).await?;
    let warm = percentile(&mut warm, 0.95);
    let spread = percentile(&mut spread, 0.95);
    let memory = server.memory();
    server.stop()?;
    Ok(vec![
        Figure::new(
            "question to one organization of 1,000 passages, p95",
            warm,
            "ms",
            Better::Less,
        ),
        Figure::new(
            "question to a random one of 1,000 such, p95",
            spread,
            "ms",
            Better::Less,
        ),
        Figure::new("the second against the first", spread / warm, "×", Better::Less).target(2.0, 1.2),
        Figure::new(
            "memory with 1,000 organizations asked",
            memory,
            "MiB",
            Better::Less,
        ),
    ])
}

/// The passages that every organisation holds, grouped into documents.
struct Contents(Vec<(NewText, Vec<NewChunk>)>);

impl Contents {
    fn new() -> Self {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let document = |number: usize| {
            let content = text::document(number);
            let mut chunks = Vec::with_capacity(PASSAGES_OF_A_DOCUMENT);
            let mut start = 0;
            for paragraph in content.split("\n\n") {
                chunks.push(NewChunk {
                    content: paragraph.to_owned(),
                    range: start..start + paragraph.len(),
                    page: None,
                    heading_path: Vec::new(),
                    embedding: bytes(&vector(&mut random)),
                    terms: encode_passage("", &[], paragraph),
                });
                start += paragraph.len() + 2;
            }
            let text = NewText {
                content,
                blocks: json!([]),
                warnings: Vec::new(),
            };
            (text, chunks)
        };
        Self((0..PASSAGES / PASSAGES_OF_A_DOCUMENT).map(document).collect())
    }
}

async fn fill(
    store: &Store,
    storage: &Storage,
    number: usize,
    contents: &Contents,
) -> Result<OrganizationId> {
    let (organization, permit) = organization(store, number).await?;
    let file = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"bench"))]);
    let stored = storage.put(organization, file, 100).await?;
    let mut tx = store.begin(&permit).await?;
    let knowledge_base = tx
        .knowledge_bases()
        .insert(&NewKnowledgeBase {
            name: "Bench".to_owned(),
            description: String::new(),
            embedding_model: Some(DEFAULT_MODEL.to_owned()),
            chunking: json!({}),
        })
        .await?;
    let blob = tx.blobs().insert(&stored, "text/plain").await?;
    let source = tx
        .sources()
        .of_single_documents(knowledge_base, SourceKind::Upload)
        .await?;
    for (at, (text, chunks)) in contents.0.iter().enumerate() {
        let mut content_hash = stored.sha256;
        content_hash[..8].copy_from_slice(&at.to_le_bytes());
        let document = NewDocument {
            knowledge_base,
            source,
            title: format!("Document {at}"),
            original: Original {
                name: format!("{at}.txt"),
                size_bytes: stored.size_bytes,
                content_hash,
                blob: Some(blob),
            },
            source_url: None,
            metadata: Map::new(),
            audience: Audience::Organization,
        };
        let id = tx.documents().insert(&document).await?;
        for status in [
            DocumentStatus::Processing,
            DocumentStatus::Chunking,
            DocumentStatus::Embedding,
        ] {
            tx.documents().advance(id, 1, status).await?;
        }
        anyhow::ensure!(
            tx.chunks()
                .publish(id, 1, text, Some(DEFAULT_MODEL), chunks)
                .await?,
            "a document was not taken"
        );
    }
    tx.commit().await?;
    Ok(organization)
}

/// One more organisation of the owner's, and the right to fill it.
async fn organization(store: &Store, number: usize) -> Result<(OrganizationId, Permit)> {
    let mut tx = store.begin_system().await?;
    let owner = tx
        .users()
        .by_email(OWNER)
        .await?
        .context("the owner is missing")?
        .id;
    let new = NewOrganization {
        name: format!("Bench {number}"),
        owner,
        plan: amebo_core::organization::Plan::Free,
    };
    let organization = tx.organizations().create(&new).await?;
    let access = tx
        .users()
        .access(owner, organization)
        .await?
        .context("an owner has no access")?;
    tx.commit().await?;
    Ok((organization, access.permit(Resource::Document, Action::Create)?))
}

async fn ask(
    server: &Server,
    organizations: &[OrganizationId],
    count: usize,
    random: &mut ChaCha20Rng,
) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let organization = organizations[random.random_range(0..organizations.len())];
        let question = text::question(random.random_range(0..PASSAGES / PASSAGES_OF_A_DOCUMENT));
        times.push(server.ask_in(&organization.to_string(), &question).await?);
    }
    Ok(times)
}
