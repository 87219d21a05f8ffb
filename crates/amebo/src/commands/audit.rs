//! `amebo audit verify`: proves that the audit logs were not altered.

use amebo_core::Environment;
use amebo_core::page::{MAX_LIMIT, PageRequest};
use amebo_store::audit::Verified;
use amebo_store::{Organization, Store};
use anyhow::{Result, bail};

use crate::config::Config;
use crate::data_directory::DataDirectory;
use crate::database::RunningDatabase;

/// What to do with audit logs.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Walk every entry of each organisation's log and prove the chain, or name the first broken entry.
    Verify {
        /// Only this organisation, by the name it has in addresses.
        #[arg(long, value_name = "SLUG")]
        organization: Option<String>,
    },
}

/// Verifies, and fails when a chain is broken.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub async fn run(config: &Config, command: Command) -> Result<()> {
    let Command::Verify { organization: wanted } = command;
    let database = RunningDatabase::beside(config, &DataDirectory::open(&config.data.directory)?).await?;
    let store = Store::connect(&database.store_config, Environment::system()).await?;
    let (mut seen, mut broken) = (0, 0);
    for organization in organizations(&store).await? {
        if wanted.as_ref().is_some_and(|slug| *slug != organization.slug) {
            continue;
        }
        seen += 1;
        match store.verify_audit(organization.id).await? {
            Some(Verified::Whole {
                entries,
                erased,
                head,
            }) => {
                let erased = if erased > 0 {
                    format!(", {erased} of them with details erased")
                } else {
                    String::new()
                };
                println!(
                    "{}: whole, {entries} entries{erased}; head {head}",
                    organization.slug
                );
            }
            Some(Verified::Broken { entry, reason }) => {
                broken += 1;
                println!("{}: BROKEN at entry {entry}: {reason}", organization.slug);
            }
            None => {}
        }
    }
    store.close().await;
    database.stop().await;
    if let Some(slug) = wanted.filter(|_| seen == 0) {
        bail!("there is no organization {slug}");
    }
    if broken > 0 {
        bail!("{broken} of {seen} audit logs were altered");
    }
    Ok(())
}

async fn organizations(store: &Store) -> Result<Vec<Organization>> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let mut tx = store.begin_system().await?;
        let page = tx
            .organizations()
            .list(&PageRequest {
                after,
                limit: MAX_LIMIT,
            })
            .await?;
        tx.commit().await?;
        after = page.items.last().map(|organization| organization.id);
        all.extend(page.items);
        if page.next_cursor.is_none() {
            return Ok(all);
        }
    }
}
