//! Passages, and the texts they were cut from.

use std::collections::HashMap;
use std::ops::Range;

use amebo_core::document::{Audience, DocumentStatus, Reader};
use amebo_core::id::{ChunkId, DocumentId, Id, KnowledgeBaseId};
use amebo_core::page::{Page, PageRequest};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::OrgTx;
use crate::error::{Error, Result};
use crate::index_feed;
use crate::transaction::Scope;

/// How many passages go to the database in one statement.
const BATCH: usize = 1_000;

/// A passage to be stored.
#[derive(Debug, Clone)]
pub struct NewChunk {
    /// Exactly the bytes `range` of the document's text.
    pub content: String,
    /// Its bytes in the document's text.
    pub range: Range<usize>,
    /// The page it begins on, counted from 1.
    pub page: Option<u32>,
    /// The headings above it, outermost first.
    pub heading_path: Vec<String>,
    /// The vector as little-endian f16; empty when there is none.
    pub embedding: Vec<u8>,
    /// What lexical search counts.
    pub terms: Vec<u8>,
}

/// The text of a document to be stored with its passages.
#[derive(Debug, Clone)]
pub struct NewText {
    /// The text.
    pub content: String,
    /// Its structure.
    pub blocks: Value,
    /// What was left out and why, in sentences.
    pub warnings: Vec<String>,
}

/// A passage as read back, with what is needed to show and to cite it.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// The passage.
    pub id: ChunkId,
    /// Its document.
    pub document: DocumentId,
    /// The document's knowledge base.
    pub knowledge_base: KnowledgeBaseId,
    /// The document's title.
    pub title: String,
    /// Where the document was fetched from.
    pub source_url: Option<String>,
    /// Who may see the document.
    pub audience: Audience,
    /// Its place among the document's passages, from 0.
    pub index: u32,
    /// The text.
    pub content: String,
    /// Its bytes in the document's text.
    pub range: Range<usize>,
    /// The page it begins on, counted from 1.
    pub page: Option<u32>,
    /// The headings above it, outermost first.
    pub heading_path: Vec<String>,
}

/// A stretch of a document's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextWindow {
    /// The text, cut on character boundaries.
    pub content: String,
    /// Its bytes in the whole text.
    pub range: Range<usize>,
    /// How many bytes the whole text has.
    pub length: usize,
    /// What extraction left out and why, in sentences.
    pub warnings: Vec<String>,
}

/// A passage that waits for its vector.
#[derive(Debug, Clone)]
pub struct Unembedded {
    /// The passage.
    pub id: ChunkId,
    /// Its document's title.
    pub title: String,
    /// The headings above it, outermost first.
    pub heading_path: Vec<String>,
    /// The text.
    pub content: String,
}

/// How far the passages of a knowledge base are on their way to another model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// All passages.
    pub passages: u64,
    /// Those that have a vector of the model, staged ones included.
    pub embedded: u64,
    /// When the first of the recent vectors were staged, and how many were after them; `None` when there are no recent ones.
    pub recent: Option<(DateTime<Utc>, u64)>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    document_id: Uuid,
    knowledge_base_id: Uuid,
    title: String,
    source_url: Option<String>,
    audience: Json<Audience>,
    chunk_index: i32,
    content: String,
    byte_start: i64,
    byte_end: i64,
    page: Option<i32>,
    heading_path: Json<Vec<String>>,
}

impl TryFrom<Row> for Passage {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: ChunkId::from_uuid(row.id),
            document: DocumentId::from_uuid(row.document_id),
            knowledge_base: KnowledgeBaseId::from_uuid(row.knowledge_base_id),
            title: row.title,
            source_url: row.source_url,
            audience: row.audience.0,
            index: row.chunk_index.unsigned_abs(),
            content: row.content,
            range: offset(row.byte_start)?..offset(row.byte_end)?,
            page: row.page.map(i32::unsigned_abs),
            heading_path: row.heading_path.0,
        })
    }
}

fn offset(stored: i64) -> Result<usize> {
    usize::try_from(stored).map_err(|_| Error::Corrupt(format!("{stored} is not a place in a text")))
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select c.id, c.document_id, d.knowledge_base_id, d.title, d.source_url, d.audience, c.chunk_index, c.content,
             c.byte_start, c.byte_end, c.page, c.heading_path
             from chunks c join documents d on d.organization_id = c.organization_id and d.id = c.document_id
             where c.organization_id = $1 ",
            $rest
        )
    };
}

impl OrgTx {
    /// Its passages.
    pub fn chunks(&mut self) -> Chunks<'_> {
        Chunks(self.scope())
    }
}

/// The passages of the current organisation.
#[derive(Debug)]
pub struct Chunks<'a>(pub(crate) Scope<'a>);

impl Chunks<'_> {
    /// Puts a version's text and passages in the place of the document's former ones and makes it findable, all at once. `false`,
    /// and nothing happens, when the version is no longer wanted, or when its knowledge base no longer searches vectors of `model`
    /// (with `None` there are no vectors).
    ///
    /// The organisation's revision is locked from here to the commit; make it the last thing of the transaction.
    pub async fn publish(
        &mut self,
        document: DocumentId,
        version: i32,
        text: &NewText,
        model: Option<&str>,
        chunks: &[NewChunk],
    ) -> Result<bool> {
        let wanted: Option<i32> = sqlx::query_scalar(
            "select d.version from documents d
             join knowledge_bases k on k.organization_id = d.organization_id and k.id = d.knowledge_base_id
             where d.organization_id = $1 and d.id = $2 and d.version = $3 and ($4::text is null or k.embedding_model = $4)
             for update of d for share of k",
        )
        .bind(self.0.organization.uuid())
        .bind(document.uuid())
        .bind(version)
        .bind(model)
        .fetch_optional(&mut *self.0.connection)
        .await?;
        if wanted.is_none() {
            return Ok(false);
        }
        self.store_text(document, version, text).await?;
        sqlx::query("delete from chunks where organization_id = $1 and document_id = $2")
            .bind(self.0.organization.uuid())
            .bind(document.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        for (batch, part) in chunks.chunks(BATCH).enumerate() {
            self.insert(document, version, model, batch * BATCH, part).await?;
        }
        sqlx::query(
            "update documents set status = $4, error = null, chunk_count = $5, chunks_done = $5, processed_at = $6, updated_at = $6
             where organization_id = $1 and id = $2 and version = $3",
        )
        .bind(self.0.organization.uuid())
        .bind(document.uuid())
        .bind(version)
        .bind(DocumentStatus::Indexed.as_str())
        .bind(i32::try_from(chunks.len()).unwrap_or(i32::MAX))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        index_feed::record(&mut self.0, &[document.uuid()], false).await?;
        Ok(true)
    }

    async fn store_text(&mut self, document: DocumentId, version: i32, text: &NewText) -> Result<()> {
        sqlx::query(
            "insert into document_texts (organization_id, document_id, version, content, blocks, warnings, created_at)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (document_id) do update set version = excluded.version, content = excluded.content,
                 blocks = excluded.blocks, warnings = excluded.warnings, created_at = excluded.created_at",
        )
        .bind(self.0.organization.uuid())
        .bind(document.uuid())
        .bind(version)
        .bind(&text.content)
        .bind(Json(&text.blocks))
        .bind(Json(&text.warnings))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    async fn insert(
        &mut self,
        document: DocumentId,
        version: i32,
        model: Option<&str>,
        first: usize,
        chunks: &[NewChunk],
    ) -> Result<()> {
        let number = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        let ids: Vec<Uuid> = chunks
            .iter()
            .map(|_| self.0.environment.id::<ChunkId>().uuid())
            .collect();
        let indexes: Vec<i32> = (first..first + chunks.len())
            .map(|index| i32::try_from(index).unwrap_or(i32::MAX))
            .collect();
        let contents: Vec<&str> = chunks.iter().map(|chunk| chunk.content.as_str()).collect();
        let starts: Vec<i64> = chunks.iter().map(|chunk| number(chunk.range.start)).collect();
        let ends: Vec<i64> = chunks.iter().map(|chunk| number(chunk.range.end)).collect();
        let pages: Vec<Option<i32>> = chunks
            .iter()
            .map(|chunk| chunk.page.and_then(|page| i32::try_from(page).ok()))
            .collect();
        let headings: Vec<Json<&[String]>> = chunks
            .iter()
            .map(|chunk| Json(chunk.heading_path.as_slice()))
            .collect();
        let embeddings: Vec<&[u8]> = chunks.iter().map(|chunk| chunk.embedding.as_slice()).collect();
        let terms: Vec<&[u8]> = chunks.iter().map(|chunk| chunk.terms.as_slice()).collect();
        sqlx::query(
            "insert into chunks (id, organization_id, document_id, version, chunk_index, content, byte_start, byte_end, page,
                 heading_path, embedding, embedding_model, terms, created_at)
             select id, $1, $2, $3, chunk_index, content, byte_start, byte_end, page, heading_path, embedding,
                 case when embedding = '' then null else $4 end, terms, $5
             from unnest($6::uuid[], $7::int[], $8::text[], $9::bigint[], $10::bigint[], $11::int[], $12::jsonb[], $13::bytea[],
                 $14::bytea[]) as chunk (id, chunk_index, content, byte_start, byte_end, page, heading_path, embedding, terms)",
        )
        .bind(self.0.organization.uuid())
        .bind(document.uuid())
        .bind(version)
        .bind(model)
        .bind(self.0.environment.now())
        .bind(ids)
        .bind(indexes)
        .bind(contents)
        .bind(starts)
        .bind(ends)
        .bind(pages)
        .bind(headings)
        .bind(embeddings)
        .bind(terms)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// These passages, in the order asked, without those that are gone or that any of `readers` may not see. The only way from what
    /// an index found to text.
    pub async fn read(&mut self, ids: &[ChunkId], readers: &[Reader]) -> Result<Vec<Passage>> {
        let rows: Vec<Row> = sqlx::query_as(select!(
            "and c.id = any($2) and exists (select from knowledge_bases k
             where k.organization_id = $1 and k.id = d.knowledge_base_id and k.status <> 'archived')"
        ))
        .bind(self.0.organization.uuid())
        .bind(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
        .fetch_all(&mut *self.0.connection)
        .await?;
        let mut found: HashMap<ChunkId, Passage> = rows
            .into_iter()
            .map(|row| Passage::try_from(row).map(|passage| (passage.id, passage)))
            .collect::<Result<_>>()?;
        Ok(ids
            .iter()
            .filter_map(|id| found.remove(id))
            .filter(|passage| readers.iter().all(|reader| passage.audience.includes(reader)))
            .collect())
    }

    /// One passage that `reader` may see, of an archived knowledge base too.
    pub async fn get(&mut self, id: ChunkId, reader: &Reader) -> Result<Option<Passage>> {
        let row: Option<Row> = sqlx::query_as(select!("and c.id = $2"))
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .fetch_optional(&mut *self.0.connection)
            .await?;
        let passage = row.map(Passage::try_from).transpose()?;
        Ok(passage.filter(|passage| passage.audience.includes(reader)))
    }

    /// A page of a document's passages, in order.
    pub async fn of_document(
        &mut self,
        document: DocumentId,
        page: PageRequest<u32>,
    ) -> Result<Page<Passage>> {
        let rows: Vec<Row> = sqlx::query_as(select!(
            "and c.document_id = $2 and c.chunk_index > $3 order by c.chunk_index limit $4"
        ))
        .bind(self.0.organization.uuid())
        .bind(document.uuid())
        .bind(
            page.after
                .map_or(-1, |after| i32::try_from(after).unwrap_or(i32::MAX)),
        )
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        let rows = rows
            .into_iter()
            .map(Passage::try_from)
            .collect::<Result<Vec<_>>>()?;
        Ok(Page::from_rows(rows, page.limit, |passage| passage.index))
    }

    /// A stretch of a document's text, at most `range`; `None` when it has none yet.
    pub async fn text(&mut self, document: DocumentId, range: Range<usize>) -> Result<Option<TextWindow>> {
        let bounded = |place: usize| i32::try_from(place).unwrap_or(i32::MAX - 8);
        let row: Option<(Vec<u8>, i64, Json<Vec<String>>)> = sqlx::query_as(
            "select substring(convert_to(content, 'UTF8') from $3 for $4), octet_length(content)::bigint, warnings
             from document_texts where organization_id = $1 and document_id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(document.uuid())
        .bind(bounded(range.start) + 1)
        .bind(bounded(range.len()))
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(|(bytes, length, Json(warnings))| {
            let (content, skipped) = whole_characters(&bytes);
            let start = range.start.min(offset(length)?) + skipped;
            Ok(TextWindow {
                range: start..start + content.len(),
                content,
                length: offset(length)?,
                warnings,
            })
        })
        .transpose()
    }

    /// Passages of a knowledge base without a vector of `model`, in the order of their ids, after `after`.
    pub async fn unembedded(
        &mut self,
        knowledge_base: KnowledgeBaseId,
        model: &str,
        after: Option<ChunkId>,
        limit: u32,
    ) -> Result<Vec<Unembedded>> {
        let rows: Vec<(Uuid, String, Json<Vec<String>>, String)> = sqlx::query_as(
            "select c.id, d.title, c.heading_path, c.content
             from chunks c join documents d on d.organization_id = c.organization_id and d.id = c.document_id
             where c.organization_id = $1 and d.knowledge_base_id = $2 and ($4::uuid is null or c.id > $4)
             and c.embedding_model is distinct from $3
             and not exists (select from staged_embeddings s where s.chunk_id = c.id and s.model = $3)
             order by c.id limit $5",
        )
        .bind(self.0.organization.uuid())
        .bind(knowledge_base.uuid())
        .bind(model)
        .bind(after.map(Id::uuid))
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, title, Json(heading_path), content)| Unembedded {
                id: ChunkId::from_uuid(id),
                title,
                heading_path,
                content,
            })
            .collect())
    }

    /// Puts vectors of another model aside until all of their knowledge base are there. Passages that are gone are left out.
    pub async fn stage(&mut self, model: &str, vectors: &[(ChunkId, Vec<u8>)]) -> Result<()> {
        let ids: Vec<Uuid> = vectors.iter().map(|(id, _)| id.uuid()).collect();
        let bytes: Vec<&[u8]> = vectors.iter().map(|(_, vector)| vector.as_slice()).collect();
        sqlx::query(
            "insert into staged_embeddings (organization_id, chunk_id, model, embedding, created_at)
             select $1, c.id, $2, v.embedding, $3
             from unnest($4::uuid[], $5::bytea[]) as v (id, embedding)
             join chunks c on c.organization_id = $1 and c.id = v.id
             on conflict do nothing",
        )
        .bind(self.0.organization.uuid())
        .bind(model)
        .bind(self.0.environment.now())
        .bind(ids)
        .bind(bytes)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// How far a knowledge base is on its way to `model`, and how fast it moved since `since`.
    pub async fn moved(
        &mut self,
        knowledge_base: KnowledgeBaseId,
        model: &str,
        since: DateTime<Utc>,
    ) -> Result<Moved> {
        let (passages, embedded, begun, recent): (i64, i64, Option<DateTime<Utc>>, i64) = sqlx::query_as(
            "with passages as (
                 select c.embedding_model is not distinct from $3 or s.chunk_id is not null as embedded, s.created_at as staged_at
                 from chunks c join documents d on d.organization_id = c.organization_id and d.id = c.document_id
                 left join staged_embeddings s on s.organization_id = c.organization_id and s.chunk_id = c.id and s.model = $3
                 where c.organization_id = $1 and d.knowledge_base_id = $2
             ), begun as (select min(staged_at) as at from passages where staged_at >= $4)
             select count(*), count(*) filter (where embedded), max(begun.at), count(*) filter (where staged_at > begun.at)
             from passages cross join begun",
        )
        .bind(self.0.organization.uuid())
        .bind(knowledge_base.uuid())
        .bind(model)
        .bind(since)
        .fetch_one(&mut *self.0.connection)
        .await?;
        Ok(Moved {
            passages: passages.unsigned_abs(),
            embedded: embedded.unsigned_abs(),
            recent: begun.map(|begun| (begun, recent.unsigned_abs())),
        })
    }
}

/// The whole characters of a stretch cut anywhere out of UTF-8, and how many bytes of a cut one stand before them.
fn whole_characters(bytes: &[u8]) -> (String, usize) {
    let skipped = bytes
        .iter()
        .take(3)
        .take_while(|byte| (*byte & 0xc0) == 0x80)
        .count();
    let rest = &bytes[skipped..];
    let valid = match std::str::from_utf8(rest) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default(),
    };
    (valid.to_owned(), skipped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_window_holds_whole_characters_of_the_text(text in "[aé漢😀]{0,20}", start in 0usize..40, length in 0usize..40) {
            let start = start.min(text.len());
            let end = (start + length).min(text.len());
            let (window, skipped) = whole_characters(&text.as_bytes()[start..end]);
            prop_assert!(text.as_bytes()[start + skipped..].starts_with(window.as_bytes()));
            prop_assert!(end - start - skipped - window.len() < 4);
        }
    }
}
