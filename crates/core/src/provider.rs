//! Services that write or embed text for an organisation.

use crate::permission::named_enum;

named_enum! {
    /// What a provider is used for.
    pub enum ProviderPurpose {
        /// Writing answers.
        Language = "language",
        /// Turning passages and questions into vectors.
        Embedding = "embedding",
    }
}

named_enum! {
    /// The interface a provider speaks.
    pub enum ProviderProtocol {
        /// Anthropic Messages.
        Anthropic = "anthropic",
        /// OpenAI chat completions or embeddings, and whatever is compatible with them.
        OpenAi = "openai",
        /// Voyage embeddings.
        Voyage = "voyage",
    }
}

impl ProviderProtocol {
    /// Whether services of this interface do this.
    pub fn serves(self, purpose: ProviderPurpose) -> bool {
        match self {
            Self::Anthropic => purpose == ProviderPurpose::Language,
            Self::OpenAi => true,
            Self::Voyage => purpose == ProviderPurpose::Embedding,
        }
    }
}
