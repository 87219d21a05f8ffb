//! What an organisation's pages carry: its logo, and links to its public profiles.

use amebo_core::id::{Id, LogoId, OrganizationId, SocialLinkId};
use amebo_core::organization::{LogoType, SocialPlatform};
use sqlx::PgConnection;

use crate::error::{Result, parse};
use crate::transaction::{Scope, SystemScope};
use crate::{OrgTx, SystemTx};

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    /// What it is, decided by its content.
    pub kind: LogoType,
    /// Its bytes.
    pub content: Vec<u8>,
    /// Changes with its content.
    pub version: String,
}

/// A public profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocialLink {
    /// Where.
    pub platform: SocialPlatform,
    /// Its address.
    pub url: String,
}

impl OrgTx {
    /// What the organisation's pages carry.
    pub fn branding(&mut self) -> Branding<'_> {
        Branding(self.scope())
    }
}

impl SystemTx {
    /// What organisations show to people who are not signed in.
    pub fn branding(&mut self) -> PublicBranding<'_> {
        PublicBranding(self.scope())
    }
}

/// What the current organisation's pages carry.
#[derive(Debug)]
pub struct Branding<'a>(Scope<'a>);

impl Branding<'_> {
    /// Puts a picture in the place of the one before.
    pub async fn set_logo(&mut self, logo: &Logo) -> Result<()> {
        let (id, now) = (self.0.environment.id::<LogoId>(), self.0.environment.now());
        sqlx::query(
            "insert into logos (id, organization_id, mime_type, content, version, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $6)
             on conflict on constraint logos_organization do update
             set mime_type = excluded.mime_type, content = excluded.content, version = excluded.version, updated_at = excluded.updated_at",
        )
        .bind(id.uuid())
        .bind(self.0.organization.uuid())
        .bind(logo.kind.as_str())
        .bind(&logo.content)
        .bind(&logo.version)
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Takes the picture away. False when there is none.
    pub async fn remove_logo(&mut self) -> Result<bool> {
        let gone = sqlx::query("delete from logos where organization_id = $1")
            .bind(self.0.organization.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(gone.rows_affected() == 1)
    }

    /// The public profiles, in the order of platforms.
    pub async fn social_links(&mut self) -> Result<Vec<SocialLink>> {
        social_links(&mut *self.0.connection, self.0.organization).await
    }

    /// Puts these public profiles in the place of those before.
    pub async fn set_social_links(&mut self, links: &[SocialLink]) -> Result<()> {
        sqlx::query("delete from social_links where organization_id = $1")
            .bind(self.0.organization.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        let now = self.0.environment.now();
        for link in links {
            sqlx::query(
                "insert into social_links (id, organization_id, platform, url, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)",
            )
            .bind(self.0.environment.id::<SocialLinkId>().uuid())
            .bind(self.0.organization.uuid())
            .bind(link.platform.as_str())
            .bind(&link.url)
            .bind(now)
            .execute(&mut *self.0.connection)
            .await?;
        }
        Ok(())
    }
}

/// What organisations show to people who are not signed in.
#[derive(Debug)]
pub struct PublicBranding<'a>(SystemScope<'a>);

impl PublicBranding<'_> {
    /// The public profiles of an organisation, in the order of platforms.
    pub async fn social_links(&mut self, organization: OrganizationId) -> Result<Vec<SocialLink>> {
        social_links(&mut *self.0.connection, organization).await
    }

    /// The picture of the organisation at this address; `None` when there is no such organisation, or it has none.
    pub async fn logo(&mut self, slug: &str) -> Result<Option<Logo>> {
        let row: Option<(String, Vec<u8>, String)> = sqlx::query_as(
            "select l.mime_type, l.content, l.version from logos l join organizations o on o.id = l.organization_id where o.slug = $1",
        )
        .bind(slug)
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(|(kind, content, version)| {
            Ok(Logo {
                kind: parse(&kind)?,
                content,
                version,
            })
        })
        .transpose()
    }
}

async fn social_links(
    connection: &mut PgConnection,
    organization: OrganizationId,
) -> Result<Vec<SocialLink>> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("select platform, url from social_links where organization_id = $1 order by platform")
            .bind(organization.uuid())
            .fetch_all(connection)
            .await?;
    rows.into_iter()
        .map(|(platform, url)| {
            Ok(SocialLink {
                platform: parse(&platform)?,
                url,
            })
        })
        .collect()
}
