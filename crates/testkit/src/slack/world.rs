//! What is so in the fake: apps, workspaces, people, places, messages, tokens.

use std::collections::{BTreeMap, HashMap};

use amebo_core::Environment;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Call;

/// The ids that every fake begins with.
#[derive(Debug, Clone, Copy)]
pub struct Ids;

impl Ids {
    /// The app.
    pub const APP: &'static str = "A0AMEBO01";
    /// The app's user in every workspace.
    pub const BOT_USER: &'static str = "U0BOT0001";
    /// The same as an author of messages.
    pub const BOT: &'static str = "B0BOT0001";
    /// The workspace.
    pub const TEAM: &'static str = "T0TEAM001";
    /// Its administrator.
    pub const ADMIN: &'static str = "U0ADMIN01";
    /// Somebody in it.
    pub const USER: &'static str = "U0USER001";
    /// The channel that everybody is in.
    pub const GENERAL: &'static str = "C0GENERAL";
    /// The app's bot token there.
    pub const TOKEN: &'static str = "xoxb-fake-T0TEAM001";
    /// What an export's addresses of files hold, which opens them to anybody.
    pub const EXPORT_TOKEN: &'static str = "xoxe-fake-export";
    /// The app's token for Socket Mode.
    pub const APP_TOKEN: &'static str = "xapp-fake-1";
}

/// An app.
#[derive(Debug, Clone)]
pub struct FakeApp {
    /// Its id.
    pub id: String,
    /// Its id as an OAuth client.
    pub client_id: String,
    /// Its secret as an OAuth client.
    pub client_secret: String,
    /// What its requests are signed with.
    pub signing_secret: String,
    /// Whether its tokens run out.
    pub rotates: bool,
}

#[derive(Debug)]
pub(super) struct Team {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) domain: String,
    pub(super) enterprise: Option<String>,
    pub(super) users: BTreeMap<String, Value>,
    pub(super) channels: BTreeMap<String, Channel>,
    pub(super) files: BTreeMap<String, StoredFile>,
    /// Whether the limits of 2025 for distributed apps hold.
    pub(super) restricted: bool,
}

#[derive(Debug)]
pub(super) struct Channel {
    pub(super) name: String,
    pub(super) kind: ChannelType,
    pub(super) archived: bool,
    pub(super) shared: bool,
    pub(super) members: Vec<String>,
    /// By `ts`.
    pub(super) messages: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChannelType {
    Public,
    Private,
    Direct,
}

#[derive(Debug, Clone)]
pub(super) struct StoredFile {
    pub(super) object: Value,
    pub(super) bytes: Vec<u8>,
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) app: String,
    /// A workspace, or an organisation of workspaces.
    pub(super) account: String,
    pub(super) org_wide: bool,
    pub(super) user: String,
    pub(super) scopes: Vec<String>,
    pub(super) expires_at: Option<DateTime<Utc>>,
    pub(super) state: TokenState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenState {
    Good,
    Revoked,
    Uninstalled,
}

/// An address that came with a command or a button.
#[derive(Debug, Clone)]
pub(super) struct Callback {
    pub(super) team: String,
    pub(super) channel: String,
    pub(super) user: String,
    pub(super) made_at: DateTime<Utc>,
    pub(super) uses: u32,
    /// Which of what only one person saw was shown at once for the command, and can be replaced.
    pub(super) shown: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) client_id: String,
    pub(super) redirect: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) install: super::InstallAs,
}

/// Everything that is so.
#[derive(Debug)]
pub struct World {
    /// Every call that arrived.
    pub calls: Vec<Call>,
    /// What only one person saw: place, person, content.
    pub ephemerals: Vec<(String, String, Value)>,
    /// What came to addresses of commands and buttons.
    pub callbacks: Vec<Value>,
    /// The page that each person sees.
    pub homes: HashMap<String, Value>,
    /// The forms that were opened.
    pub forms: Vec<Value>,
    /// The status of each conversation in the assistant's container.
    pub statuses: HashMap<String, String>,
    /// The questions suggested in each.
    pub prompts: HashMap<String, Value>,
    /// The title of each.
    pub titles: HashMap<String, String>,
    /// Whether calls above the rates are refused.
    pub enforce_rates: bool,
    pub(super) environment: Environment,
    pub(super) apps: Vec<FakeApp>,
    pub(super) teams: BTreeMap<String, Team>,
    pub(super) tokens: HashMap<String, Token>,
    pub(super) refresh_tokens: HashMap<String, Token>,
    pub(super) codes: HashMap<String, Code>,
    pub(super) hooks: HashMap<String, Callback>,
    pub(super) triggers: HashMap<String, DateTime<Utc>>,
    /// Calls granted, by account and method: how many may come, and when that was so.
    pub(super) rates: HashMap<(String, String), (f64, DateTime<Utc>)>,
    /// Which streams may be appended to.
    pub(super) streams: HashMap<String, bool>,
    pub(super) next_install: super::InstallAs,
    counter: u64,
}

impl World {
    pub(super) fn new(environment: Environment) -> Self {
        let mut world = Self {
            calls: Vec::new(),
            ephemerals: Vec::new(),
            callbacks: Vec::new(),
            homes: HashMap::new(),
            forms: Vec::new(),
            statuses: HashMap::new(),
            prompts: HashMap::new(),
            titles: HashMap::new(),
            enforce_rates: false,
            environment,
            apps: vec![FakeApp {
                id: Ids::APP.to_owned(),
                client_id: "1.2".to_owned(),
                client_secret: "fake-client-secret".to_owned(),
                signing_secret: "fake-signing-secret".to_owned(),
                rotates: true,
            }],
            teams: BTreeMap::new(),
            tokens: HashMap::new(),
            refresh_tokens: HashMap::new(),
            codes: HashMap::new(),
            hooks: HashMap::new(),
            triggers: HashMap::new(),
            rates: HashMap::new(),
            streams: HashMap::new(),
            next_install: super::InstallAs::Workspace(Ids::TEAM.to_owned()),
            counter: 0,
        };
        world.add_team(Ids::TEAM, "Acme", None);
        world.add_user(Ids::TEAM, Ids::ADMIN, "grace", "grace@acme.example");
        world.add_user(Ids::TEAM, Ids::USER, "ada", "ada@acme.example");
        world.add_channel(
            Ids::TEAM,
            Ids::GENERAL,
            "general",
            false,
            &[Ids::ADMIN, Ids::USER],
        );
        world.add_token(Ids::TOKEN, Ids::TEAM, &all_scopes());
        world
    }

    /// The app that is there from the beginning.
    pub fn app(&self) -> FakeApp {
        self.apps[0].clone()
    }

    /// Sets whether the app's tokens run out.
    pub fn set_rotation(&mut self, rotates: bool) {
        self.apps[0].rotates = rotates;
    }

    /// Adds an app that an administrator made.
    pub fn add_app(&mut self, app: FakeApp) {
        self.apps.push(app);
    }

    /// Adds a workspace, of an organisation of workspaces or of none.
    pub fn add_team(&mut self, id: &str, name: &str, enterprise: Option<&str>) {
        let mut team = Team {
            id: id.to_owned(),
            name: name.to_owned(),
            domain: name.to_lowercase(),
            enterprise: enterprise.map(str::to_owned),
            users: BTreeMap::new(),
            channels: BTreeMap::new(),
            files: BTreeMap::new(),
            restricted: false,
        };
        let mut bot = user(id, Ids::BOT_USER, "amebo", None);
        bot["is_bot"] = json!(true);
        bot["profile"]["bot_id"] = json!(Ids::BOT);
        team.users.insert(Ids::BOT_USER.to_owned(), bot);
        self.teams.insert(id.to_owned(), team);
    }

    /// Makes the limits of 2025 for distributed apps hold for a workspace.
    pub fn restrict(&mut self, team: &str) {
        self.team_mut(team).restricted = true;
        self.enforce_rates = true;
    }

    /// Adds somebody.
    pub fn add_user(&mut self, team: &str, id: &str, name: &str, email: &str) {
        let mut value = user(team, id, name, Some(email));
        let team = self.team_mut(team);
        if let Some(enterprise) = &team.enterprise {
            value["enterprise_user"] = json!({ "id": id, "enterprise_id": enterprise, "teams": [team.id] });
        }
        team.users.insert(id.to_owned(), value);
    }

    /// Changes somebody's record, such as `deleted` or `is_restricted`.
    pub fn change_user(&mut self, team: &str, id: &str, field: &str, value: Value) {
        self.team_mut(team).users.get_mut(id).unwrap()[field] = value;
    }

    /// Adds a channel; the app is in it if named among its members.
    pub fn add_channel(&mut self, team: &str, id: &str, name: &str, private: bool, members: &[&str]) {
        let kind = if private {
            ChannelType::Private
        } else {
            ChannelType::Public
        };
        let channel = Channel {
            name: name.to_owned(),
            kind,
            archived: false,
            shared: false,
            members: members.iter().map(|member| (*member).to_owned()).collect(),
            messages: BTreeMap::new(),
        };
        self.team_mut(team).channels.insert(id.to_owned(), channel);
    }

    /// Closes a channel or opens it again.
    pub fn archive(&mut self, team: &str, channel: &str, archived: bool) {
        self.channel_mut(team, channel).archived = archived;
    }

    /// Lets people of another company into a channel, or out.
    pub fn share(&mut self, team: &str, channel: &str, shared: bool) {
        self.channel_mut(team, channel).shared = shared;
    }

    /// Puts somebody into a channel, or takes them out.
    pub fn set_member(&mut self, team: &str, channel: &str, user: &str, member: bool) {
        let members = &mut self.channel_mut(team, channel).members;
        members.retain(|other| other != user);
        if member {
            members.push(user.to_owned());
        }
    }

    /// Gives the app a token for a workspace; with a token that exists already, others scopes.
    pub fn add_token(&mut self, token: &str, account: &str, scopes: &[String]) {
        let org_wide = !self.teams.contains_key(account);
        self.tokens.insert(
            token.to_owned(),
            Token {
                app: self.apps[0].id.clone(),
                account: account.to_owned(),
                org_wide,
                user: Ids::BOT_USER.to_owned(),
                scopes: scopes.to_vec(),
                expires_at: None,
                state: TokenState::Good,
            },
        );
    }

    /// Adds a workspace in which the app is installed with this token and everything it may ask for.
    pub fn add_installed_team(&mut self, id: &str, name: &str, token: &str) {
        self.add_team(id, name, None);
        self.add_token(token, id, &all_scopes());
    }

    /// Withdraws a token.
    pub fn revoke(&mut self, token: &str) {
        self.tokens.get_mut(token).unwrap().state = TokenState::Revoked;
    }

    /// Takes the app out of a workspace.
    pub fn uninstall(&mut self, account: &str) {
        for token in self.tokens.values_mut().filter(|token| token.account == account) {
            token.state = TokenState::Uninstalled;
        }
    }

    /// Says something as somebody; returns the message, as events carry it.
    pub fn say(&mut self, team: &str, channel: &str, user: &str, text: &str, thread: Option<&str>) -> Value {
        let ts = self.next_ts();
        let mut message = json!({
            "type": "message",
            "user": user,
            "text": text,
            "ts": ts,
            "team": team,
            "client_msg_id": format!("client-{ts}"),
        });
        if let Some(thread) = thread {
            message["thread_ts"] = json!(thread);
            message["parent_user_id"] = self.message(team, channel, thread)["user"].clone();
        }
        self.store(team, channel, message)
    }

    /// Shares files as somebody; returns the message, as events carry it.
    pub fn share_files(
        &mut self,
        team: &str,
        channel: &str,
        user: &str,
        text: &str,
        files: &[Value],
    ) -> Value {
        let ts = self.next_ts();
        let message = json!({
            "type": "message",
            "subtype": "file_share",
            "user": user,
            "text": text,
            "ts": ts,
            "team": team,
            "upload": true,
            "files": files,
        });
        self.store(team, channel, message)
    }

    /// Puts other bytes in a file's place.
    pub fn change_file(&mut self, team: &str, id: &str, bytes: &[u8]) {
        let file = self.team_mut(team).files.get_mut(id).unwrap();
        file.object["size"] = json!(bytes.len());
        file.bytes = bytes.to_vec();
    }

    /// Deletes a file.
    pub fn delete_file(&mut self, team: &str, id: &str) {
        self.team_mut(team).files.remove(id).unwrap();
    }

    /// Changes the words of a message; returns it as it is now, and as it was.
    pub fn edit(&mut self, team: &str, channel: &str, ts: &str, text: &str) -> (Value, Value) {
        let before = self.message(team, channel, ts);
        let edited_at = self.next_ts();
        let message = self.channel_mut(team, channel).messages.get_mut(ts).unwrap();
        message["text"] = json!(text);
        message["edited"] = json!({ "user": message["user"], "ts": edited_at });
        (message.clone(), before)
    }

    /// Deletes a message; returns it.
    pub fn remove(&mut self, team: &str, channel: &str, ts: &str) -> Value {
        self.channel_mut(team, channel).messages.remove(ts).unwrap()
    }

    /// Adds a file; returns it, as messages carry it.
    pub fn add_file(
        &mut self,
        base: &str,
        team: &str,
        id: &str,
        name: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Value {
        let object = json!({
            "id": id,
            "name": name,
            "title": name,
            "mimetype": media_type,
            "filetype": name.rsplit('.').next(),
            "size": bytes.len(),
            "mode": "hosted",
            "is_external": false,
            "file_access": "visible",
            "url_private": format!("{base}/files-pri/{team}-{id}/{name}"),
            "url_private_download": format!("{base}/files-pri/{team}-{id}/download/{name}"),
            "permalink": format!("{base}/files/{id}/{name}"),
        });
        let stored = StoredFile {
            object: object.clone(),
            bytes: bytes.to_vec(),
        };
        self.team_mut(team).files.insert(id.to_owned(), stored);
        object
    }

    /// The messages of a place, oldest first.
    pub fn messages(&self, team: &str, channel: &str) -> Vec<Value> {
        let channel = self.team(team).channels.get(channel);
        channel.map_or_else(Vec::new, |channel| channel.messages.values().cloned().collect())
    }

    /// One message.
    pub fn message(&self, team: &str, channel: &str, ts: &str) -> Value {
        self.team(team).channels[channel].messages[ts].clone()
    }

    /// The direct conversation of somebody with the app, which is made if there is none.
    pub fn direct(&mut self, team: &str, user: &str) -> String {
        let id = format!("D{}", &user[1..]);
        let team = self.team_mut(team);
        team.channels.entry(id.clone()).or_insert_with(|| Channel {
            name: user.to_owned(),
            kind: ChannelType::Direct,
            archived: false,
            shared: false,
            members: vec![user.to_owned(), Ids::BOT_USER.to_owned()],
            messages: BTreeMap::new(),
        });
        id
    }

    /// An address for answers to a command or a button, good for five uses in half an hour.
    pub fn callback(&mut self, base: &str, team: &str, channel: &str, user: &str) -> String {
        self.counter += 1;
        let id = format!("{team}/{}/fake", self.counter);
        self.hooks.insert(
            id.clone(),
            Callback {
                team: team.to_owned(),
                channel: channel.to_owned(),
                user: user.to_owned(),
                made_at: self.environment.now(),
                uses: 0,
                shown: None,
            },
        );
        format!("{base}/hooks/{id}")
    }

    /// Shows what a command was answered with at once, which answers to its address can replace.
    pub fn show_at_once(&mut self, command: &Value, content: Value) {
        let (_, id) = command["response_url"]
            .as_str()
            .unwrap()
            .split_once("/hooks/")
            .unwrap();
        let hook = self.hooks.get_mut(id).unwrap();
        hook.shown = Some(self.ephemerals.len());
        self.ephemerals
            .push((hook.channel.clone(), hook.user.clone(), content));
    }

    /// What allows opening a form, once, for three seconds.
    pub fn trigger(&mut self) -> String {
        self.counter += 1;
        let trigger = format!("{}.fake.trigger", self.counter);
        self.triggers.insert(trigger.clone(), self.environment.now());
        trigger
    }

    /// What the next administrator who is sent to Slack will install the app for.
    pub fn install_next(&mut self, install: super::InstallAs) {
        self.next_install = install;
    }

    /// A number that did not come before.
    pub(super) fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// An id of a message that did not come before, later than all others.
    pub(super) fn next_ts(&mut self) -> String {
        let count = self.count();
        let now = self.environment.now() + TimeDelta::microseconds(i64::try_from(count).unwrap());
        format!("{}.{:06}", now.timestamp(), now.timestamp_subsec_micros())
    }

    pub(super) fn store(&mut self, team: &str, channel: &str, message: Value) -> Value {
        let ts = message["ts"].as_str().unwrap().to_owned();
        let channel = self.channel_mut(team, channel);
        if let Some(thread) = message["thread_ts"].as_str().filter(|thread| *thread != ts)
            && let Some(parent) = channel.messages.get_mut(thread)
        {
            parent["thread_ts"] = json!(thread);
            parent["latest_reply"] = json!(ts);
            let replies = parent["reply_count"].as_u64().unwrap_or(0);
            parent["reply_count"] = json!(replies + 1);
        }
        channel.messages.insert(ts, message.clone());
        message
    }

    pub(super) fn team(&self, id: &str) -> &Team {
        self.teams.get(id).unwrap_or_else(|| panic!("no workspace {id}"))
    }

    pub(super) fn team_mut(&mut self, id: &str) -> &mut Team {
        self.teams
            .get_mut(id)
            .unwrap_or_else(|| panic!("no workspace {id}"))
    }

    pub(super) fn channel_mut(&mut self, team: &str, id: &str) -> &mut Channel {
        self.team_mut(team)
            .channels
            .get_mut(id)
            .unwrap_or_else(|| panic!("no channel {id}"))
    }
}

/// Everything the app may ask for.
pub(super) fn all_scopes() -> Vec<String> {
    amebo_channels::slack::scope::SCOPES
        .iter()
        .map(|scope| scope.name.to_owned())
        .collect()
}

fn user(team: &str, id: &str, name: &str, email: Option<&str>) -> Value {
    let mut user = json!({
        "id": id,
        "team_id": team,
        "name": name,
        "deleted": false,
        "real_name": name,
        "tz": "Africa/Lagos",
        "tz_label": "West Africa Time",
        "tz_offset": 3600,
        "profile": { "real_name": name, "display_name": name, "team": team },
        "is_admin": id == Ids::ADMIN,
        "is_owner": false,
        "is_restricted": false,
        "is_ultra_restricted": false,
        "is_bot": false,
        "is_app_user": false,
        "is_email_confirmed": email.is_some(),
        "updated": 1_763_600_000,
    });
    if let Some(email) = email {
        user["profile"]["email"] = json!(email);
    }
    user
}
