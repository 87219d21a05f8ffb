//! What Slack sends to the app: signed requests, sometimes twice and in another order.

use amebo_channels::slack::verify::{SIGNATURE, TIMESTAMP, sign};
use amebo_core::Environment;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::FakeSlack;
use super::world::{FakeApp, Ids, World};

/// A request as Slack makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl SignedRequest {
    /// The same request once more, as Slack repeats what was not acknowledged.
    #[must_use]
    pub fn repeated(&self, number: u32, reason: &str) -> Self {
        let mut again = self.clone();
        again.headers.push(("x-slack-retry-num", number.to_string()));
        again.headers.push(("x-slack-retry-reason", reason.to_owned()));
        again
    }
}

/// Requests in another order, some of them twice or three times.
pub fn shuffled_with_duplicates(requests: &[SignedRequest], environment: &Environment) -> Vec<SignedRequest> {
    let mut keyed: Vec<(f64, SignedRequest)> = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        let copies = 1 + u32::from(environment.fraction() < 0.3) + u32::from(environment.fraction() < 0.1);
        for copy in 0..copies {
            // Near where it was, so that it is late and not lost.
            let at = f64::from(u32::try_from(index).unwrap()) + environment.fraction() * 8.0;
            let request = match copy {
                0 => request.clone(),
                copy => request.repeated(copy, "http_timeout"),
            };
            keyed.push((at, request));
        }
    }
    keyed.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    keyed.into_iter().map(|(_, request)| request).collect()
}

impl World {
    /// An event as the Events API wraps it.
    pub fn envelope(&mut self, team: &str, event: &Value) -> Value {
        let number = self.count();
        let enterprise = self.team(team).enterprise.clone();
        let org_wide = self
            .tokens
            .values()
            .any(|token| token.org_wide && Some(&token.account) == enterprise.as_ref());
        let shared = event["channel"]
            .as_str()
            .and_then(|channel| self.team(team).channels.get(channel))
            .is_some_and(|channel| channel.shared);
        json!({
            "token": "deprecated",
            "team_id": team,
            "context_team_id": team,
            "context_enterprise_id": enterprise,
            "enterprise_id": enterprise,
            "api_app_id": Ids::APP,
            "event": event,
            "type": "event_callback",
            "event_id": format!("Ev{number:010}"),
            "event_time": self.environment.now().timestamp(),
            "authorizations": [{
                "enterprise_id": enterprise,
                "team_id": if org_wide { Value::Null } else { json!(team) },
                "user_id": Ids::BOT_USER,
                "is_bot": true,
                "is_enterprise_install": org_wide,
            }],
            "is_ext_shared_channel": shared,
            "event_context": format!("4-fake-{number}"),
        })
    }

    /// The event about a message that was said with [`World::say`]: a mention of the app, or a message.
    pub fn message_event(&mut self, team: &str, channel: &str, message: &Value, mention: bool) -> Value {
        let mut event = message.clone();
        event["channel"] = json!(channel);
        event["event_ts"] = event["ts"].clone();
        if mention {
            event["type"] = json!("app_mention");
        } else {
            let kind = match channel.as_bytes().first() {
                Some(b'D') => "im",
                Some(b'G') => "group",
                _ => "channel",
            };
            event["channel_type"] = json!(kind);
        }
        self.envelope(team, &event)
    }

    /// The form that a slash command is.
    pub fn command(
        &mut self,
        base: &str,
        team: &str,
        channel: &str,
        user: &str,
        command: &str,
        text: &str,
    ) -> Value {
        let response_url = self.callback(base, team, channel, user);
        let trigger = self.trigger();
        let name = self
            .team(team)
            .channels
            .get(channel)
            .map_or("directmessage".to_owned(), |channel| channel.name.clone());
        json!({
            "token": "deprecated",
            "api_app_id": Ids::APP,
            "team_id": team,
            "team_domain": self.team(team).domain,
            "channel_id": channel,
            "channel_name": if channel.starts_with('D') { "directmessage".to_owned() } else { name },
            "user_id": user,
            "user_name": user,
            "command": command,
            "text": text,
            "response_url": response_url,
            "trigger_id": trigger,
            "is_enterprise_install": "false",
        })
    }

    /// The payload of a pressed button of a message, or of one that only this person sees.
    pub fn press(
        &mut self,
        base: &str,
        team: &str,
        channel: &str,
        user: &str,
        message: &Value,
        (action, value): (&str, &str),
    ) -> Value {
        let response_url = self.callback(base, team, channel, user);
        let trigger = self.trigger();
        let pressed_at = self.next_ts();
        let ephemeral = message.get("user").is_none();
        json!({
            "type": "block_actions",
            "team": { "id": team, "domain": self.team(team).domain },
            "user": { "id": user, "username": user, "name": user, "team_id": team },
            "api_app_id": Ids::APP,
            "token": "deprecated",
            "container": {
                "type": "message",
                "message_ts": message["ts"].as_str().unwrap_or(&pressed_at),
                "channel_id": channel,
                "is_ephemeral": ephemeral,
                "thread_ts": message["thread_ts"],
            },
            "trigger_id": trigger,
            "channel": { "id": channel, "name": "channel" },
            "message": message,
            "response_url": response_url,
            "actions": [{ "type": "button", "action_id": action, "block_id": "b", "value": value, "action_ts": pressed_at }],
            "is_enterprise_install": false,
        })
    }
}

impl FakeSlack {
    /// A request with a JSON body, as events come.
    pub fn signed_json(&self, payload: &Value) -> SignedRequest {
        self.signed("application/json", payload.to_string())
    }

    /// A request with a form, as commands come.
    pub fn signed_form(&self, fields: &Value) -> SignedRequest {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in fields.as_object().unwrap() {
            form.append_pair(name, value.as_str().unwrap_or_default());
        }
        self.signed("application/x-www-form-urlencoded", form.finish())
    }

    /// A request with a payload in a form, as interactions come.
    pub fn signed_interaction(&self, payload: &Value) -> SignedRequest {
        self.signed_form(&json!({ "payload": payload.to_string() }))
    }

    fn signed(&self, content_type: &str, body: String) -> SignedRequest {
        let app = self.world().app();
        sign_request(
            &app,
            content_type,
            body,
            self.shared.environment.now().timestamp(),
        )
    }
}

fn sign_request(app: &FakeApp, content_type: &str, body: String, at: i64) -> SignedRequest {
    let secret = SecretString::from(app.signing_secret.clone());
    let signature = sign(body.as_bytes(), at, &secret);
    SignedRequest {
        headers: vec![
            ("content-type", content_type.to_owned()),
            (
                "user-agent",
                "Slackbot 1.0 (+https://api.slack.com/robots)".to_owned(),
            ),
            (TIMESTAMP, at.to_string()),
            (SIGNATURE, signature),
        ],
        body: body.into_bytes(),
    }
}
