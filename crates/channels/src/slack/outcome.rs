//! What became of a request to Slack. Slack answers 200 to nearly everything and says in the body whether it was done
//! (<https://docs.slack.dev/apis/web-api/#responses>).

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use crate::Outcome;
use crate::outcome::Failure;

/// How long to wait where Slack asks to wait and does not say how long.
const UNSPECIFIED_WAIT: Duration = Duration::from_secs(30);
/// The longest text of an answer that is repeated to an administrator.
const LONGEST_DETAIL: usize = 300;

/// Waiting helps.
const RATE: [&str; 3] = ["ratelimited", "rate_limited", "message_limit_exceeded"];
/// Slack's own problem. Of those in [`PERHAPS_DONE`] it is known that they may come after the deed.
const TEMPORARY: [&str; 9] = [
    "accesslimited",
    "external_channel_migrating",
    "fetch_members_failed",
    "org_login_required",
    "service_unavailable",
    "streaming_state_conflict",
    "team_added_to_org",
    "update_failed",
    "upgrade_in_progress",
];
const PERHAPS_DONE: [&str; 4] = [
    "fatal_error",
    "internal_error",
    "messaging_processing_failed",
    "request_timeout",
];
/// The connection is over.
const REVOKED: [&str; 10] = [
    "account_inactive",
    "app_not_installed",
    "invalid_auth",
    "invalid_refresh_token",
    "not_authed",
    "org_access_denied",
    "team_access_not_granted",
    "team_not_found",
    "token_revoked",
    "user_removed_from_team",
];
/// A permission is missing.
const PERMISSION: [&str; 4] = [
    "access_denied",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
];
/// The place, the person or the address is not to be reached.
const CLOSED: [&str; 19] = [
    "cannot_dm_bot",
    "cannot_reply_to_message",
    "channel_is_limited_access",
    "channel_not_found",
    "channel_type_not_supported",
    "duplicate_channel_not_found",
    "expired_url",
    "is_archived",
    "is_inactive",
    "messages_tab_disabled",
    "not_in_channel",
    "posting_to_channel_denied",
    "thread_not_found",
    "used_url",
    "user_disabled",
    "user_not_found",
    "user_not_in_channel",
    "user_not_visible",
    "no_active_hooks",
];

/// What became of a request that Slack answered so.
pub fn classify(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Outcome {
    let wait = headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map_or(UNSPECIFIED_WAIT, Duration::from_secs);
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Outcome::RetryAfter(wait);
    }
    if status.is_server_error() {
        return Outcome::Temporary {
            code: format!("http_{}", status.as_u16()),
            perhaps_done: true,
        };
    }
    let Ok(answer) = serde_json::from_slice::<Value>(body) else {
        return unstructured(status, body);
    };
    if status.is_success() && answer["ok"] == true {
        return Outcome::Accepted {
            message: text(&answer["ts"]).or_else(|| text(&answer["message_ts"])),
            place: text(&answer["channel"]).or_else(|| text(&answer["channel"]["id"])),
        };
    }
    let code = text(&answer["error"]).unwrap_or_else(|| format!("http_{}", status.as_u16()));
    refusal(code, wait, &answer)
}

/// What a request that brought no answer amounts to.
pub fn classify_failure(error: &amebo_outbound::Error) -> Outcome {
    use amebo_outbound::Error;
    if error.is_temporary() {
        Outcome::Temporary {
            code: error.to_string(),
            perhaps_done: !matches!(error, Error::Connect { .. } | Error::Unresolved { .. }),
        }
    } else {
        Outcome::Refused(Failure {
            code: error.to_string(),
            details: Vec::new(),
        })
    }
}

fn refusal(code: String, wait: Duration, answer: &Value) -> Outcome {
    let is = |codes: &[&str]| codes.contains(&code.as_str());
    if is(&RATE) {
        Outcome::RetryAfter(wait)
    } else if is(&TEMPORARY) || is(&PERHAPS_DONE) {
        Outcome::Temporary {
            perhaps_done: is(&PERHAPS_DONE),
            code,
        }
    } else if code == "token_expired" {
        Outcome::CredentialExpired
    } else if is(&REVOKED) {
        Outcome::CredentialRevoked { code }
    } else if is(&PERMISSION) {
        Outcome::PermissionMissing {
            needed: text(&answer["needed"]),
            granted: text(&answer["provided"]),
        }
    } else if is(&CLOSED) || code.starts_with("restricted_action") {
        Outcome::PlaceClosed { code }
    } else {
        Outcome::Refused(Failure {
            details: details(answer),
            code,
        })
    }
}

/// The address of a command answers in words: `ok`, or what is wrong.
fn unstructured(status: StatusCode, body: &[u8]) -> Outcome {
    let said: String = String::from_utf8_lossy(body)
        .trim()
        .chars()
        .take(LONGEST_DETAIL)
        .collect();
    if status.is_success() && (said.is_empty() || said == "ok") {
        return Outcome::Accepted {
            message: None,
            place: None,
        };
    }
    if status.is_success() {
        // A page of something between us and Slack. Nobody knows what became of the request.
        return Outcome::Temporary {
            code: "unreadable_answer".to_owned(),
            perhaps_done: true,
        };
    }
    // The address of a command that ran out is simply not there any more.
    if matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) || CLOSED.contains(&said.as_str()) {
        let known = CLOSED.contains(&said.as_str());
        return Outcome::PlaceClosed {
            code: if known {
                said
            } else {
                format!("http_{}", status.as_u16())
            },
        };
    }
    Outcome::Refused(Failure {
        code: format!("http_{}", status.as_u16()),
        details: (!said.is_empty()).then_some(said).into_iter().collect(),
    })
}

fn details(answer: &Value) -> Vec<String> {
    let messages = answer["response_metadata"]["messages"].as_array();
    messages
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|message| message.chars().take(LONGEST_DETAIL).collect())
        .collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn judged(status: u16, body: &str) -> Outcome {
        classify(
            StatusCode::from_u16(status).unwrap(),
            &HeaderMap::new(),
            body.as_bytes(),
        )
    }

    #[test]
    fn a_posted_message_is_accepted_with_its_name_and_place() {
        let outcome = judged(
            200,
            r#"{"ok":true,"channel":"C1","ts":"1503435956.000247","message":{}}"#,
        );
        assert_eq!(
            outcome,
            Outcome::Accepted {
                message: Some("1503435956.000247".into()),
                place: Some("C1".into())
            }
        );
        assert!(judged(200, "ok").is_accepted());
        assert!(judged(200, r#"{"ok":true,"channel":{"id":"D1"}}"#).is_accepted());
    }

    #[test]
    fn being_too_fast_is_told_with_the_time_to_wait() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("7"));
        let body = br#"{"ok":false,"error":"ratelimited"}"#;
        for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::OK] {
            assert_eq!(
                classify(status, &headers, body),
                Outcome::RetryAfter(Duration::from_secs(7))
            );
        }
    }

    #[test]
    fn each_failure_says_what_is_to_be_done() {
        for (body, expected) in [
            (r#"{"ok":false,"error":"token_expired"}"#, "credential_expired"),
            (r#"{"ok":false,"error":"token_revoked"}"#, "credential_revoked"),
            (
                r#"{"ok":false,"error":"missing_scope","needed":"channels:history","provided":"chat:write"}"#,
                "permission_missing",
            ),
            (r#"{"ok":false,"error":"not_in_channel"}"#, "place_closed"),
            (
                r#"{"ok":false,"error":"restricted_action_thread_locked"}"#,
                "place_closed",
            ),
            (r#"{"ok":false,"error":"internal_error"}"#, "temporary"),
            (
                r#"{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] must be less than 3001 characters"]}}"#,
                "refused",
            ),
        ] {
            let outcome = judged(200, body);
            assert_eq!(outcome.as_str(), expected, "{body}");
            assert!(outcome.remedy().is_some());
        }
        assert!(
            judged(
                200,
                r#"{"ok":false,"error":"missing_scope","needed":"channels:history"}"#
            )
            .remedy()
            .unwrap()
            .contains("channels:history")
        );
    }

    #[test]
    fn what_may_have_been_done_all_the_same_is_told_apart() {
        let perhaps = |outcome| {
            matches!(
                outcome,
                Outcome::Temporary {
                    perhaps_done: true,
                    ..
                }
            )
        };
        assert!(perhaps(judged(503, "")));
        assert!(perhaps(judged(200, r#"{"ok":false,"error":"fatal_error"}"#)));
        assert!(perhaps(judged(200, "<html>proxy</html>")));
        assert!(!perhaps(judged(
            200,
            r#"{"ok":false,"error":"service_unavailable"}"#
        )));
    }

    #[test]
    fn an_address_that_ran_out_is_a_closed_place() {
        for (status, body) in [
            (404, "used_url"),
            (404, "expired_url"),
            (404, "<html/>"),
            (410, ""),
        ] {
            assert_eq!(judged(status, body).as_str(), "place_closed", "{status} {body}");
        }
        assert_eq!(judged(400, "invalid_payload").as_str(), "refused");
    }
}
