//! The mirror of Slack workspaces: people, channels, who is in which, and what was said.
//!
//! A workspace is a source of documents. Who may see a channel's documents is not written into them: they name the channel, and
//! who is in it is read with every request of a person (see `credential`), so that a change of membership acts at once.

mod audience;
mod compose;
mod erase;
mod file;
mod follow;
mod import;
mod message;

use std::collections::HashMap;

use amebo_core::id::{
    ChannelConnectionId, Id, KnowledgeBaseId, SlackChannelId, SlackUserId, SourceId, UserId,
};
use amebo_core::slack::SlackChannelKind;
use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use self::audience::{Insider, Outsider};
pub use self::compose::{PlacedSlackMessage, SlackDocument};
pub use self::file::{DueSlackFile, SlackFileEnd};
pub use self::follow::Following;
pub use self::import::{NewSlackImport, SlackImport, SlackImportProblem, SlackImportProgress};
pub use self::message::SlackMessage;
use crate::OrgTx;
use crate::error::{Result, parse};
use crate::transaction::Scope;

/// A channel as the workspace describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSlackChannel {
    /// Slack's id.
    pub external: String,
    /// Who can come in.
    pub kind: SlackChannelKind,
    /// As people call it.
    pub name: String,
    /// Whether nobody can write there any more.
    pub is_archived: bool,
    /// Whether people of other companies are in it.
    pub is_shared: bool,
    /// Whether its documents are for every member of the organisation; what was decided for a known channel stays.
    pub is_open: bool,
    /// How many people are in it; what was known before stays where this is `None`.
    pub members: Option<u64>,
    /// When it was made; likewise.
    pub began_at: Option<DateTime<Utc>>,
}

/// A mirrored channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackChannel {
    /// The channel.
    pub id: SlackChannelId,
    /// The workspace it belongs to.
    pub source: SourceId,
    /// The knowledge base its documents go to.
    pub knowledge_base: KnowledgeBaseId,
    /// The workspace's address, where it is known.
    pub workspace_url: Option<String>,
    /// What the workspace says of it.
    pub described: NewSlackChannel,
}

/// A user as the workspace describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSlackUser {
    /// Slack's id.
    pub external: String,
    /// How they are called, 1 to 200 characters.
    pub name: String,
    /// Case-folded, as the workspace confirmed it.
    pub email: Option<String>,
    /// Whether an app speaks through it.
    pub is_bot: bool,
    /// Whether their account is closed.
    pub is_deleted: bool,
}

impl OrgTx {
    /// The mirror of its Slack workspaces.
    pub fn slack(&mut self) -> Slack<'_> {
        Slack(self.scope())
    }
}

/// The mirrored Slack workspaces of the current organisation.
#[derive(Debug)]
pub struct Slack<'a>(pub(crate) Scope<'a>);

type ChannelRow = (
    Uuid,
    Uuid,
    Uuid,
    Option<String>,
    String,
    String,
    String,
    bool,
    bool,
    bool,
    Option<i64>,
    Option<DateTime<Utc>>,
);

macro_rules! select_channel {
    ($rest:literal) => {
        concat!(
            "select c.id, c.source_id, s.knowledge_base_id, s.configuration ->> 'workspace_url', c.external_id, c.kind, c.name,
                 c.is_archived, c.is_shared, c.is_open, c.member_count, c.began_at
             from slack_channels c join sources s on s.organization_id = c.organization_id and s.id = c.source_id
             where c.organization_id = $1 ",
            $rest
        )
    };
}

use select_channel;

fn channel(row: ChannelRow) -> Result<SlackChannel> {
    let (
        id,
        source,
        base,
        workspace_url,
        external,
        kind,
        name,
        is_archived,
        is_shared,
        is_open,
        members,
        began_at,
    ) = row;
    Ok(SlackChannel {
        id: SlackChannelId::from_uuid(id),
        source: SourceId::from_uuid(source),
        knowledge_base: KnowledgeBaseId::from_uuid(base),
        workspace_url,
        described: NewSlackChannel {
            external,
            kind: parse::<SlackChannelKind>(&kind)?,
            name,
            is_archived,
            is_shared,
            is_open,
            members: members.map(i64::unsigned_abs),
            began_at,
        },
    })
}

impl Slack<'_> {
    /// The mirrored channel that a connection's workspace calls so: one that the connection follows, or of an export of that workspace.
    /// Another workspace's channel of the same id is another channel.
    pub async fn channel_called(
        &mut self,
        connection: ChannelConnectionId,
        external_id: &str,
    ) -> Result<Option<SlackChannelId>> {
        let id: Option<Uuid> = sqlx::query_scalar(
            "select c.id from slack_channels c
             join sources s on s.organization_id = c.organization_id and s.id = c.source_id
             join channel_connections k on k.organization_id = c.organization_id and k.id = $2
             where c.organization_id = $1 and c.external_id = $3
               and (c.connection_id = k.id or s.configuration ->> 'workspace_url' = rtrim(k.account ->> 'url', '/'))
             order by c.connection_id is not distinct from k.id desc, c.id desc limit 1",
        )
        .bind(self.0.organization.uuid())
        .bind(connection.uuid())
        .bind(external_id)
        .fetch_optional(&mut *self.0.connection)
        .await?;
        Ok(id.map(SlackChannelId::from_uuid))
    }

    /// One channel.
    pub async fn channel(&mut self, id: SlackChannelId) -> Result<Option<SlackChannel>> {
        let row: Option<ChannelRow> = sqlx::query_as(select_channel!("and c.id = $2"))
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .fetch_optional(&mut *self.0.connection)
            .await?;
        row.map(channel).transpose()
    }

    /// One channel, which nobody can add messages to or change messages of until this transaction ends.
    pub async fn lock_channel(&mut self, id: SlackChannelId) -> Result<Option<SlackChannel>> {
        let row: Option<ChannelRow> = sqlx::query_as(select_channel!("and c.id = $2 for update of c"))
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .fetch_optional(&mut *self.0.connection)
            .await?;
        row.map(channel).transpose()
    }

    /// The channels of a workspace, by name.
    pub async fn channels(&mut self, source: SourceId) -> Result<Vec<SlackChannel>> {
        let rows: Vec<ChannelRow> =
            sqlx::query_as(select_channel!("and c.source_id = $2 order by c.name, c.id"))
                .bind(self.0.organization.uuid())
                .bind(source.uuid())
                .fetch_all(&mut *self.0.connection)
                .await?;
        rows.into_iter().map(channel).collect()
    }

    /// Adds channels of a workspace, or brings known ones in step. Answers each one's id by Slack's.
    pub async fn put_channels(
        &mut self,
        source: SourceId,
        channels: &[NewSlackChannel],
    ) -> Result<HashMap<String, SlackChannelId>> {
        let ids: Vec<Uuid> = channels
            .iter()
            .map(|_| self.0.environment.id::<SlackChannelId>().uuid())
            .collect();
        let text = |of: fn(&NewSlackChannel) -> &str| channels.iter().map(of).collect::<Vec<_>>();
        let flag = |of: fn(&NewSlackChannel) -> bool| channels.iter().map(of).collect::<Vec<_>>();
        sqlx::query(
            "insert into slack_channels as c (id, organization_id, source_id, external_id, kind, name, is_archived, is_shared, is_open,
                 member_count, began_at, created_at, updated_at)
             select new.id, $1, $2, new.external, new.kind, new.name, new.archived, new.shared, new.open, new.members, new.began, $3, $3
             from unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::bool[], $9::bool[], $10::bool[], $11::bigint[], $12::timestamptz[])
                 as new (id, external, kind, name, archived, shared, open, members, began)
             on conflict on constraint slack_channels_external do update
                 set kind = excluded.kind, name = excluded.name, is_archived = excluded.is_archived,
                     is_shared = excluded.is_shared, member_count = coalesce(excluded.member_count, c.member_count),
                     began_at = coalesce(excluded.began_at, c.began_at), updated_at = excluded.updated_at
                 where (c.kind, c.name, c.is_archived, c.is_shared, c.member_count, c.began_at)
                     is distinct from (excluded.kind, excluded.name, excluded.is_archived, excluded.is_shared,
                         coalesce(excluded.member_count, c.member_count), coalesce(excluded.began_at, c.began_at))",
        )
        .bind(self.0.organization.uuid())
        .bind(source.uuid())
        .bind(self.0.environment.now())
        .bind(ids)
        .bind(text(|channel| &channel.external))
        .bind(text(|channel| channel.kind.as_str()))
        .bind(text(|channel| &channel.name))
        .bind(flag(|channel| channel.is_archived))
        .bind(flag(|channel| channel.is_shared))
        .bind(flag(|channel| channel.is_open))
        .bind(
            channels
                .iter()
                .map(|channel| channel.members.and_then(|members| i64::try_from(members).ok()))
                .collect::<Vec<_>>(),
        )
        .bind(channels.iter().map(|channel| channel.began_at).collect::<Vec<_>>())
        .execute(&mut *self.0.connection)
        .await?;
        let rows: Vec<(String, Uuid)> = sqlx::query_as(
            "select external_id, id from slack_channels
             where organization_id = $1 and source_id = $2 and external_id = any($3)",
        )
        .bind(self.0.organization.uuid())
        .bind(source.uuid())
        .bind(text(|channel| &channel.external))
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(external, id)| (external, SlackChannelId::from_uuid(id)))
            .collect())
    }

    /// Adds users of a workspace, or brings known ones in step. Answers how many were new or changed.
    pub async fn put_users(&mut self, source: SourceId, users: &[NewSlackUser]) -> Result<u64> {
        let ids: Vec<Uuid> = users
            .iter()
            .map(|_| self.0.environment.id::<SlackUserId>().uuid())
            .collect();
        let flag = |of: fn(&NewSlackUser) -> bool| users.iter().map(of).collect::<Vec<_>>();
        let done = sqlx::query(
            "insert into slack_users as u (id, organization_id, source_id, external_id, name, email, is_bot, is_deleted, created_at,
                 updated_at)
             select new.id, $1, $2, new.external, new.name, new.email, new.bot, new.deleted, $3, $3
             from unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::bool[], $9::bool[])
                 as new (id, external, name, email, bot, deleted)
             on conflict on constraint slack_users_external do update
                 set name = excluded.name, email = coalesce(excluded.email, u.email), is_bot = excluded.is_bot,
                     is_deleted = excluded.is_deleted, updated_at = excluded.updated_at
                 where (u.name, u.email, u.is_bot, u.is_deleted)
                     is distinct from (excluded.name, coalesce(excluded.email, u.email), excluded.is_bot, excluded.is_deleted)",
        )
        .bind(self.0.organization.uuid())
        .bind(source.uuid())
        .bind(self.0.environment.now())
        .bind(ids)
        .bind(users.iter().map(|user| user.external.as_str()).collect::<Vec<_>>())
        .bind(users.iter().map(|user| user.name.as_str()).collect::<Vec<_>>())
        .bind(users.iter().map(|user| user.email.as_deref()).collect::<Vec<_>>())
        .bind(flag(|user| user.is_bot))
        .bind(flag(|user| user.is_deleted))
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected())
    }

    /// How the users of a workspace are called, by Slack's id.
    pub async fn user_names(&mut self, source: SourceId) -> Result<HashMap<String, String>> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "select external_id, name from slack_users where organization_id = $1 and source_id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(source.uuid())
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows.into_iter().collect())
    }

    /// Slack's ids of the apps of a workspace.
    pub async fn bots(&mut self, source: SourceId) -> Result<Vec<String>> {
        Ok(sqlx::query_scalar(
            "select external_id from slack_users where organization_id = $1 and source_id = $2 and is_bot",
        )
        .bind(self.0.organization.uuid())
        .bind(source.uuid())
        .fetch_all(&mut *self.0.connection)
        .await?)
    }

    /// Says which member of the organisation a user of a workspace is; `None` leaves it to their address.
    pub async fn link_user(
        &mut self,
        source: SourceId,
        external: &str,
        user: Option<UserId>,
    ) -> Result<bool> {
        let done = sqlx::query(
            "update slack_users set user_id = $4, updated_at = $5
             where organization_id = $1 and source_id = $2 and external_id = $3",
        )
        .bind(self.0.organization.uuid())
        .bind(source.uuid())
        .bind(external)
        .bind(user.map(Id::uuid))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The same wherever a connection mirrors the workspace.
    pub async fn link_user_of(
        &mut self,
        connection: ChannelConnectionId,
        external: &str,
        user: Option<UserId>,
    ) -> Result<()> {
        for source in self.sources_of(connection).await? {
            self.link_user(source, external, user).await?;
        }
        Ok(())
    }

    /// Makes exactly these users of its workspace the members of a channel; unknown ones are passed over. It counts from the commit on.
    pub async fn set_members(&mut self, channel: SlackChannelId, members: &[String]) -> Result<()> {
        sqlx::query(
            "delete from slack_channel_members m where m.organization_id = $1 and m.channel_id = $2
             and not exists (select from slack_users u
                 where u.organization_id = $1 and u.id = m.slack_user_id and u.external_id = any($3))",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(members)
        .execute(&mut *self.0.connection)
        .await?;
        self.add_members(channel, members).await
    }

    /// Adds users of its workspace to a channel; unknown ones are passed over.
    pub async fn add_members(&mut self, channel: SlackChannelId, members: &[String]) -> Result<()> {
        sqlx::query(
            "insert into slack_channel_members (organization_id, channel_id, slack_user_id)
             select $1, c.id, u.id from slack_channels c
             join slack_users u on u.organization_id = c.organization_id and u.source_id = c.source_id and u.external_id = any($3)
             where c.organization_id = $1 and c.id = $2
             on conflict do nothing",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(members)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Takes a user out of a channel: from the commit on they see nothing of it.
    pub async fn remove_member(&mut self, channel: SlackChannelId, member: &str) -> Result<()> {
        sqlx::query(
            "delete from slack_channel_members m using slack_users u
             where m.organization_id = $1 and m.channel_id = $2 and u.organization_id = $1 and u.id = m.slack_user_id
               and u.external_id = $3",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(member)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }
}
