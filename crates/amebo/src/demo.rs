//! Sample documents of a company that does not exist, in a few languages, so that a question can be asked at once.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::terminal::{Api, Target};

const KNOWLEDGE_BASE: &str = "Sample documents";

/// How often it is looked whether the samples are findable.
const LOOK: Duration = Duration::from_millis(300);
/// How long that may take.
const PATIENCE: u32 = 400;

const SAMPLES: [(&str, &str); 6] = [
    (
        "employee-handbook.md",
        include_str!("../demo/employee-handbook.md"),
    ),
    ("travel-policy.md", include_str!("../demo/travel-policy.md")),
    ("support-runbook.md", include_str!("../demo/support-runbook.md")),
    ("garantie.md", include_str!("../demo/garantie.md")),
    ("envios.md", include_str!("../demo/envios.md")),
    ("dianchi.md", include_str!("../demo/dianchi.md")),
];

/// Puts the samples into the server that runs on this data directory, once, and waits until they are findable.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub async fn load(data: &Path) -> Result<()> {
    let api = Api::connect(&Target::default(), None, data).await?;
    let bases: Value = api.get("/knowledge-bases?limit=200").await?;
    let existing = bases["items"]
        .as_array()
        .and_then(|bases| bases.iter().find(|base| base["name"] == KNOWLEDGE_BASE));
    if existing.is_none() {
        let base: Value = api
            .post("/knowledge-bases", &json!({ "name": KNOWLEDGE_BASE }))
            .await?;
        let id = base["id"].as_str().unwrap_or_default().to_owned();
        for (name, text) in SAMPLES {
            let path = format!("/knowledge-bases/{id}/documents/raw?name={name}");
            api.upload::<Value>(&path, "application/octet-stream", text.as_bytes().to_vec())
                .await?;
        }
        settled(&api, &id).await?;
    }
    println!(
        "The sample documents are ready. Try: amebo ask \"How many days of leave do new colleagues get?\""
    );
    Ok(())
}

async fn settled(api: &Api, base: &str) -> Result<()> {
    for _ in 0..PATIENCE {
        let documents: Value = api.get(&format!("/documents?knowledge_base_id={base}")).await?;
        let statuses: Vec<&str> = documents["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|document| document["status"].as_str())
            .collect();
        ensure!(
            !statuses.contains(&"failed"),
            "a sample document could not be taken in; `amebo doctor` may say why"
        );
        if statuses.iter().all(|status| *status == "indexed") {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
    anyhow::bail!("the sample documents are still in work; they will be findable later")
}
