//! The methods that Amebo calls, with the rates Slack grants (<https://docs.slack.dev/apis/web-api/rate-limits>) and what repeating
//! one does.

/// How often a method may be called, per workspace and app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tier {
    /// At least once a minute.
    One,
    /// At least 20 times a minute.
    Two,
    /// At least 50 times a minute.
    Three,
    /// At least 100 times a minute.
    Four,
    /// Once a second in each channel, with short bursts.
    PerChannel,
    /// Not told; hundreds of times a minute.
    Generous,
    /// Not told, and of the app rather than of a workspace: as often as installations come and tokens end.
    Installing,
}

impl Tier {
    /// Calls a minute that are granted for sure.
    pub const fn per_minute(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Two => 20,
            Self::Three => 50,
            Self::Four => 100,
            Self::PerChannel => 60,
            Self::Generous => 600,
            Self::Installing => 60_000,
        }
    }

    /// Calls that may come at once after a rest.
    pub const fn burst(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Two => 10,
            Self::Three => 25,
            Self::Four => 50,
            Self::PerChannel => 5,
            Self::Generous => 100,
            Self::Installing => 2_000,
        }
    }
}

/// How a method takes its arguments. Reading methods never learned JSON; all others take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Form,
    Json,
}

macro_rules! methods {
    ($($variant:ident = $name:literal, $tier:ident, $encoding:ident, $twice:literal;)*) => {
        /// A method that Amebo calls.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Method { $(#[doc = concat!("`", $name, "`.")] $variant,)* }

        impl Method {
            /// Every method.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Slack's name for it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How often it may be called.
            pub const fn tier(self) -> Tier {
                match self { $(Self::$variant => Tier::$tier,)* }
            }

            /// Whether calling it twice does no more than calling it once.
            pub const fn is_repeatable(self) -> bool {
                match self { $(Self::$variant => $twice,)* }
            }

            pub(super) const fn encoding(self) -> Encoding {
                match self { $(Self::$variant => Encoding::$encoding,)* }
            }
        }
    };
}

methods! {
    AppsConnectionsOpen = "apps.connections.open", Three, Form, true;
    AppsUninstall = "apps.uninstall", One, Form, true;
    SearchContext = "assistant.search.context", Two, Json, true;
    SetStatus = "assistant.threads.setStatus", Generous, Json, true;
    SetSuggestedPrompts = "assistant.threads.setSuggestedPrompts", Four, Json, true;
    SetTitle = "assistant.threads.setTitle", Four, Json, true;
    AuthRevoke = "auth.revoke", Three, Form, true;
    AuthTeamsList = "auth.teams.list", Two, Form, true;
    AuthTest = "auth.test", Generous, Form, true;
    AppendStream = "chat.appendStream", Four, Json, false;
    ChatDelete = "chat.delete", Three, Json, true;
    GetPermalink = "chat.getPermalink", Generous, Form, true;
    PostEphemeral = "chat.postEphemeral", Four, Json, true;
    PostMessage = "chat.postMessage", PerChannel, Json, false;
    StartStream = "chat.startStream", Two, Json, false;
    StopStream = "chat.stopStream", Two, Json, false;
    ChatUpdate = "chat.update", Three, Json, true;
    History = "conversations.history", Three, Form, true;
    ConversationInfo = "conversations.info", Three, Form, true;
    ConversationJoin = "conversations.join", Three, Form, true;
    ConversationList = "conversations.list", Two, Form, true;
    ConversationMembers = "conversations.members", Four, Form, true;
    ConversationOpen = "conversations.open", Three, Form, true;
    Replies = "conversations.replies", Three, Form, true;
    FilesInfo = "files.info", Four, Form, true;
    OauthAccess = "oauth.v2.access", Installing, Form, false;
    OauthExchange = "oauth.v2.exchange", Three, Form, false;
    TeamInfo = "team.info", Three, Form, true;
    UsersConversations = "users.conversations", Three, Form, true;
    UsersInfo = "users.info", Four, Form, true;
    UsersList = "users.list", Two, Form, true;
    LookupByEmail = "users.lookupByEmail", Three, Form, true;
    ViewsOpen = "views.open", Four, Json, false;
    ViewsPublish = "views.publish", Four, Json, true;
}

impl Method {
    /// Whether Slack's limits of 2025 for distributed apps hold it to one call a minute of 15 messages.
    pub const fn is_restrictable(self) -> bool {
        matches!(self, Self::History | Self::Replies)
    }
}
