//! An export of a workspace, read in and stored; embedding apart.

use std::io::{Cursor, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::Options;
use crate::figure::{Better, Figure};
use crate::server::Installation;
use crate::text::document;

/// How many channels a made-up export has, and days of each, and messages of each day.
const CHANNELS: usize = 20;
const DAYS: usize = 50;
const OF_A_DAY: usize = 100;

/// Imports an export that is made up, and the real one below `AMEBO_EVAL_DATA` where there is one.
pub async fn measure(options: &Options) -> Result<Vec<Figure>> {
    let made_up = made_up(options.scaled(CHANNELS, 2), options.scaled(DAYS, 3))?;
    let (messages, rate) = imported(options, made_up).await?;
    let mut figures = vec![
        Figure::new(
            format!("messages of a Slack export stored, {messages} in {CHANNELS} channels"),
            rate,
            "per s",
            Better::More,
        )
        .target(5_000.0, 20_000.0),
    ];
    let real = options
        .data
        .as_ref()
        .map(|data| data.join("slack_export/racket"))
        .filter(|folder| folder.is_dir());
    if let Some(folder) = real {
        let (messages, rate) = imported(options, zipped(&folder)?).await?;
        figures.push(
            Figure::new(
                format!("messages of a real Slack export stored, {messages}"),
                rate,
                "per s",
                Better::More,
            )
            .target(5_000.0, 20_000.0),
        );
    }
    Ok(figures)
}

/// Sends an archive in to a server of its own and waits until all of it is stored; how many messages that were, and how many a second.
async fn imported(options: &Options, archive: Vec<u8>) -> Result<(f64, f64)> {
    // One job of this priority at a time: the import goes first, and what it finds to be embedded waits.
    let installation =
        Installation::new(&options.amebo, &options.models)?.with(&[("AMEBO__JOBS__CONCURRENCY__BULK", "1")]);
    let server = installation.start().await?;
    let base = server
        .knowledge_base(&format!("Export {}", archive.len()))
        .await?;
    let path = format!("/knowledge-bases/{base}/slack-imports?name=export.zip&audience=organization");
    let mut import = server.send(&path, "application/zip", archive).await?;
    let id = import["id"].as_str().context("the import has no id")?.to_owned();
    while import["state"] != "done" {
        ensure!(
            import["state"] != "failed",
            "the import failed: {}",
            import["error"]
        );
        // Seldom, since the answer counts what is still to be written down.
        tokio::time::sleep(Duration::from_secs(2)).await;
        import = server
            .call(Method::GET, &format!("/slack-imports/{id}"), None)
            .await?;
    }
    ensure!(
        import["problem_count"] == 0 && import["messages"] == import["messages_new"],
        "not everything was stored: {import}"
    );
    server.stop()?;
    let time = |field: &str| {
        let time = import[field].as_str().unwrap_or_default();
        time.parse::<chrono::DateTime<chrono::Utc>>()
            .with_context(|| format!("the import has no {field}"))
    };
    let took = (time("finished_at")? - time("created_at")?).as_seconds_f64();
    let messages = import["messages"].as_f64().context("the import counts nothing")?;
    Ok((messages, messages / took))
}

/// An export with the files that Slack's have, about 100 bytes a message.
fn made_up(channels: usize, days: usize) -> Result<Vec<u8>> {
    let words: Vec<String> = (0..10).flat_map(|number| sentences(&document(number))).collect();
    let mut archive = Archive::default();
    let users: Vec<Value> = (0..50)
        .map(|number| json!({ "id": user(number), "name": format!("person{number}"), "profile": {} }))
        .collect();
    archive.add("users.json", &json!(users))?;
    let list: Vec<Value> = (0..channels)
        .map(|number| json!({ "id": format!("C{number:08}"), "name": name(number), "members": [user(0), user(1)] }))
        .collect();
    archive.add("channels.json", &json!(list))?;
    let first = chrono::NaiveDate::from_ymd_opt(2025, 1, 6).context("a date")?;
    for (channel, day) in (0..channels).flat_map(|channel| (0..days).map(move |day| (channel, day))) {
        let date = first + chrono::Days::new(day as u64);
        let morning = date.and_hms_opt(8, 0, 0).context("a time")?.and_utc().timestamp();
        let messages: Vec<Value> = (0..OF_A_DAY)
            .map(|number| {
                let at = morning + i64::try_from(number).unwrap_or_default() * 300;
                let text = &words[(channel * 31 + day * 7 + number) % words.len()];
                json!({ "type": "message", "user": user((number / 3) % 50), "text": text, "ts": format!("{at}.{channel:06}") })
            })
            .collect();
        archive.add(&format!("{}/{date}.json", name(channel)), &json!(messages))?;
    }
    archive.finish()
}

fn user(number: usize) -> String {
    format!("U{number:08}")
}

fn name(number: usize) -> String {
    format!("channel-{number}")
}

fn sentences(text: &str) -> Vec<String> {
    text.split(". ").map(str::to_owned).collect()
}

/// A folder as an archive.
fn zipped(folder: &Path) -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                let name = path.strip_prefix(folder)?.to_string_lossy().into_owned();
                archive.add_bytes(&name, &std::fs::read(&path)?)?;
            }
        }
    }
    archive.finish()
}

struct Archive(ZipWriter<Cursor<Vec<u8>>>);

impl Default for Archive {
    fn default() -> Self {
        Self(ZipWriter::new(Cursor::default()))
    }
}

impl Archive {
    fn add(&mut self, name: &str, content: &Value) -> Result<()> {
        self.add_bytes(name, &serde_json::to_vec(content)?)
    }

    fn add_bytes(&mut self, name: &str, content: &[u8]) -> Result<()> {
        self.0.start_file(name, SimpleFileOptions::default())?;
        Ok(self.0.write_all(content)?)
    }

    fn finish(self) -> Result<Vec<u8>> {
        Ok(self.0.finish()?.into_inner())
    }
}
