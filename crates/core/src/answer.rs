//! What becomes of a question.

use serde::{Deserialize, Serialize};

use crate::permission::named_enum;

named_enum! {
    /// How a question ended. Every question ends in exactly one.
    pub enum Outcome {
        /// Answered, with citations.
        Answered = "answered",
        /// Not answered, because the evidence does not carry an answer; says what was searched.
        Declined = "declined",
        /// Handed to a person.
        Escalated = "escalated",
        /// Something broke; says so in a sentence a person understands.
        Failed = "failed",
    }
}

named_enum! {
    /// Why a question was declined.
    pub enum DeclineReason {
        /// There is nothing in scope that the asker may see.
        NothingToSearch = "nothing_to_search",
        /// Nothing that was found has to do with the question.
        NothingFound = "nothing_found",
        /// Passages were found, but the confidence is below the organisation's threshold.
        LowConfidence = "low_confidence",
        /// A model wrote an answer and the check struck all of it, since no citation carried it. Only answers of earlier versions say
        /// so: now quotations stand in.
        Unsupported = "unsupported",
    }
}

named_enum! {
    /// How the text of an answer came about.
    pub enum Composer {
        /// The best sentences of the passages, quoted word for word.
        Extractive = "extractive",
        /// Written by a language model and checked against its citations.
        Model = "model",
    }
}

named_enum! {
    /// Where a question was asked.
    pub enum Origin {
        /// Through the API, on its own.
        Api = "api",
        /// In a signed-in person's session.
        Session = "session",
        /// Through the OpenAI-compatible endpoint.
        ChatCompletions = "chat_completions",
        /// By a model's tool over the Model Context Protocol.
        Mcp = "mcp",
        /// From the terminal.
        Terminal = "terminal",
        /// In Slack.
        Slack = "slack",
    }
}

named_enum! {
    /// What the asker thought of an answer.
    pub enum Rating {
        /// Helpful.
        Up = "up",
        /// Not helpful.
        Down = "down",
    }
}

/// The probability, between 0 and 1, that an answer is right, as calibrated on evaluation data.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Confidence(f64);

named_enum! {
    /// A confidence in words.
    pub enum ConfidenceLevel {
        /// Likely right.
        High = "high",
        /// More likely right than not.
        Medium = "medium",
        /// More likely wrong than right.
        Low = "low",
    }
}

impl Confidence {
    /// A probability; what lies outside 0 to 1 is brought to the nearer end, and not-a-number counts as 0.
    pub fn new(probability: f64) -> Self {
        Self(if probability.is_nan() {
            0.0
        } else {
            probability.clamp(0.0, 1.0)
        })
    }

    /// The probability.
    pub fn value(self) -> f64 {
        self.0
    }

    /// The probability in words: high from 0.8, medium from 0.5.
    pub fn level(self) -> ConfidenceLevel {
        match self.0 {
            p if p >= 0.8 => ConfidenceLevel::High,
            p if p >= 0.5 => ConfidenceLevel::Medium,
            _ => ConfidenceLevel::Low,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confidence_stays_between_zero_and_one() {
        assert!((Confidence::new(7.0).value() - 1.0).abs() < f64::EPSILON);
        assert!(Confidence::new(f64::NAN).value().abs() < f64::EPSILON);
        assert_eq!(Confidence::new(0.8).level(), ConfidenceLevel::High);
        assert_eq!(Confidence::new(0.2).level(), ConfidenceLevel::Low);
    }
}
