use amebo_core::answer::Rating;
use proptest::prelude::*;

use super::*;
use crate::inbound::{Action, Addressing, FileAccess, FileChange, InboundEvent, PlaceChange, PlaceKind};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../fixtures/", $name, ".json"))
    };
}

fn only(body: &str) -> InboundEvent {
    let mut inbound = parse(body.as_bytes()).unwrap();
    assert_eq!(
        (inbound.events.len(), inbound.answer),
        (1, Immediate::Acknowledge)
    );
    inbound.events.remove(0)
}

fn message(body: &str) -> crate::inbound::Message {
    match only(body).event {
        Event::Message(message) => *message,
        other => panic!("not a message: {other:?}"),
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    serde_urlencoded::to_string(fields).unwrap()
}

#[test]
fn a_mention_is_a_question_in_its_thread() {
    let event = only(fixture!("app_mention"));
    assert_eq!(event.external_id, "Ev0SYN0001");
    assert_eq!(event.account.connection_key(), Some("T0TEAM001"));
    assert_eq!(event.lane, "C0CHAN001:1763599000.000100");
    assert_eq!(event.at.unwrap().to_rfc3339(), "2025-11-20T00:53:20.000200+00:00");
    let message = message(fixture!("app_mention"));
    assert_eq!(message.addressed, Addressing::Mention);
    assert_eq!(message.plain, "what is our refund window?");
    assert_eq!(message.root(), "1763599000.000100");
    assert!(message.author.is_person() && !message.author.foreign);
}

#[test]
fn the_same_words_as_an_ordinary_message_are_not_a_second_question() {
    let body = fixture!("message_channel").replace("Deploy is", "<@U0BOT0001> Deploy is");
    assert_eq!(message(&body).addressed, Addressing::Overheard);
}

#[test]
fn a_mention_in_code_is_no_question() {
    let body = fixture!("app_mention").replace("<@U0BOT0001> what", "`<@U0BOT0001>` what");
    assert_eq!(message(&body).addressed, Addressing::Overheard);
}

#[test]
fn messages_are_addressed_as_their_place_says() {
    for (body, addressed, kind) in [
        (
            fixture!("message_channel"),
            Addressing::Overheard,
            PlaceKind::Public,
        ),
        (fixture!("message_reply"), Addressing::Thread, PlaceKind::Public),
        (fixture!("message_direct"), Addressing::Direct, PlaceKind::Direct),
        (
            fixture!("message_assistant"),
            Addressing::Assistant,
            PlaceKind::Direct,
        ),
        (
            fixture!("message_file"),
            Addressing::Overheard,
            PlaceKind::Private,
        ),
    ] {
        let message = message(body);
        assert_eq!(
            (message.addressed, message.place.kind),
            (addressed, Some(kind)),
            "{body}"
        );
        assert!(message.spoken);
    }
    assert_eq!(
        message(fixture!("message_channel")).plain,
        "Deploy is green (https://ci.example/42) & done"
    );
    assert_eq!(
        message(fixture!("message_assistant")).search_token.unwrap(),
        "10-action"
    );
    assert_eq!(only(fixture!("message_direct")).lane, "D0DIRECT1");
}

#[test]
fn amebo_does_not_hear_itself_and_notes_are_not_spoken() {
    let own = message(fixture!("message_own"));
    assert!(own.author.is_amebo && !own.author.is_person());
    let in_thread = fixture!("message_own").replace(
        "\"ts\": \"1763600005.000300\"",
        "\"ts\": \"1763600005.000300\", \"thread_ts\": \"1\"",
    );
    assert_eq!(message(&in_thread).addressed, Addressing::Overheard);
    assert!(!message(fixture!("message_join")).spoken);
}

#[test]
fn people_of_other_companies_are_told_apart() {
    let event = only(fixture!("message_connect"));
    // The connection is where the app is installed, not where the author belongs.
    assert_eq!(event.account.connection_key(), Some("T0TEAM001"));
    let message = message(fixture!("message_connect"));
    assert!(message.place.shared && message.author.foreign);
}

#[test]
fn files_say_whether_they_can_be_had() {
    let files = message(fixture!("message_file")).files;
    let access: Vec<FileAccess> = files.iter().map(|file| file.access).collect();
    assert_eq!(
        access,
        [
            FileAccess::Available,
            FileAccess::Elsewhere,
            FileAccess::Gone,
            FileAccess::LookUp
        ]
    );
    assert_eq!(files[0].size, Some(48_211));
    assert!(files[0].url.as_ref().unwrap().as_str().contains("/download/"));
}

#[test]
fn edits_and_deletions_name_the_message_they_are_about() {
    let Event::MessageChanged(change) = only(fixture!("message_changed")).event else {
        panic!("not a change");
    };
    assert_eq!(change.message.id, "1763600002.000300");
    assert!(change.is_rewording() && !change.removed);
    assert_eq!(
        only(fixture!("message_changed")).lane,
        only(fixture!("message_reply")).lane
    );

    let unfurled = fixture!("message_changed").replace("14 days", "30 days");
    let Event::MessageChanged(change) = only(&unfurled).event else {
        panic!("not a change");
    };
    assert!(!change.is_rewording());

    let Event::MessageChanged(change) = only(fixture!("message_tombstone")).event else {
        panic!("not a change");
    };
    assert!(change.removed && change.is_rewording());

    let deleted = only(fixture!("message_deleted"));
    assert_eq!(deleted.lane, only(fixture!("message_reply")).lane);
    let Event::MessageDeleted { message, thread, .. } = deleted.event else {
        panic!("not a deletion");
    };
    assert_eq!(
        (message.as_str(), thread.as_deref()),
        ("1763600002.000300", Some("1763600000.000200"))
    );
}

#[test]
fn amebos_page_and_conversations_are_opened() {
    assert!(matches!(
        only(fixture!("home_opened")).event,
        Event::HomeOpened { revision: Some(revision), .. } if revision == "1763600000.abc"
    ));
    assert!(matches!(
        only(fixture!("messages_opened")).event,
        Event::ConversationOpened { thread: None, .. }
    ));
    let Event::ConversationOpened {
        place,
        thread,
        person,
        context,
    } = only(fixture!("assistant_started")).event
    else {
        panic!("not opened");
    };
    assert_eq!(
        (place.id.as_str(), thread.as_deref()),
        ("D0DIRECT1", Some("1763600003.900000"))
    );
    assert_eq!(
        (person.id.as_deref(), context.as_deref()),
        (Some("U0USER001"), Some("C0CHAN001"))
    );
}

#[test]
fn changes_of_places_and_people_are_read() {
    let Event::Membership {
        person, joined: true, ..
    } = only(fixture!("member_joined")).event
    else {
        panic!("nobody joined");
    };
    assert!(person.is_amebo);
    assert!(matches!(
        only(fixture!("channel_renamed")).event,
        Event::PlaceChanged { change: PlaceChange::Renamed { name: Some(name) }, .. } if name == "refunds"
    ));
    assert!(matches!(
        only(fixture!("channel_moved")).event,
        Event::PlaceChanged { place, change: PlaceChange::Moved { to } } if place.id == "G0PRIV001" && to == "C0NEW0001"
    ));
    let Event::PersonChanged(person) = only(fixture!("user_changed")).event else {
        panic!("nobody changed");
    };
    assert_eq!(person.name.as_deref(), Some("Ada Obi"));
    assert_eq!((person.guest, person.email_confirmed), (true, Some(true)));
    let deleted = fixture!("channel_renamed").replace("channel_rename", "group_deleted");
    assert!(matches!(
        only(&deleted).event,
        Event::PlaceChanged { change: PlaceChange::Deleted, place } if place.kind == Some(PlaceKind::Private)
    ));
    let file = r#"{"type":"event_callback","event_id":"Ev1","team_id":"T1","event":{"type":"file_deleted","file_id":"F1"}}"#;
    assert!(matches!(
        only(file).event,
        Event::FileChanged {
            change: FileChange::Deleted,
            ..
        }
    ));
}

#[test]
fn the_end_of_a_connection_is_heard() {
    assert!(matches!(
        only(fixture!("tokens_revoked")).event,
        Event::TokensRevoked { bots, people } if bots == ["U0BOT0001"] && people.is_empty()
    ));
    let event = only(fixture!("app_uninstalled_org_wide"));
    assert_eq!(event.event, Event::Uninstalled);
    assert_eq!(event.account.connection_keys(), ["E0CORP001"]);
}

#[test]
fn what_slack_left_out_is_heard() {
    let event = only(fixture!("app_rate_limited"));
    assert!(matches!(event.event, Event::EventsMissed { since: Some(_) }));
    assert_eq!(event.external_id, "app_rate_limited:T0TEAM001:1763600040");
}

#[test]
fn tests_of_the_connection_are_answered_at_once() {
    assert_eq!(
        parse(fixture!("url_verification").as_bytes()).unwrap(),
        Inbound {
            answer: Immediate::Text("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P".into()),
            events: Vec::new()
        }
    );
    let probe = parse(b"ssl_check=1&token=deprecated").unwrap();
    assert_eq!((probe.answer, probe.events.len()), (Immediate::Acknowledge, 0));
}

#[test]
fn what_is_unknown_is_counted_and_not_refused() {
    assert_eq!(
        only(fixture!("unknown_event")).event,
        Event::Other {
            name: "thing_of_next_year".into()
        }
    );
}

#[test]
fn a_command_is_read_with_its_address_for_answers() {
    let body = form(&[
        ("token", "deprecated"),
        ("api_app_id", "A0AMEBO01"),
        ("team_id", "T0TEAM001"),
        ("team_domain", "acme"),
        ("enterprise_id", "E0CORP001"),
        ("channel_id", "D0DIRECT1"),
        ("channel_name", "directmessage"),
        ("user_id", "U0USER001"),
        ("user_name", "ada"),
        ("command", "/ask"),
        ("text", " what is a &lt;window&gt;? "),
        ("response_url", "https://hooks.slack.com/commands/T0TEAM001/1/x"),
        ("trigger_id", "398738663015.47445629121.803a"),
        ("is_enterprise_install", "true"),
    ]);
    let event = only(&body);
    assert_eq!(event.external_id, "command:398738663015.47445629121.803a");
    assert_eq!(event.account.connection_keys(), ["E0CORP001", "T0TEAM001"]);
    let Event::Command(command) = event.event else {
        panic!("not a command");
    };
    assert_eq!(
        (command.name.as_str(), command.text.as_str()),
        ("/ask", "what is a <window>?")
    );
    assert_eq!(command.place.kind, Some(PlaceKind::Direct));
    assert_eq!(command.callback.unwrap().host_str(), Some("hooks.slack.com"));
}

#[test]
fn buttons_and_forms_say_what_is_wanted() {
    let pressed = |body: &str| match only(&form(&[("payload", body)])).event {
        Event::Interaction(interaction) => *interaction,
        other => panic!("not an interaction: {other:?}"),
    };
    let feedback = pressed(fixture!("feedback"));
    assert_eq!(
        feedback.action,
        Action::Rate {
            reference: "019a9b".into(),
            rating: Rating::Down
        }
    );
    assert_eq!(feedback.thread.as_deref(), Some("1763600000.000200"));
    let share = pressed(fixture!("share"));
    assert_eq!(
        share.action,
        Action::Share {
            reference: "019a9b".into()
        }
    );
    assert!(share.ephemeral && share.callback.is_some());
    let asked = pressed(fixture!("ask_form_sent"));
    assert_eq!(
        asked.action,
        Action::Ask {
            text: "What is our refund window?".into()
        }
    );
    // Over a socket the object comes as it is.
    assert_eq!(
        only(fixture!("share")).external_id,
        only(&form(&[("payload", fixture!("share"))])).external_id
    );
}

#[test]
fn repeated_deliveries_say_so() {
    let mut headers = http::HeaderMap::new();
    assert_eq!(redelivery(&headers), None);
    headers.insert("x-slack-retry-num", "2".parse().unwrap());
    headers.insert("x-slack-retry-reason", "http_timeout".parse().unwrap());
    assert_eq!(
        redelivery(&headers),
        Some(Redelivery {
            number: 2,
            reason: "http_timeout".into()
        })
    );
}

#[test]
fn what_slack_would_not_send_is_refused() {
    for body in [
        "",
        "{",
        "[]",
        "{}",
        "payload=%7B",
        "command=%2Fask",
        r#"{"type":"event_callback","event":{"type":"message","channel":"C1","ts":"1.0"}}"#,
        r#"{"type":"event_callback","event_id":"Ev1","event":{"type":"message"}}"#,
        r#"{"type":"event_callback","event_id":"Ev1"}"#,
    ] {
        assert!(parse(body.as_bytes()).is_err(), "{body}");
    }
}

proptest! {
    #[test]
    fn no_body_breaks_the_reader(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&body);
    }

    #[test]
    fn no_field_is_taken_for_granted(cut in any::<prop::sample::Index>(), which in 0..6_usize) {
        let body = [
            fixture!("app_mention"),
            fixture!("message_changed"),
            fixture!("message_file"),
            fixture!("feedback"),
            fixture!("user_changed"),
            fixture!("assistant_started"),
        ][which];
        let mut value: Value = serde_json::from_str(body).unwrap();
        let mut paths = Vec::new();
        pointers(&value, String::new(), &mut paths);
        let path = paths[cut.index(paths.len())].clone();
        for replacement in [Value::Null, Value::String(String::new()), Value::from(7), serde_json::json!([]), serde_json::json!({})] {
            *value.pointer_mut(&path).unwrap() = replacement;
            let _ = parse_object(&value);
        }
    }
}

fn pointers(value: &Value, at: String, out: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                pointers(field, format!("{at}/{name}"), out);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, format!("{at}/{index}"), out);
            }
        }
        _ => {}
    }
    if !at.is_empty() {
        out.push(at);
    }
}
