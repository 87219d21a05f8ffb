//! Slack's own SDKs against the fake: what they make of it, and what our client makes of it, must be the same.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use amebo_channels::Outcome;
use amebo_channels::outbound::{Citation, Form, Reply};
use amebo_channels::slack::api::{
    AppCredentials, CallError, HistoryQuery, Page, Patience, PlaceFilter, StreamTarget, Workspace,
};
use amebo_channels::slack::outbound::{Home, SyncedPlace, ask_form, home, render_below, suggested_prompts};
use amebo_channels::slack::{CAPABILITIES, render, verify};
use amebo_core::answer::ConfidenceLevel;
use amebo_core::{Environment, SystemClock};
use amebo_testkit::FakeSlack;
use amebo_testkit::slack::{Fault, Ids, InstallAs, SignedRequest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::{secret, slack, start};

const REDIRECT: &str = "https://amebo.example/callback";

/// Where the SDKs are. `./dev test` puts them below `target/`; elsewhere the first test that needs them does.
async fn sdks() -> PathBuf {
    let named = std::env::var_os("AMEBO_TEST_SLACK_SDK");
    let folder = named.map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).join("slack-sdk"),
        PathBuf::from,
    );
    let done = Command::new(source("setup")).arg(&folder).status().await.unwrap();
    assert!(
        done.success(),
        "the SDKs could not be installed; python3-venv, npm and their registries are needed"
    );
    folder
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk").join(name)
}

fn python(folder: &Path) -> Command {
    let mut command = Command::new(folder.join("venv/bin/python"));
    command.arg(source("scenario.py"));
    command
}

fn node(folder: &Path) -> Command {
    let mut command = Command::new("node");
    command
        .arg(source("scenario.cjs"))
        .env("NODE_PATH", folder.join("node_modules"));
    command
}

async fn begin(mut command: Command, given: &Value) -> Child {
    let mut child = command
        .env_remove("HTTP_PROXY")
        .env_remove("http_proxy")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(given.to_string().as_bytes()).await.unwrap();
    drop(input);
    child
}

async fn end(child: Child) -> Value {
    let output = child.wait_with_output().await.unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{complaints}"))
}

async fn run(command: Command, given: &Value) -> Value {
    end(begin(command, given).await).await
}

fn answer() -> Reply {
    Reply {
        citations: vec![Citation {
            number: 1,
            title: "Refunds <policy>".into(),
            heading_path: vec!["Money".into()],
            quote: "Refunds take 14 days.".into(),
            url: Some(REDIRECT.parse().unwrap()),
        }],
        confidence: Some(ConfidenceLevel::High),
        reference: Some("019a9b".into()),
        rateable: true,
        shareable: true,
        ..Reply::new(Form::Answer, "Refunds take **14 days** [1].\n\n```\nx < y\n```")
    }
}

/// A fake in which everything is as in every other such fake, and what a scenario is given.
async fn prepared() -> (FakeSlack, Value) {
    let (slack, _) = slack().await;
    let base = slack.url().to_owned();
    let payload = render(&answer(), &CAPABILITIES).remove(0);
    let app = slack.world().app();
    let mut world = slack.world();
    for number in 0..250 {
        world.add_channel(
            Ids::TEAM,
            &format!("C{number:04}"),
            &format!("c{number}"),
            number % 2 == 0,
            &[Ids::BOT_USER],
        );
    }
    world.add_channel(Ids::TEAM, "C0ARCHIVE", "archive", false, &[Ids::BOT_USER]);
    world.archive(Ids::TEAM, "C0ARCHIVE", true);
    let root = world.say(Ids::TEAM, Ids::GENERAL, Ids::USER, "How long?", None);
    let thread = root["ts"].as_str().unwrap();
    world.say(Ids::TEAM, Ids::GENERAL, Ids::ADMIN, "14 days", Some(thread));
    for number in 0..7 {
        world.say(Ids::TEAM, Ids::GENERAL, Ids::USER, &format!("m{number}"), None);
    }
    world.add_file(&base, Ids::TEAM, "F0FILE001", "terms.txt", "text/plain", b"x");
    world.add_token("xoxb-few", Ids::TEAM, &["chat:write".to_owned()]);
    let code = |world: &mut amebo_testkit::slack::World, install| {
        world.grant_code(&app.client_id, &["chat:write", "commands"], install)
    };
    let given = json!({
        "base": base,
        "token": Ids::TOKEN,
        "few": "xoxb-few",
        "app_token": Ids::APP_TOKEN,
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "signing_secret": app.signing_secret,
        "workspace_code": code(&mut world, InstallAs::Workspace(Ids::TEAM.into())),
        "organization_code": code(&mut world, InstallAs::Organization("E0CORP001".into())),
        "trigger": world.trigger(),
        "limited": Ids::ADMIN,
        "text": payload.text,
        "blocks": payload.body["blocks"],
        "below": render_below(&answer(), &CAPABILITIES),
        "home": home(&Home { organization: "Acme".into(), ..Home::default() }),
        "form": ask_form(),
        "parts": ["web_api", "oauth"],
    });
    drop(world);
    // The second question about a person comes too fast, and so does no other call.
    slack
        .fail("users.info", Fault::Slow(std::time::Duration::ZERO))
        .fail("users.info", Fault::Slow(std::time::Duration::ZERO))
        .fail("users.info", Fault::RateLimited(7));
    (slack, given)
}

async fn every<T, F>(mut page: impl FnMut(Option<String>) -> F) -> Vec<T>
where
    F: Future<Output = Result<Page<T>, CallError>>,
{
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let next = page(cursor).await.unwrap();
        found.extend(next.items);
        cursor = next.next;
        if cursor.is_none() {
            return found;
        }
    }
}

fn code<T>(result: Result<T, CallError>) -> String {
    match result {
        Ok(_) => "none".to_owned(),
        Err(CallError {
            outcome: Outcome::PermissionMissing { .. },
            ..
        }) => "missing_scope".to_owned(),
        Err(error) => error.code().unwrap().to_owned(),
    }
}

/// What the scenarios do, by our own client.
async fn ours(slack: &FakeSlack, given: &Value) -> Value {
    let api = slack.api();
    let workspace = api
        .workspace(Ids::TEAM, secret(Ids::TOKEN))
        .with_patience(Patience::NONE);
    let mut out = json!({});
    let identity = workspace.auth_test().await.unwrap();
    out["identity"] = json!([identity.team, identity.user, identity.bot]);
    let filter = PlaceFilter {
        private: true,
        archived: true,
        joined: false,
    };
    let workspace_ = &workspace;
    let places =
        every(|cursor| async move { workspace_.conversations(filter, cursor.as_deref()).await }).await;
    let ids = |archived: bool| {
        let mut ids: Vec<&str> = places
            .iter()
            .filter(|place| place.archived || !archived)
            .map(|place| place.id.as_str())
            .collect();
        ids.sort_unstable();
        json!(ids)
    };
    out["places"] = ids(false);
    out["archived"] = ids(true);
    out["joined"] = json!(workspace.join(Ids::GENERAL).await.unwrap().member);
    out["info"] = json!(workspace.conversation(Ids::GENERAL).await.unwrap().members);
    out["members"] =
        json!(every(|cursor| async move { workspace_.members(Ids::GENERAL, cursor.as_deref()).await }).await);
    let people = every(|cursor| async move { workspace_.people(cursor.as_deref()).await }).await;
    out["people"] = people
        .iter()
        .map(|person| json!([person.id, person.email]))
        .collect();
    out["person"] = json!(workspace.person(Ids::USER).await.unwrap().id);
    out["by_email"] = json!(
        workspace
            .person_by_email("ada@acme.example")
            .await
            .unwrap()
            .unwrap()
            .id
    );
    out["team"] = json!(workspace.team(None).await.unwrap().domain);
    let history = every(|cursor| async move {
        let query = HistoryQuery {
            cursor,
            limit: Some(3),
            ..HistoryQuery::default()
        };
        workspace_.history(Ids::GENERAL, &query).await
    })
    .await;
    out["history"] = history
        .iter()
        .map(|item| json!([item.message.id, item.message.text, item.replies]))
        .collect();
    let thread = history.last().unwrap().message.id.clone();
    let replies = workspace
        .replies(Ids::GENERAL, &thread, &HistoryQuery::default())
        .await
        .unwrap();
    out["replies"] = replies
        .items
        .iter()
        .map(|item| json!(item.message.text))
        .collect();
    let payload = render(&answer(), &CAPABILITIES).remove(0);
    let posted = workspace
        .post(Ids::GENERAL, Some(&thread), &payload, None)
        .await
        .unwrap();
    out["posted"] = json!([posted.place, posted.message]);
    let changed = amebo_channels::outbound::OutboundPayload {
        text: "changed".into(),
        body: json!({ "text": "changed" }),
    };
    let updated = workspace
        .update(Ids::GENERAL, &posted.message, &changed, None)
        .await
        .unwrap();
    out["updated"] = json!(updated.message);
    workspace
        .post_ephemeral(Ids::GENERAL, Ids::USER, None, &changed)
        .await
        .unwrap();
    let direct = workspace.open_direct(Ids::USER).await.unwrap();
    out["direct"] = json!(direct);
    workspace
        .publish_home(Ids::USER, &given["home"], None)
        .await
        .unwrap();
    let trigger = given["trigger"].as_str().unwrap();
    workspace.open_form(trigger, &given["form"]).await.unwrap();
    workspace
        .set_status(&direct, "1.000000", "is reading")
        .await
        .unwrap();
    workspace.set_title(&direct, "1.000000", "Refunds").await.unwrap();
    let prompts = suggested_prompts(&["Refunds".into()]);
    workspace
        .set_suggested_prompts(&direct, Some("1.000000"), None, &prompts)
        .await
        .unwrap();
    let target = StreamTarget {
        place: Ids::GENERAL.into(),
        thread: thread.clone(),
        recipient: Some((Ids::USER.into(), Ids::TEAM.into())),
    };
    let stream = workspace.start_stream(&target, "Refunds ").await.unwrap();
    workspace.append_stream(&stream, "take ").await.unwrap();
    let below = render_below(&answer(), &CAPABILITIES);
    workspace
        .stop_stream(&stream, "14 days", &below, None)
        .await
        .unwrap();
    out["stream"] = json!(stream.message);
    out["file"] = json!(workspace.file("F0FILE001").await.unwrap().name);
    let empty = amebo_channels::outbound::OutboundPayload {
        text: String::new(),
        body: json!({ "text": "" }),
    };
    let wrong: Workspace = api.workspace("wrong", secret("xoxb-wrong"));
    let few: Workspace = api.workspace("few", secret("xoxb-few"));
    let nobody = workspace.person_by_email("eve@acme.example").await.unwrap();
    out["errors"] = json!([
        code(workspace.post("C0NOWHERE", None, &changed, None).await),
        code(workspace.post("C0ARCHIVE", None, &changed, None).await),
        code(workspace.post(Ids::GENERAL, None, &empty, None).await),
        code(
            workspace
                .replies(Ids::GENERAL, "1.000000", &HistoryQuery::default())
                .await
        ),
        code(workspace.person("U0NOBODY1").await),
        // Nobody with that address is no error for us.
        nobody.map_or("users_not_found", |_| "none"),
        code(workspace.open_form(trigger, &given["form"]).await),
        code(workspace.append_stream(&stream, "more").await),
        code(wrong.auth_test().await),
        code(few.people(None).await),
    ]);
    let limited = workspace.person(Ids::ADMIN).await.unwrap_err();
    out["limited"] = match limited.outcome {
        Outcome::RetryAfter(wait) => json!([429, wait.as_secs()]),
        other => panic!("{other:?}"),
    };
    let app = api.workspace(Ids::APP, secret(Ids::APP_TOKEN));
    let socket = app.open_socket().await.unwrap();
    out["socket"] = json!(socket.as_str().split('?').next());
    json!({ "web_api": out, "oauth": our_oauth(slack, given).await })
}

async fn our_oauth(slack: &FakeSlack, given: &Value) -> Value {
    let app = slack.world().app();
    let app = AppCredentials {
        client_id: app.client_id,
        client_secret: secret(&app.client_secret),
    };
    let api = slack.api();
    let redirect = REDIRECT.parse().unwrap();
    let install = async |name: &str| api.install(&app, given[name].as_str().unwrap(), &redirect).await;
    let workspace = install("workspace_code").await.unwrap();
    let organization = install("organization_code").await.unwrap();
    let again = code(install("workspace_code").await);
    let grant = workspace.bot.unwrap();
    let renewed = api.refresh(&app, &grant.refresh_token.unwrap()).await;
    json!([
        [
            workspace.account.team,
            workspace.account.org_wide,
            grant.scopes.join(",")
        ],
        [
            organization.account.team,
            organization.account.enterprise,
            organization.account.org_wide
        ],
        again,
        renewed.is_ok(),
    ])
}

/// A summary without the address of the fake, of which each has its own.
fn comparable(mut summary: Value, base: &str) -> Value {
    let socket = summary["web_api"]["socket"]
        .as_str()
        .unwrap()
        .replace(&base.replace("http", "ws"), "");
    summary["web_api"]["socket"] = json!(socket);
    summary
}

#[tokio::test]
async fn the_same_calls_by_either_sdk_and_by_us_bring_the_same() {
    let folder = sdks().await;
    let (slack, given) = prepared().await;
    let ours = comparable(ours(&slack, &given).await, slack.url());
    assert_eq!(ours["web_api"]["places"].as_array().unwrap().len(), 252);
    let expected = slack.world().messages(Ids::TEAM, Ids::GENERAL);
    for command in [python(&folder), node(&folder)] {
        let (slack, given) = prepared().await;
        let theirs = comparable(run(command, &given).await, slack.url());
        assert_eq!(ours, theirs);
        // And the fake is left as we left it.
        assert_eq!(slack.world().messages(Ids::TEAM, Ids::GENERAL), expected);
        assert_eq!(slack.world().titles.len(), 1);
    }
}

#[tokio::test]
async fn the_sdks_believe_our_signatures_and_refuse_what_we_refuse() {
    let folder = sdks().await;
    let now = start().timestamp();
    let key = "8f742231b10e8888abcd99yyyzzz85a5";
    let mut cases = Vec::new();
    for body in [
        "",
        "payload=%7B%7D",
        "token=x&text=Gr%C3%BC%C3%9Fe",
        "{\"text\":\"Grüße 🎉\"}",
    ] {
        let good = amebo_channels::slack::verify::sign(body.as_bytes(), now, &secret(key));
        let flipped = good.replace("v0=", "v0=0").split_at(67).0.to_owned();
        for (timestamp, signature, at) in [
            (now, good.clone(), now),
            (now, good.clone(), now + 299),
            (now, good.clone(), now + 301),
            (now - 1, good.clone(), now),
            (now, flipped, now),
            (now, good.to_uppercase(), now),
            (now, good.replace("v0=", "v1="), now),
            (now, String::new(), now),
        ] {
            cases.push((body, timestamp, signature, at));
        }
    }
    let verdicts: Vec<bool> = cases
        .iter()
        .map(|(body, timestamp, signature, at)| {
            let mut headers = HeaderMap::new();
            headers.insert("x-slack-request-timestamp", HeaderValue::from(*timestamp));
            headers.insert("x-slack-signature", signature.parse().unwrap());
            let now = DateTime::from_timestamp(*at, 0).unwrap();
            verify(body.as_bytes(), &headers, &[secret(key)], now).is_ok()
        })
        .collect();
    assert_eq!(verdicts.iter().filter(|verdict| **verdict).count(), 8);
    let given = json!({
        "base": "http://127.0.0.1:1",
        "token": "",
        "parts": ["signatures"],
        "signatures": cases.iter().map(|(body, timestamp, signature, at)| json!({
            "secret": key,
            "body": STANDARD.encode(body),
            "timestamp": timestamp.to_string(),
            "signature": signature,
            "now": at,
        })).collect::<Vec<_>>(),
    });
    let by_python = run(python(&folder), &given).await;
    assert_eq!(by_python["signatures"]["verdicts"], json!(verdicts));
    let by_node = run(node(&folder), &given).await;
    assert_eq!(by_node["signatures"]["verdicts"], json!(verdicts));
    // And what the SDK signs we believe.
    let mut headers = HeaderMap::new();
    headers.insert(
        "x-slack-request-timestamp",
        HeaderValue::from_static("1767600000"),
    );
    let made = by_python["signatures"]["made"].as_str().unwrap();
    headers.insert("x-slack-signature", made.parse().unwrap());
    assert_eq!(
        verify(b"made by the SDK", &headers, &[secret("another secret")], start()),
        Ok(())
    );
}

#[tokio::test]
async fn the_sdks_models_take_our_blocks() {
    let folder = sdks().await;
    let mut all = Vec::new();
    for length in [1, 500, 3_000, 20_000] {
        for form in [Form::Answer, Form::Decline, Form::Failure, Form::Working] {
            let reply = Reply {
                form,
                text: "a **word** of <it> & more [1] ".repeat(length / 30 + 1),
                ..answer()
            };
            all.extend(
                render(&reply, &CAPABILITIES)
                    .into_iter()
                    .map(|payload| payload.body["blocks"].clone()),
            );
        }
    }
    all.push(
        home(&Home {
            organization: "Acme".into(),
            groups: vec!["Public channels: 1 read".into()],
            settings: vec!["You are known to me.".into()],
            places: vec![SyncedPlace {
                place: "C1".into(),
                state: "is read".into(),
            }],
            can_link: true,
            ..Home::default()
        })["blocks"]
            .clone(),
    );
    all.push(ask_form()["blocks"].clone());
    let given = json!({ "base": "http://127.0.0.1:1", "token": "", "parts": ["blocks"], "all_blocks": all });
    let verdicts = run(python(&folder), &given).await;
    assert_eq!(verdicts["blocks"], json!(vec![true; all.len()]));
}

#[tokio::test]
async fn what_the_fake_sends_reaches_an_app_made_with_the_sdk() {
    let folder = sdks().await;
    // That app reads the machine's clock.
    let slack = FakeSlack::start(Environment::replayable(std::sync::Arc::new(SystemClock), 1)).await;
    let base = slack.url().to_owned();
    let (mention, message, command, press) = {
        let mut world = slack.world();
        let said = world.say(Ids::TEAM, Ids::GENERAL, Ids::USER, "<@U0BOT0001> how long?", None);
        let mention = world.message_event(Ids::TEAM, Ids::GENERAL, &said, true);
        let direct = world.direct(Ids::TEAM, Ids::USER);
        let asked = world.say(Ids::TEAM, &direct, Ids::USER, "how long?", None);
        let message = world.message_event(Ids::TEAM, &direct, &asked, false);
        let command = world.command(&base, Ids::TEAM, Ids::GENERAL, Ids::USER, "/ask", "how long?");
        let press = world.press(
            &base,
            Ids::TEAM,
            Ids::GENERAL,
            Ids::USER,
            &said,
            ("amebo_share", "019a9b"),
        );
        (mention, message, command, press)
    };
    let mut forged = slack.signed_json(&mention);
    forged.body.push(b' ');
    let requests = [
        slack.signed_json(&mention),
        slack.signed_json(&message),
        slack.signed_form(&command),
        slack.signed_interaction(&press),
        forged,
    ];
    let as_json = |request: &SignedRequest| {
        let headers: serde_json::Map<_, _> = request
            .headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!([value])))
            .collect();
        json!({ "body": String::from_utf8(request.body.clone()).unwrap(), "headers": headers })
    };
    let given = json!({
        "base": base,
        "token": Ids::TOKEN,
        "signing_secret": slack.world().app().signing_secret,
        "parts": ["bolt"],
        "requests": requests.iter().map(as_json).collect::<Vec<_>>(),
    });
    let outcome = run(python(&folder), &given).await;
    assert_eq!(outcome["bolt"]["statuses"], json!([200, 200, 200, 200, 401]));
    assert_eq!(
        outcome["bolt"]["heard"],
        json!([
            ["mention", "<@U0BOT0001> how long?", Ids::GENERAL],
            ["message", "how long?", "im"],
            ["command", "how long?", Ids::USER],
            ["action", "019a9b", "button"],
        ])
    );
}

#[tokio::test]
async fn the_sdks_socket_hears_what_the_fake_sends() {
    let folder = sdks().await;
    let (slack, _) = slack().await;
    let given = json!({
        "base": slack.url(),
        "token": Ids::TOKEN,
        "app_token": Ids::APP_TOKEN,
        "parts": ["socket"],
    });
    let mut child = begin(python(&folder), &given).await;
    let mut complaints = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("socket open") {
        line.clear();
        assert!(
            complaints.read_line(&mut line).await.unwrap() > 0,
            "the SDK ended early"
        );
    }
    let event = {
        let mut world = slack.world();
        let said = world.say(Ids::TEAM, Ids::GENERAL, Ids::USER, "<@U0BOT0001> how long?", None);
        world.message_event(Ids::TEAM, Ids::GENERAL, &said, true)
    };
    slack.wait_for_socket().await;
    assert!(slack.send_over_socket("events_api", &event));
    slack.wait_for_acknowledgements(1).await;
    let outcome = end(child).await;
    assert_eq!(outcome["socket"], json!([["events_api", "app_mention"]]));
    let mut rest = String::new();
    complaints.read_to_string(&mut rest).await.unwrap();
}
