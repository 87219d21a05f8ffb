//! Typed identifiers. Every table's key is a UUIDv7 wrapped in its own type, so that a document's id cannot be
//! passed where an organisation's is meant. New ids come from [`crate::Environment::id`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An identifier of one kind of thing.
pub trait Id: Copy + Eq + fmt::Display {
    /// Wraps a UUID that is known to identify this kind of thing.
    fn from_uuid(uuid: Uuid) -> Self;
    /// The bare UUID, as stored.
    fn uuid(self) -> Uuid;
}

/// A text that is not an identifier.
#[derive(Debug, thiserror::Error)]
#[error("not a valid {kind} id")]
pub struct ParseIdError {
    kind: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl Id for $name {
            fn from_uuid(uuid: Uuid) -> Self { Self(uuid) }
            fn uuid(self) -> Uuid { self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self).map_err(|_| ParseIdError { kind: $kind })
            }
        }
    )*};
}

ids! {
    /// An organisation: the tenant.
    OrganizationId = "organization";
    /// A person who can sign in.
    UserId = "user";
    /// A user's place in one organisation.
    MemberId = "member";
    /// An invitation to join an organisation.
    InvitationId = "invitation";
    /// One refresh token of a signed-in device.
    RefreshTokenId = "refresh token";
    /// All refresh tokens that descend from one sign-in.
    TokenFamilyId = "token family";
    /// A link that works once: first sign-in, password reset.
    AccountLinkId = "account link";
    /// One deviation of an organisation from what a role may do by default.
    RolePermissionId = "role permission";
    /// A count of what an organisation has used.
    UsageCounterId = "usage counter";
    /// Machine access to one organisation.
    ApiKeyId = "API key";
    /// A named collection of documents.
    KnowledgeBaseId = "knowledge base";
    /// Where documents come from.
    SourceId = "source";
    /// One document.
    DocumentId = "document";
    /// One passage of a document.
    ChunkId = "chunk";
    /// One question asked.
    QuestionId = "question";
    /// What was answered to a question.
    AnswerId = "answer";
    /// A signed-in user's own conversation with Amebo.
    SessionId = "session";
    /// A unit of background work.
    JobId = "job";
    /// An entry of the outbox.
    EventId = "event";
    /// A stored file.
    BlobId = "blob";
    /// One request over HTTP, as logs, problem documents and the audit log name it.
    RequestId = "request";
    /// An entry of the audit log.
    AuditEntryId = "audit entry";
    /// A wrapped data key.
    DataKeyId = "data key";
    /// A language-model or embedding provider configured by an organisation.
    ProviderId = "provider";
    /// Questions with known answers.
    EvaluationSetId = "evaluation set";
    /// One replay of an evaluation set.
    EvaluationRunId = "evaluation run";
    /// One connected account of a channel.
    ChannelConnectionId = "channel connection";
    /// A person outside, across channels.
    ContactId = "contact";
    /// What a person is called on one channel.
    ChannelIdentityId = "channel identity";
    /// A link by which a member says who they are on a channel.
    ChannelLinkId = "channel link";
    /// One thread of exchange on a channel.
    ConversationId = "conversation";
    /// One utterance of a conversation.
    MessageId = "message";
    /// A webhook as it was accepted.
    InboundEventId = "inbound event";
    /// Something to be sent out.
    DeliveryId = "delivery";
    /// A channel of a Slack workspace that is mirrored.
    SlackChannelId = "Slack channel";
    /// A user of a Slack workspace that is mirrored.
    SlackUserId = "Slack user";
    /// One import of a Slack export.
    SlackImportId = "Slack import";
    /// A file shared in a mirrored Slack channel.
    SlackFileId = "Slack file";
    /// An organisation's own mark.
    LogoId = "logo";
    /// A public profile of an organisation.
    SocialLinkId = "social link";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_text_and_rejects_other_text() {
        let id = DocumentId::from_uuid(Uuid::from_u128(7));
        assert_eq!(id.to_string().parse::<DocumentId>().unwrap(), id);
        assert_eq!(
            "7".parse::<DocumentId>().unwrap_err().to_string(),
            "not a valid document id"
        );
    }
}
