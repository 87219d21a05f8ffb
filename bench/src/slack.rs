//! Slack, against a server as people run it: taking events in, connecting workspaces, answering, and what remains of it when Slack fails.
//!
//! The load comes from this process, over loopback, on the same machine as the server and its PostgreSQL; so does the Slack that the
//! server calls.

mod bolt;
mod faults;
mod import;
mod install;
mod intake;
mod isolation;
mod load;
mod place;
mod reply;

use anyhow::Result;

use crate::Options;
use crate::figure::Figure;

/// What can be measured, by the names the command line knows.
pub const NAMES: &[&str] = &[
    "slack-intake",
    "slack-install",
    "slack-reply",
    "slack-isolation",
    "slack-faults",
    "slack-import",
];

/// Measures all of it, or the part of that name.
pub async fn measure(name: &str, options: &Options) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for part in NAMES.iter().filter(|part| name == "slack" || name == **part) {
        if name == "slack" {
            eprint(part);
        }
        figures.extend(match *part {
            "slack-intake" => intake::measure(options).await?,
            "slack-install" => install::measure(options).await?,
            "slack-reply" => reply::measure(options).await?,
            "slack-isolation" => isolation::measure(options).await?,
            "slack-faults" => faults::measure(options).await?,
            _ => import::measure(options).await?,
        });
    }
    Ok(figures)
}

#[expect(clippy::print_stderr, reason = "a command's output")]
fn eprint(part: &str) {
    eprintln!("  {part} …");
}
