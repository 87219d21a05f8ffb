//! An organisation's plan and what the plan allows.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::permission::named_enum;

named_enum! {
    /// Whether an organisation's subscription is running.
    pub enum SubscriptionStatus {
        /// Trying the product, until `trial_ends_at`.
        Trial = "trial",
        /// Paid for.
        Active = "active",
        /// Suspended by the operator; its members can sign in and read but start nothing new.
        Inactive = "inactive",
        /// Ended.
        Cancelled = "cancelled",
    }
}

impl SubscriptionStatus {
    /// The status that counts at `now`: a trial past its end rests.
    #[must_use]
    pub fn effective(self, trial_ends_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        match self {
            Self::Trial if trial_ends_at.is_some_and(|end| end <= now) => Self::Inactive,
            other => other,
        }
    }
}

named_enum! {
    /// Whether a member may act.
    pub enum MemberStatus {
        /// May act within their role.
        Active = "active",
        /// May not act at all, with any credential.
        Suspended = "suspended",
    }
}

named_enum! {
    /// What an organisation subscribed to.
    pub enum Plan {
        /// For trying things out.
        Free = "free",
        /// A small team.
        Starter = "starter",
        /// A company.
        Professional = "professional",
        /// No practical limits.
        Enterprise = "enterprise",
    }
}

named_enum! {
    /// What a logo may be. Pictures that can hold programs (SVG) are not among them.
    pub enum LogoType {
        /// Portable Network Graphics.
        Png = "image/png",
        /// JPEG.
        Jpeg = "image/jpeg",
        /// WebP.
        Webp = "image/webp",
    }
}

impl LogoType {
    /// What a file is by its first bytes, whatever it is called.
    pub fn of_content(content: &[u8]) -> Option<Self> {
        match content {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            _ => None,
        }
    }
}

named_enum! {
    /// Where organisations have public profiles.
    pub enum SocialPlatform {
        /// Twitter, which calls itself X.
        Twitter = "twitter",
        /// Facebook.
        Facebook = "facebook",
        /// `LinkedIn`.
        LinkedIn = "linkedin",
        /// Instagram.
        Instagram = "instagram",
        /// `YouTube`.
        YouTube = "youtube",
    }
}

impl SocialPlatform {
    /// The hosts a profile there can lie on, or below.
    pub const fn hosts(self) -> &'static [&'static str] {
        match self {
            Self::Twitter => &["x.com", "twitter.com"],
            Self::Facebook => &["facebook.com", "fb.com"],
            Self::LinkedIn => &["linkedin.com"],
            Self::Instagram => &["instagram.com"],
            Self::YouTube => &["youtube.com", "youtu.be"],
        }
    }
}

/// The largest amounts a plan allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// People with access.
    pub members: u64,
    /// Documents kept.
    pub documents: u64,
    /// Bytes of original files kept.
    pub storage_bytes: u64,
    /// Bytes of one uploaded file.
    pub upload_bytes: u64,
    /// Questions answered in a calendar month.
    pub ai_answers: u64,
    /// Requests in a minute, over all credentials.
    pub requests_per_minute: u32,
}

/// An organisation's deviations from its plan; what is absent follows the plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LimitOverrides {
    /// See [`Limits::members`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<u64>,
    /// See [`Limits::documents`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documents: Option<u64>,
    /// See [`Limits::storage_bytes`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_bytes: Option<u64>,
    /// See [`Limits::upload_bytes`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_bytes: Option<u64>,
    /// See [`Limits::ai_answers`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ai_answers: Option<u64>,
    /// See [`Limits::requests_per_minute`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

impl Plan {
    /// The plan's limits before an organisation's overrides.
    pub const fn limits(self) -> Limits {
        match self {
            Plan::Free => Limits {
                members: 10,
                documents: 2_000,
                storage_bytes: 2 * GIB,
                upload_bytes: 25 * MIB,
                ai_answers: 2_000,
                requests_per_minute: 600,
            },
            Plan::Starter => Limits {
                members: 50,
                documents: 20_000,
                storage_bytes: 20 * GIB,
                upload_bytes: 50 * MIB,
                ai_answers: 20_000,
                requests_per_minute: 3_000,
            },
            Plan::Professional => Limits {
                members: 1_000,
                documents: 500_000,
                storage_bytes: 500 * GIB,
                upload_bytes: 100 * MIB,
                ai_answers: 500_000,
                requests_per_minute: 20_000,
            },
            Plan::Enterprise => Limits {
                members: 1_000_000,
                documents: 100_000_000,
                storage_bytes: 100 << 40,
                upload_bytes: 100 * MIB,
                ai_answers: 1_000_000_000,
                requests_per_minute: 1_000_000,
            },
        }
    }
}

impl Limits {
    /// These limits with an organisation's overrides in place.
    #[must_use]
    pub fn with(self, overrides: &LimitOverrides) -> Self {
        Self {
            members: overrides.members.unwrap_or(self.members),
            documents: overrides.documents.unwrap_or(self.documents),
            storage_bytes: overrides.storage_bytes.unwrap_or(self.storage_bytes),
            upload_bytes: overrides.upload_bytes.unwrap_or(self.upload_bytes),
            ai_answers: overrides.ai_answers.unwrap_or(self.ai_answers),
            requests_per_minute: overrides.requests_per_minute.unwrap_or(self.requests_per_minute),
        }
    }
}

/// A URL-safe name made from a company's name: lower-case ASCII letters and digits joined by single hyphens, at most 48
/// characters, never empty.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
        if slug.len() == 48 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "organization".to_owned()
    } else {
        slug.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_slug_is_url_safe_whatever_the_name(name in ".{0,80}") {
            let slug = slug(&name);
            prop_assert!(!slug.is_empty() && slug.len() <= 48);
            prop_assert!(slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
            prop_assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"));
        }
    }

    #[test]
    fn a_picture_is_what_its_bytes_say() {
        assert_eq!(
            LogoType::of_content(b"\x89PNG\r\n\x1a\n\0\0"),
            Some(LogoType::Png)
        );
        assert_eq!(LogoType::of_content(b"\xff\xd8\xff\xe0"), Some(LogoType::Jpeg));
        assert_eq!(
            LogoType::of_content(b"RIFF\x10\0\0\0WEBPVP8 "),
            Some(LogoType::Webp)
        );
        for other in [
            &b"<svg onload=alert(1)>"[..],
            b"GIF89a",
            b"",
            b"RIFF\x10\0\0\0WAVE",
        ] {
            assert_eq!(LogoType::of_content(other), None);
        }
    }

    #[test]
    fn an_override_replaces_only_its_own_limit() {
        let overrides = LimitOverrides {
            members: Some(3),
            ..LimitOverrides::default()
        };
        let limits = Plan::Free.limits().with(&overrides);
        assert_eq!(limits.members, 3);
        assert_eq!(limits.documents, Plan::Free.limits().documents);
    }
}
