//! What an organisation's pages carry: its logo, and links to its public profiles.

use std::collections::HashSet;

use amebo_core::organization::{LogoType, SocialPlatform};
use amebo_core::permission::{Action, Resource};
use amebo_core::picture;
use amebo_store::audit::NewEntry;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use url::Url;

pub use amebo_store::branding::{Logo, SocialLink};

use crate::{Access, App, Error, FieldError, Result};

/// The most bytes a logo may have.
pub const LARGEST_LOGO: usize = 256 << 10;
/// How many pixels wide and high a logo may be. A few kilobytes can unpack to gigabytes in the browser of everybody who sees the page.
pub const LONGEST_SIDE: u32 = 2048;
/// How many bytes of its hash name a logo.
const VERSION_BYTES: usize = 8;

impl App {
    /// Puts a picture on the organisation's pages, in the place of the one before. What it is, its bytes say.
    pub async fn set_logo(&self, access: &Access, content: Vec<u8>) -> Result<()> {
        let permit = access.permit(Resource::Organization, Action::Update)?;
        if content.len() > LARGEST_LOGO {
            return Err(Error::invalid(
                "/logo",
                format!("a logo has at most {} kB", LARGEST_LOGO >> 10),
            ));
        }
        let kind = LogoType::of_content(&content)
            .ok_or_else(|| Error::invalid("/logo", "a logo is a PNG, JPEG or WebP picture"))?;
        let (width, height) = picture::dimensions(kind, &content).ok_or_else(|| {
            Error::invalid(
                "/logo",
                "this picture is damaged: it does not say how large it is",
            )
        })?;
        if width.max(height) > LONGEST_SIDE {
            return Err(Error::invalid(
                "/logo",
                format!(
                    "a logo is at most {LONGEST_SIDE} pixels wide and high; this picture is {width} by {height}"
                ),
            ));
        }
        let logo = Logo {
            kind,
            version: hex::encode(&Sha256::digest(&content)[..VERSION_BYTES]),
            content,
        };
        let mut tx = self.store.begin(&permit).await?;
        tx.branding().set_logo(&logo).await?;
        let entry = NewEntry::new("organization.logo", "organization")
            .of(access.organization())
            .details(json!({
                "type": kind, "bytes": logo.content.len(), "width": width, "height": height, "version": logo.version,
            }));
        tx.audit().append(entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Takes the organisation's picture off its pages.
    pub async fn remove_logo(&self, access: &Access) -> Result<()> {
        let permit = access.permit(Resource::Organization, Action::Update)?;
        let mut tx = self.store.begin(&permit).await?;
        if tx.branding().remove_logo().await? {
            let entry = NewEntry::new("organization.logo", "organization")
                .of(access.organization())
                .details(json!({ "removed": true }));
            tx.audit().append(entry).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The picture of the organisation at this address, for anybody: the page on which people sign in shows it.
    pub async fn logo(&self, slug: &str) -> Result<Logo> {
        let mut tx = self.store.begin_system().await?;
        let logo = tx.branding().logo(slug).await?;
        tx.commit().await?;
        logo.ok_or(Error::NotFound("logo"))
    }

    /// The organisation's public profiles.
    pub async fn social_links(&self, access: &Access) -> Result<Vec<SocialLink>> {
        let permit = access.permit(Resource::Organization, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let links = tx.branding().social_links().await?;
        tx.commit().await?;
        Ok(links)
    }

    /// Puts these public profiles in the place of those before.
    pub async fn set_social_links(&self, access: &Access, links: Vec<SocialLink>) -> Result<Vec<SocialLink>> {
        let permit = access.permit(Resource::Organization, Action::Update)?;
        let links = checked(links)?;
        let mut tx = self.store.begin(&permit).await?;
        let before = tx.branding().social_links().await?;
        tx.branding().set_social_links(&links).await?;
        let after = tx.branding().social_links().await?;
        if before != after {
            let entry = NewEntry::new("organization.social_links", "organization")
                .of(access.organization())
                .details(json!({ "before": described(&before), "after": described(&after) }));
            tx.audit().append(entry).await?;
        }
        tx.commit().await?;
        Ok(after)
    }
}

/// The links with their addresses in order, or what is wrong with which.
fn checked(links: Vec<SocialLink>) -> Result<Vec<SocialLink>> {
    let mut wrong = Vec::new();
    let mut seen: HashSet<SocialPlatform> = HashSet::new();
    let mut kept = Vec::with_capacity(links.len());
    for (index, link) in links.into_iter().enumerate() {
        let mut refuse = |message: String| {
            wrong.push(FieldError {
                pointer: format!("/items/{index}/url"),
                message,
            });
        };
        if !seen.insert(link.platform) {
            refuse("one profile on each platform".to_owned());
            continue;
        }
        match Url::parse(link.url.trim()) {
            Ok(url) if is_profile(&url, link.platform) && url.as_str().len() <= 500 => {
                kept.push(SocialLink {
                    url: url.into(),
                    ..link
                });
            }
            _ => refuse(format!(
                "an https address on {}",
                link.platform.hosts().join(" or ")
            )),
        }
    }
    if wrong.is_empty() {
        Ok(kept)
    } else {
        Err(Error::Invalid(wrong))
    }
}

/// Whether an address can be a profile on a platform, rather than lead elsewhere under its name.
fn is_profile(url: &Url, platform: SocialPlatform) -> bool {
    let is_there = |host: &str| {
        platform.hosts().iter().any(|known| {
            host == *known
                || host
                    .strip_suffix(known)
                    .is_some_and(|before| before.ends_with('.'))
        })
    };
    url.scheme() == "https"
        && url.username().is_empty()
        && url.password().is_none()
        && url.port().is_none()
        && url.host_str().is_some_and(is_there)
}

fn described(links: &[SocialLink]) -> serde_json::Value {
    links
        .iter()
        .map(|link| (link.platform.to_string(), json!(link.url)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_lies_where_it_says() {
        let lies = |url: &str, platform| is_profile(&Url::parse(url).unwrap(), platform);
        assert!(lies(
            "https://www.linkedin.com/company/acme",
            SocialPlatform::LinkedIn
        ));
        assert!(lies("https://x.com/acme", SocialPlatform::Twitter));
        for other in [
            "http://linkedin.com/company/acme",
            "https://notlinkedin.com/company/acme",
            "https://linkedin.com.example.com/acme",
            "https://linkedin.com@example.com/",
            "https://x.com/acme",
        ] {
            assert!(!lies(other, SocialPlatform::LinkedIn), "{other}");
        }
    }
}
