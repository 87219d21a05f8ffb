//! Services that write text or make vectors for an organisation.

use crate::id::ProviderId;
use crate::permission::named_enum;

named_enum! {
    /// What a provider is for.
    pub enum ProviderKind {
        /// It writes answers.
        Language = "language",
        /// It makes vectors of texts.
        Embedding = "embedding",
    }
}

named_enum! {
    /// The interface a provider speaks.
    pub enum ProviderProtocol {
        /// Anthropic Messages, for language models.
        Anthropic = "anthropic",
        /// OpenAI chat completions or embeddings, and whatever is compatible with them.
        OpenAi = "openai",
        /// Voyage embeddings.
        Voyage = "voyage",
    }
}

impl ProviderProtocol {
    /// Whether providers of a kind speak it.
    pub fn is_for(self, kind: ProviderKind) -> bool {
        match self {
            Self::Anthropic => kind == ProviderKind::Language,
            Self::OpenAi => true,
            Self::Voyage => kind == ProviderKind::Embedding,
        }
    }
}

/// The name by which knowledge bases and passages know an organisation's own embedding model. It begins with the provider, since two
/// providers' models of one name need not give the same vectors.
pub fn embedding_model(provider: ProviderId, model: &str) -> String {
    format!("{provider}/{model}")
}

/// The provider and its model behind such a name; `None` for a model of the server.
pub fn provider_of(embedding_model: &str) -> Option<(ProviderId, &str)> {
    let (provider, model) = embedding_model.split_once('/')?;
    Some((provider.parse().ok()?, model))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;
    use uuid::Uuid;

    #[test]
    fn the_name_of_an_own_model_leads_back_to_its_provider() {
        let provider = ProviderId::from_uuid(Uuid::from_u128(7));
        let name = embedding_model(provider, "acme/wren-2");
        assert_eq!(provider_of(&name), Some((provider, "acme/wren-2")));
        assert_eq!(provider_of("granite-embedding"), None);
        assert_eq!(provider_of("ibm-granite/granite-embedding"), None);
    }
}
