//! What came out of a replay, for programs (JSON) and for people (a table), beside earlier and published figures.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::retrieval::Mode;

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// What is measured, e.g. `ndcg@10`.
    pub name: String,
    /// The figure.
    pub value: f64,
    /// What it is counted in: `share` (0 to 1), `ms`.
    pub unit: String,
}

/// What came out of replaying one set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The set's name.
    pub set: String,
    /// The signals used.
    pub mode: Mode,
    /// The embedding model, if any.
    pub model: Option<String>,
    /// Entries of the corpus.
    pub entries: usize,
    /// Passages they were split into.
    pub passages: usize,
    /// Questions that were replayed.
    pub questions: usize,
    /// The figures.
    pub measures: Vec<Measure>,
}

impl Report {
    /// The figure of a name.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.measures
            .iter()
            .find(|measure| measure.name == name)
            .map(|measure| measure.value)
    }
}

/// Figures by set and measure to compare with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Earlier(BTreeMap<String, BTreeMap<String, f64>>);

impl Earlier {
    /// Reads an earlier list of [`Report`]s, or an object of figures by set and measure.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        if let Ok(reports) = serde_json::from_str::<Vec<Report>>(json) {
            let figures = |report: Report| {
                report
                    .measures
                    .into_iter()
                    .map(|measure| (measure.name, measure.value))
                    .collect()
            };
            return Ok(Self(
                reports
                    .into_iter()
                    .map(|report| (report.set.clone(), figures(report)))
                    .collect(),
            ));
        }
        Ok(Self(serde_json::from_str(json)?))
    }

    fn value(&self, set: &str, measure: &str) -> Option<f64> {
        self.0.get(set)?.get(measure).copied()
    }
}

/// Published figures of other systems.
#[derive(Debug, Clone, Default)]
pub struct Anchors(Value);

impl Anchors {
    /// Reads an `anchors.json`: by set, a sentence `metric` that says what the figures are, and by system a figure, figures by
    /// `@k`, or figures by language.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        Ok(Self(serde_json::from_str(json)?))
    }

    /// The best published figure for a measure of a set, and the system it belongs to.
    fn best(&self, set: &str, measure: &str) -> Option<(f64, &str)> {
        let (family, language) = set.split_once('/').unwrap_or((set, ""));
        let systems = self.0.get(family)?.as_object()?;
        let metric = systems.get("metric")?.as_str()?.to_lowercase();
        let (name, depth) = measure.split_once('@')?;
        let depth = format!("@{depth}");
        let figure = |value: &Value| match value {
            Value::Object(by_key) if metric.starts_with(&format!("top-{}", &depth[1..])) => {
                by_key.get(name)?.as_f64()
            }
            Value::Object(by_key) if metric.contains("in top k") && name == "recall" => {
                by_key.get(&depth)?.as_f64()
            }
            Value::Object(by_key) if metric.starts_with(measure) => by_key.get(language)?.as_f64(),
            value if metric.starts_with(measure) => value.as_f64(),
            _ => None,
        };
        let figures = systems
            .iter()
            .filter_map(|(system, value)| Some((figure(value)?, system.as_str())));
        figures.max_by(|a, b| a.0.total_cmp(&b.0))
    }
}

/// The measures that a table shows.
const SHOWN: [&str; 5] = ["ndcg@10", "mrr@10", "hit@3", "recall@3", "recall@20"];

/// Reports as a table, one line each: the main measures with their change since an earlier run, the time of a search, and
/// below each the best published figures where there are any.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    /// What is shown.
    pub reports: &'a [Report],
    /// What it is compared with.
    pub earlier: Option<&'a Earlier>,
    /// What others have published.
    pub anchors: Option<&'a Anchors>,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<14} {:<8} {:>9}", "set", "mode", "questions")?;
        for name in SHOWN {
            write!(f, " {name:>14}")?;
        }
        writeln!(f, " {:>9} {:>9}", "p50 ms", "p95 ms")?;
        for report in self.reports {
            let mode = format!("{:?}", report.mode).to_lowercase();
            write!(f, "{:<14} {mode:<8} {:>9}", report.set, report.questions)?;
            for name in SHOWN {
                let value = report.value(name).unwrap_or(0.0);
                let before = self.earlier.and_then(|earlier| earlier.value(&report.set, name));
                let change = before.map_or(String::new(), |before| format!("{:+.3}", value - before));
                write!(f, " {value:>7.4}{change:>7}")?;
            }
            for name in ["search_p50", "search_p95"] {
                write!(f, " {:>9.3}", report.value(name).unwrap_or(0.0))?;
            }
            f.write_char('\n')?;
            for measure in &report.measures {
                if let Some((value, system)) = self
                    .anchors
                    .and_then(|anchors| anchors.best(&report.set, &measure.name))
                {
                    writeln!(f, "    best published {}: {value:.4} ({system})", measure.name)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(set: &str) -> Report {
        let measure = |name: &str, value| Measure {
            name: name.to_owned(),
            value,
            unit: "share".to_owned(),
        };
        Report {
            set: set.to_owned(),
            mode: Mode::Hybrid,
            model: None,
            entries: 1,
            passages: 1,
            questions: 1,
            measures: vec![
                measure("ndcg@10", 0.75),
                measure("recall@3", 0.5),
                measure("recall@20", 0.9),
            ],
        }
    }

    #[test]
    fn an_earlier_run_is_read_from_reports_and_from_plain_figures() {
        let reports = Earlier::parse(&serde_json::to_string(&vec![report("a")]).unwrap()).unwrap();
        let figures = Earlier::parse(r#"{"a": {"ndcg@10": 0.75}}"#).unwrap();
        assert_eq!(reports.value("a", "ndcg@10"), Some(0.75));
        assert_eq!(figures.value("a", "ndcg@10"), Some(0.75));
        let table = Table {
            reports: &[report("a")],
            earlier: Some(&figures),
            anchors: None,
        };
        assert!(table.to_string().contains("0.7500 +0.000"));
    }

    #[test]
    fn the_best_published_figure_is_found_in_each_shape() {
        let anchors = Anchors::parse(
            r#"{"plain": {"metric": "nDCG@10 of all", "one": 0.6, "two": 0.7, "source": "paper"},
                "spoken": {"metric": "nDCG@10 per language", "one": {"en": 0.9, "es": 0.8}},
                "deep": {"metric": "mean fraction in top k", "one": {"@20": 0.95}},
                "pages": {"metric": "top-3, all", "one": {"recall": 0.66, "mrr": 0.7}}}"#,
        )
        .unwrap();
        assert_eq!(anchors.best("plain", "ndcg@10"), Some((0.7, "two")));
        assert_eq!(anchors.best("plain", "recall@20"), None);
        assert_eq!(anchors.best("spoken/es", "ndcg@10"), Some((0.8, "one")));
        assert_eq!(anchors.best("deep", "recall@20"), Some((0.95, "one")));
        assert_eq!(anchors.best("pages", "recall@3"), Some((0.66, "one")));
    }
}
