//! A measured figure, and the table of them.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

/// Whether more or less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// A rate.
    More,
    /// A time or an amount.
    Less,
}

/// One measured figure.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// Which way is better.
    pub better: Better,
    /// What is demanded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// What is aimed at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aim: Option<f64>,
}

impl Figure {
    /// A figure without a target.
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str, better: Better) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            better,
            at_least: None,
            aim: None,
        }
    }

    /// The same figure with what is demanded and what is aimed at.
    #[must_use]
    pub fn target(mut self, at_least: f64, aim: f64) -> Self {
        (self.at_least, self.aim) = (Some(at_least), Some(aim));
        self
    }

    fn reaches(&self, target: f64) -> bool {
        match self.better {
            Better::More => self.value >= target,
            Better::Less => self.value <= target,
        }
    }

    fn verdict(&self) -> &'static str {
        match (self.at_least, self.aim) {
            (_, Some(aim)) if self.reaches(aim) => "aim reached",
            (Some(at_least), _) if self.reaches(at_least) => "enough",
            (Some(_), _) => "TOO LITTLE",
            _ => "",
        }
    }
}

/// The value below which the share `p` (0 to 1) of the durations lies, in milliseconds. Sorts them.
pub fn percentile(durations: &mut [Duration], p: f64) -> f64 {
    durations.sort_unstable();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small index"
    )]
    let at = ((durations.len().saturating_sub(1)) as f64 * p).round() as usize;
    durations
        .get(at)
        .map_or(f64::NAN, |duration| duration.as_secs_f64() * 1e3)
}

/// The figures as a table for a person.
pub fn table(figures: &[Figure]) -> String {
    let width = figures
        .iter()
        .map(|figure| figure.name.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    let target = |target: Option<f64>| target.map_or(String::new(), number);
    let _ = writeln!(
        text,
        "{:width$}  {:>12}  {:<10} {:>10} {:>10}",
        "", "measured", "", "at least", "aim"
    );
    for figure in figures {
        let Figure {
            name,
            value,
            unit,
            at_least,
            aim,
            ..
        } = figure;
        let _ = writeln!(
            text,
            "{name:width$}  {:>12}  {unit:<10} {:>10} {:>10}  {}",
            number(*value),
            target(*at_least),
            target(*aim),
            figure.verdict()
        );
    }
    text
}

fn number(value: f64) -> String {
    match value.abs() {
        v if v >= 1000.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}
