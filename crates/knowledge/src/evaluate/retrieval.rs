//! How good and how fast retrieval is on a set.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::Error;
use super::library::{Library, Options};
use super::metric::{self, DEPTH};
use super::report::{Measure, Report};
use super::set::Set;
use crate::index::Hits;

/// Which signals are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Words and vectors, as in production.
    #[default]
    Hybrid,
    /// Words only.
    Lexical,
    /// Vectors only.
    Dense,
}

/// Passages asked for, so that a hundred different entries are among them.
const PASSAGES: usize = DEPTH * 8;

/// Replays a set: builds its library, searches every question that has judgements, measures.
pub async fn evaluate(set: &Set, mode: Mode, options: &Options) -> Result<Report, Error> {
    let mut options = options.clone();
    if mode == Mode::Lexical {
        options.model = None;
    }
    let mut library = Library::build(set, &options).await?;
    let mut rankings = Vec::new();
    let mut times = Vec::new();
    for question in &set.questions {
        let Some(gains) = set.judgements.get(&question.id) else {
            continue;
        };
        let mut query = library.prepare(question, mode == Mode::Lexical).await?;
        if mode == Mode::Dense {
            query.text.clear();
        }
        query.limit = PASSAGES;
        rankings.push((entries(&library, &library.search(&query).await?), gains));
        query.limit = 10;
        let begun = Instant::now();
        library.search(&query).await?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let mut measures = metric::of_rankings(
        rankings
            .iter()
            .map(|(ranking, gains)| (ranking.as_slice(), *gains)),
    );
    for (name, share) in [("search_p50", 0.5), ("search_p95", 0.95)] {
        let value = metric::percentile(&mut times, share);
        measures.push(Measure {
            name: name.to_owned(),
            value,
            unit: "ms".to_owned(),
        });
    }
    Ok(Report {
        set: set.name.clone(),
        mode,
        model: options.model.map(|model| model.model().id.clone()),
        entries: set.entries.len(),
        passages: library.passages(),
        questions: rankings.len(),
        measures,
    })
}

/// The entries of the passages found, each at the place of its best passage.
fn entries(library: &Library, hits: &Hits) -> Vec<String> {
    let mut ranking: Vec<String> = Vec::with_capacity(DEPTH);
    for held in hits.hits.iter().filter_map(|hit| library.passage(hit.chunk)) {
        if ranking.len() < DEPTH && !ranking.contains(&held.entry) {
            ranking.push(held.entry.clone());
        }
    }
    ranking
}
