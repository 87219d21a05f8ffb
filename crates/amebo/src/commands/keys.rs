//! `amebo keys rotate`: a new master key, under which every organisation's data key is wrapped anew, while serving.

use amebo_core::Environment;
use amebo_store::Store;
use amebo_store::sealing::{MasterKeys, Sealer};
use anyhow::Result;

use crate::config::Config;
use crate::data_directory::DataDirectory;
use crate::database::RunningDatabase;

/// What to do with keys.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Make a new master key and wrap every data key under it. Running servers take it up by themselves.
    Rotate,
    /// Remove master keys under which nothing is wrapped any more. Backups made before the last rotation can then not be read.
    Forget,
}

/// Rotates or forgets.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub async fn run(config: &Config, command: Command) -> Result<()> {
    let directory = DataDirectory::open(&config.data.directory)?;
    let database = RunningDatabase::beside(config, &directory).await?;
    let store = Store::connect(&database.store_config, Environment::system()).await?;
    let sealer = Sealer::open(&store, master_keys(config, &directory))?;
    match command {
        Command::Rotate => {
            let rotated = sealer.rotate_master().await?;
            println!(
                "The master key is now {}; {} data keys were wrapped anew.",
                rotated.master_key, rotated.rewrapped
            );
        }
        Command::Forget => println!("{} master keys were removed.", sealer.forget_old_masters().await?),
    }
    store.close().await;
    database.stop().await;
    Ok(())
}

/// Where the master keys come from: the configuration, else the data directory.
pub fn master_keys(config: &Config, directory: &DataDirectory) -> MasterKeys {
    match &config.data.master_keys {
        Some(keys) => MasterKeys::Given(secrecy::ExposeSecret::expose_secret(keys).to_owned().into()),
        None => MasterKeys::File(directory.master_keys()),
    }
}
