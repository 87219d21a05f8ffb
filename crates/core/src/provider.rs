//! Services that write text for an organisation.

use crate::permission::named_enum;

named_enum! {
    /// The interface a language-model provider speaks.
    pub enum ProviderProtocol {
        /// Anthropic Messages.
        Anthropic = "anthropic",
        /// OpenAI chat completions, and whatever is compatible with them.
        OpenAi = "openai",
    }
}
