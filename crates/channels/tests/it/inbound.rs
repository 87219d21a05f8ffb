use amebo_channels::Refusal;
use amebo_channels::inbound::{Action, Addressing, Event};
use amebo_channels::outbound::{Form, Reply};
use amebo_channels::slack::CAPABILITIES;
use amebo_channels::slack::{parse, render, verify};
use amebo_core::Environment;
use amebo_testkit::slack::{Ids, SignedRequest, shuffled_with_duplicates};
use http::{HeaderMap, HeaderName};

use crate::{secret, slack, start};

fn headers(request: &SignedRequest) -> HeaderMap {
    request
        .headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
        .collect()
}

#[tokio::test]
async fn what_slack_signs_is_believed_and_understood() {
    let (slack, _) = slack().await;
    let base = slack.url().to_owned();
    let (mention, command, press) = {
        let mut world = slack.world();
        let said = world.say(Ids::TEAM, Ids::GENERAL, Ids::USER, "<@U0BOT0001> how long?", None);
        let mention = world.message_event(Ids::TEAM, Ids::GENERAL, &said, true);
        let command = world.command(&base, Ids::TEAM, Ids::GENERAL, Ids::USER, "/ask", "how long?");
        let press = world.press(
            &base,
            Ids::TEAM,
            Ids::GENERAL,
            Ids::USER,
            &said,
            ("amebo_share", "019a9b"),
        );
        (mention, command, press)
    };
    let requests = [
        slack.signed_json(&mention),
        slack.signed_form(&command),
        slack.signed_interaction(&press),
    ];
    let secrets = [secret(&slack.world().app().signing_secret)];
    for request in &requests {
        assert_eq!(
            verify(&request.body, &headers(request), &secrets, start()),
            Ok(())
        );
        assert_eq!(
            verify(
                &request.body,
                &headers(request),
                &[secret("another app's")],
                start()
            ),
            Err(Refusal::Forged)
        );
        let inbound = parse(&request.body).unwrap();
        assert_eq!(inbound.events[0].account.connection_key(), Some(Ids::TEAM));
        match &inbound.events[0].event {
            Event::Message(message) => assert_eq!(message.addressed, Addressing::Mention),
            Event::Command(command) => assert_eq!(command.text, "how long?"),
            Event::Interaction(pressed) => assert_eq!(
                pressed.action,
                Action::Share {
                    reference: "019a9b".into()
                }
            ),
            other => panic!("{other:?}"),
        }
    }
    let many = shuffled_with_duplicates(
        &std::iter::repeat_n(requests, 20).flatten().collect::<Vec<_>>(),
        &Environment::system(),
    );
    assert!(many.len() >= 60);
}

#[tokio::test]
async fn organisation_wide_events_name_the_organisation() {
    let (slack, _) = slack().await;
    let envelope = {
        let mut world = slack.world();
        world.add_team("T0GRID001", "Sales", Some("E0CORP001"));
        world.add_token("xoxb-grid", "E0CORP001", &["chat:write".to_owned()]);
        world.add_channel("T0GRID001", "C0GRID001", "sales", false, &[Ids::BOT_USER]);
        world.add_user("T0GRID001", "U0GRID001", "linus", "linus@corp.example");
        let said = world.say("T0GRID001", "C0GRID001", "U0GRID001", "hello", None);
        world.message_event("T0GRID001", "C0GRID001", &said, false)
    };
    let inbound = parse(envelope.to_string().as_bytes()).unwrap();
    assert_eq!(
        inbound.events[0].account.connection_keys(),
        ["E0CORP001", "T0GRID001"]
    );
}

#[tokio::test]
async fn an_answer_that_comes_back_as_an_event_is_not_answered() {
    let (slack, _) = slack().await;
    let workspace = crate::workspace(&slack);
    workspace.join(Ids::GENERAL).await.unwrap();
    let payload = render(&Reply::new(Form::Answer, "<@U0BOT0001> 14 days"), &CAPABILITIES).remove(0);
    let posted = workspace.post(Ids::GENERAL, None, &payload, None).await.unwrap();
    let envelope = {
        let mut world = slack.world();
        let message = world.message(Ids::TEAM, Ids::GENERAL, &posted.message);
        world.message_event(Ids::TEAM, Ids::GENERAL, &message, false)
    };
    let inbound = parse(envelope.to_string().as_bytes()).unwrap();
    let Event::Message(message) = &inbound.events[0].event else {
        panic!("not a message");
    };
    assert!(message.author.is_amebo);
    assert_eq!(message.addressed, Addressing::Overheard);
}
