//! A document's way from bytes to searchable passages, and who may see it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::{SlackChannelId, UserId};
use crate::permission::Role;
use crate::permission::named_enum;

named_enum! {
    /// How far a document has come.
    pub enum DocumentStatus {
        /// The bytes are stored; a job will take them up.
        Uploaded = "uploaded",
        /// Text is being extracted.
        Processing = "processing",
        /// The text is being split into passages.
        Chunking = "chunking",
        /// Passages are being turned into vectors.
        Embedding = "embedding",
        /// Findable.
        Indexed = "indexed",
        /// Set aside, with a reason a person can act on.
        Failed = "failed",
    }
}

impl DocumentStatus {
    /// Whether a document may move from this status to `next`. A document moves forward, may fail from any unfinished
    /// status, and starts over (re-index, replace, retry) by returning to `Processing`.
    pub fn may_become(self, next: Self) -> bool {
        use DocumentStatus as S;
        matches!(
            (self, next),
            (
                S::Uploaded | S::Indexed | S::Failed | S::Processing | S::Chunking | S::Embedding,
                S::Processing
            ) | (S::Processing, S::Chunking)
                | (S::Chunking, S::Embedding)
                | (S::Embedding, S::Indexed)
                | (
                    S::Uploaded | S::Processing | S::Chunking | S::Embedding,
                    S::Failed
                )
        )
    }

    /// Whether no work is under way or due.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Indexed | Self::Failed)
    }
}

named_enum! {
    /// Whether a knowledge base takes part in answers.
    pub enum KnowledgeBaseStatus {
        /// Searched and open for documents.
        Active = "active",
        /// Its passages are being embedded with another model; still searched with the old one.
        Building = "building",
        /// Kept, but neither searched nor open for documents.
        Archived = "archived",
    }
}

named_enum! {
    /// Why a knowledge base does not get on with its move to another embedding model.
    pub enum MoveProblem {
        /// The model is not at hand: it was taken away, or is not installed. The move goes on when it is there again.
        ModelMissing = "model_missing",
        /// The model's service is unreachable, overloaded or faltering.
        ModelUnavailable = "model_unavailable",
        /// The model's service refuses the texts: usually its key, its quota or the name of the model is wrong.
        ModelRefused = "model_refused",
        /// The model's service gives answers that cannot be used: usually its address or the name of the model is wrong.
        BadAnswer = "bad_answer",
        /// Something broke inside.
        Failed = "failed",
    }
}

named_enum! {
    /// Where documents come from.
    pub enum SourceKind {
        /// Files a person uploaded.
        Upload = "upload",
        /// A synchronised Slack workspace.
        Slack = "slack",
        /// Web pages.
        Web = "web",
        /// Documents pushed by a program.
        Api = "api",
        /// Conversations of a customer channel.
        Channel = "channel",
    }
}

named_enum! {
    /// How often a source is read again.
    pub enum Interval {
        /// Every night.
        Day = "day",
        /// In the night to every Monday.
        Week = "week",
    }
}

named_enum! {
    /// What came of reading a source.
    pub enum ReadOutcome {
        /// It says something new, which is being processed.
        Changed = "changed",
        /// It says what it said before.
        Unchanged = "unchanged",
        /// It could not be read.
        Failed = "failed",
    }
}

/// Who may see a document. Serialised as stored and as shown in the API, tagged by `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Audience {
    /// Every member of the organisation.
    #[default]
    Organization,
    /// The listed roles and people; nobody else, administrators included.
    Members {
        /// Everyone who has one of these roles.
        #[serde(default)]
        roles: Vec<Role>,
        /// These people.
        #[serde(default)]
        users: Vec<UserId>,
    },
    /// Exactly the members of a Slack channel, as they are when somebody asks; nobody else, administrators included.
    SlackChannel {
        /// The channel.
        channel: SlackChannelId,
    },
    /// Everyone, contacts and anonymous visitors included.
    Public,
}

/// Who will read an answer. What they may not see is never scored, quoted or counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reader {
    /// A member of the organisation.
    Member {
        /// The person.
        user: UserId,
        /// Their role.
        role: Role,
        /// The Slack channels they are in.
        channels: Arc<[SlackChannelId]>,
    },
    /// Everybody who can read a Slack channel, together.
    SlackChannel {
        /// The channel.
        channel: SlackChannelId,
        /// Whether all of them belong to the organisation: none is a guest or from another company.
        insiders: bool,
    },
    /// A program that acts for the organisation as a whole.
    Machine,
    /// A contact or visitor.
    Outsider,
}

impl Audience {
    /// Whether `reader` belongs to this audience.
    pub fn includes(&self, reader: &Reader) -> bool {
        match (self, reader) {
            (Audience::Public, _)
            | (
                Audience::Organization,
                Reader::Member { .. } | Reader::Machine | Reader::SlackChannel { insiders: true, .. },
            ) => true,
            (Audience::Members { roles, users }, Reader::Member { user, role, .. }) => {
                roles.contains(role) || users.contains(user)
            }
            (Audience::SlackChannel { channel }, Reader::Member { channels, .. }) => {
                channels.contains(channel)
            }
            (Audience::SlackChannel { channel }, Reader::SlackChannel { channel: read, .. }) => {
                channel == read
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;
    use proptest::prelude::*;
    use uuid::Uuid;

    proptest! {
        #[test]
        fn a_status_never_moves_backward_except_to_start_over(
            from in prop::sample::select(DocumentStatus::ALL), to in prop::sample::select(DocumentStatus::ALL)
        ) {
            if from.may_become(to) && to != DocumentStatus::Processing {
                prop_assert!(to > from);
            }
        }
    }

    fn member(user: UserId, role: Role, channels: &[SlackChannelId]) -> Reader {
        Reader::Member {
            user,
            role,
            channels: channels.into(),
        }
    }

    #[test]
    fn what_was_said_in_a_channel_is_seen_by_its_members_only() {
        let channels = [1, 2].map(|number| SlackChannelId::from_uuid(Uuid::from_u128(number)));
        let anna = UserId::from_uuid(Uuid::from_u128(1));
        let audience = Audience::SlackChannel { channel: channels[0] };
        assert!(audience.includes(&member(anna, Role::Viewer, &channels)));
        for reader in [
            member(anna, Role::Owner, &channels[1..]),
            Reader::Machine,
            Reader::Outsider,
        ] {
            assert!(!audience.includes(&reader), "{reader:?}");
        }
        let together = |channel, insiders| Reader::SlackChannel { channel, insiders };
        assert!(audience.includes(&together(channels[0], false)));
        assert!(!audience.includes(&together(channels[1], true)));
        assert!(Audience::Organization.includes(&together(channels[0], true)));
        assert!(!Audience::Organization.includes(&together(channels[0], false)));
        assert!(Audience::Public.includes(&together(channels[0], false)));
    }

    #[test]
    fn an_outsider_sees_only_what_is_public() {
        assert!(Audience::Public.includes(&Reader::Outsider));
        assert!(!Audience::Organization.includes(&Reader::Outsider));
    }

    #[test]
    fn a_restricted_document_is_seen_by_its_roles_and_people_only() {
        let (anna, ben) = (
            UserId::from_uuid(Uuid::from_u128(1)),
            UserId::from_uuid(Uuid::from_u128(2)),
        );
        let audience = Audience::Members {
            roles: vec![Role::Manager],
            users: vec![anna],
        };
        assert!(audience.includes(&member(anna, Role::Viewer, &[])));
        assert!(audience.includes(&member(ben, Role::Manager, &[])));
        assert!(!audience.includes(&member(ben, Role::Owner, &[])));
        assert!(!audience.includes(&Reader::Machine));
    }

    #[test]
    fn an_audience_is_stored_with_its_kind() {
        assert_eq!(
            serde_json::to_string(&Audience::Organization).unwrap(),
            r#"{"kind":"organization"}"#
        );
    }
}
