//! Who sees what was said in a channel, by name.

use amebo_core::id::{Id, SlackChannelId, UserId};
use uuid::Uuid;

use super::Slack;
use crate::error::Result;

/// A member of the organisation who is in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insider {
    /// The person.
    pub user: UserId,
    /// How they are called here.
    pub name: String,
    /// Their address here.
    pub email: String,
    /// How the workspace calls them.
    pub slack_name: String,
}

/// Somebody in a channel who is no active member of the organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outsider {
    /// How the workspace calls them.
    pub slack_name: String,
}

impl Slack<'_> {
    /// Who is in a channel, by name, programs left out; at most `limit`. It is what [`crate::Access`] goes by.
    pub async fn people_of(
        &mut self,
        channel: SlackChannelId,
        limit: u32,
    ) -> Result<(Vec<Insider>, Vec<Outsider>)> {
        type Row = (String, Option<Uuid>, Option<String>, Option<String>);
        let rows: Vec<Row> = sqlx::query_as(
            "select s.name, p.user_id, p.name, p.email
             from slack_channel_members c
             join slack_users s on s.organization_id = c.organization_id and s.id = c.slack_user_id and not s.is_deleted and not s.is_bot
             left join (select p.user_id, p.name, p.email from member_profiles p
                        join organization_members m on m.organization_id = $1 and m.user_id = p.user_id and m.status = 'active'
                        where p.organization_id = $1 and p.is_active) p
                 on s.user_id = p.user_id or s.user_id is null and s.email = p.email
             where c.organization_id = $1 and c.channel_id = $2
             order by lower(coalesce(p.name, s.name)), s.id limit $3",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0.connection)
        .await?;
        let (mut insiders, mut outsiders) = (Vec::new(), Vec::new());
        for (slack_name, user, name, email) in rows {
            match user.zip(name).zip(email) {
                Some(((user, name), email)) => insiders.push(Insider {
                    user: UserId::from_uuid(user),
                    name,
                    email,
                    slack_name,
                }),
                None => outsiders.push(Outsider { slack_name }),
            }
        }
        Ok((insiders, outsiders))
    }
}
