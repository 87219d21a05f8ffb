//! `amebo doctor`: looks at everything an installation needs, and says how to mend what is wrong.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use amebo_core::Environment;
use amebo_knowledge::models;
use amebo_store::Store;
use amebo_store::sealing::Sealer;
use anyhow::{Result, bail};

use crate::commands::keys::master_keys;
use crate::config::Config;
use crate::data_directory::DataDirectory;
use crate::database::RunningDatabase;

/// Less free space than this is worth a word, in bytes.
const LITTLE_SPACE: u64 = 2 << 30;
/// A database clock further off than this, in seconds, makes times in the product confusing.
const CLOCK_TOLERANCE: i64 = 5;

/// What a look found.
enum Finding {
    Good(String),
    /// Amebo runs, but less well.
    Doubtful(String),
    /// Amebo does not run, or not safely.
    Bad(String),
}

/// Looks at everything, prints what it found, and fails when something is bad.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub async fn run(config: &Config) -> Result<()> {
    let directory = DataDirectory::open(&config.data.directory)?;
    let mut findings = vec![space(&config.data.directory), private(&config.data.directory)];
    findings.extend(installed(&config.data.directory));
    findings.extend(database(config, &directory).await);
    let mut bad = 0;
    for finding in findings {
        let (mark, text) = match finding {
            Finding::Good(text) => ("ok   ", text),
            Finding::Doubtful(text) => ("WARN ", text),
            Finding::Bad(text) => {
                bad += 1;
                ("BAD  ", text)
            }
        };
        println!("{mark} {text}");
    }
    if bad > 0 {
        bail!("{bad} things need mending");
    }
    Ok(())
}

fn space(data: &Path) -> Finding {
    match nix::sys::statvfs::statvfs(data) {
        Ok(status) => {
            let free = status.blocks_available() * status.fragment_size();
            let text = format!(
                "{} MiB free for the data directory {}",
                free >> 20,
                data.display()
            );
            if free < LITTLE_SPACE {
                Finding::Doubtful(format!(
                    "{text}; documents and the database may not fit much longer"
                ))
            } else {
                Finding::Good(text)
            }
        }
        Err(error) => Finding::Bad(format!(
            "the data directory {} cannot be looked at: {error}",
            data.display()
        )),
    }
}

/// Keys must be readable by their owner alone.
fn private(data: &Path) -> Finding {
    let Ok(entries) = std::fs::read_dir(data) else {
        return Finding::Bad(format!("the data directory {} cannot be read", data.display()));
    };
    let open: Vec<String> = entries
        .flatten()
        .filter(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "key" || extension == "keys")
                || entry.file_name() == "terminal.json"
        })
        .filter(|entry| {
            entry
                .metadata()
                .is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
        })
        .map(|entry| entry.path().display().to_string())
        .collect();
    if open.is_empty() {
        Finding::Good("keys are readable by their owner alone".to_owned())
    } else {
        Finding::Bad(format!("others may read keys; run: chmod 600 {}", open.join(" ")))
    }
}

fn installed(data: &Path) -> [Finding; 2] {
    let model = match models::local(data, models::DEFAULT_MODEL) {
        Some(folder) => Finding::Good(match models::local(data, models::MULTILINGUAL_MODEL) {
            Some(second) => format!(
                "embedding models in {} and {}",
                folder.display(),
                second.display()
            ),
            None => format!("embedding model in {}", folder.display()),
        }),
        None => Finding::Doubtful(
            "no embedding model, so searches go by words alone; run: amebo models install".to_owned(),
        ),
    };
    let pdf = match models::pdfium(data) {
        Some(path) => Finding::Good(format!("PDF library {}", path.display())),
        None => Finding::Doubtful(
            "no PDF library, so PDF files need pdftotext; run: amebo models install".to_owned(),
        ),
    };
    [model, pdf]
}

async fn database(config: &Config, directory: &DataDirectory) -> Vec<Finding> {
    match look_at_database(config, directory).await {
        Ok(findings) => findings,
        Err(error) => vec![Finding::Bad(format!("database: {error:#}"))],
    }
}

async fn look_at_database(config: &Config, directory: &DataDirectory) -> Result<Vec<Finding>> {
    let database = RunningDatabase::beside(config, directory).await?;
    // Refuses roles that could see past row-level security.
    let store = Store::connect(&database.store_config, Environment::system()).await?;
    let inspection = store.inspect().await?;
    let mut findings = vec![Finding::Good(format!(
        "PostgreSQL {}, as roles that row-level security binds",
        inspection.server_version
    ))];
    findings.push(if inspection.pending_migrations.is_empty() {
        Finding::Good("the schema is up to date".to_owned())
    } else {
        Finding::Bad(format!(
            "the schema lacks {}; run: amebo migrate",
            inspection.pending_migrations.join(", ")
        ))
    });
    findings.push(if inspection.unprotected_tables.is_empty() {
        Finding::Good("every tenant table is under enforced row-level security".to_owned())
    } else {
        Finding::Bad(format!(
            "without enforced row-level security: {}; somebody altered them; restore it with: alter table … enable row level security, force row level security",
            inspection.unprotected_tables.join(", ")
        ))
    });
    let seconds = inspection.clock_ahead.num_seconds();
    findings.push(if seconds.abs() <= CLOCK_TOLERANCE {
        Finding::Good("the clocks of this machine and of the database agree".to_owned())
    } else {
        Finding::Doubtful(format!("the database's clock is {seconds} s ahead of this machine's; synchronise both (chrony, systemd-timesyncd)"))
    });
    if inspection.pending_migrations.is_empty() {
        findings.push(match Sealer::open(&store, master_keys(config, directory)) {
            Ok(sealer) => match sealer.check().await {
                Ok(()) => Finding::Good("the master keys open every data key".to_owned()),
                Err(error) => Finding::Bad(error.to_string()),
            },
            Err(error) => Finding::Bad(error.to_string()),
        });
    }
    store.close().await;
    database.stop().await;
    Ok(findings)
}
