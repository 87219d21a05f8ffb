//! Sealing secrets on one core.

use std::time::{Duration, Instant};

use amebo_core::Environment;
use amebo_core::id::ProviderId;
use amebo_core::permission::Resource;
use amebo_store::sealing::{MasterKeys, PROVIDER_KEY, Sealer};
use anyhow::{Context as _, Result};

use crate::database::{Database, organizations};
use crate::figure::{Better, Figure};

/// Seals 1 KiB for two seconds.
pub async fn measure() -> Result<Vec<Figure>> {
    let database = Database::start().await?;
    let permits = organizations(&database.store, "sealing", 1, Resource::Provider).await?;
    let permit = permits.first().context("no organisation was made")?;
    let directory = tempfile::tempdir()?;
    let sealer = Sealer::open(
        &database.store,
        MasterKeys::File(directory.path().join("master.keys")),
    )?;
    let mut tx = database.store.begin(permit).await?;
    let key = tx.secrets(&sealer).data_key().await?;
    tx.commit().await?;

    let environment = Environment::system();
    let place = PROVIDER_KEY.row(environment.id::<ProviderId>());
    let plain = [7_u8; 1024];
    let rate = tokio::task::spawn_blocking(move || {
        let (mut sealed, started) = (0_u32, Instant::now());
        while started.elapsed() < Duration::from_secs(2) {
            for _ in 0..1_000 {
                std::hint::black_box(key.seal(place, &plain, &environment)?);
            }
            sealed += 1_000;
        }
        anyhow::Ok(f64::from(sealed) / started.elapsed().as_secs_f64())
    })
    .await??;
    database.stop().await;
    Ok(vec![
        Figure::new("secrets of 1 KiB sealed on one core", rate, "per s", Better::More)
            .target(200_000.0, 1_000_000.0),
    ])
}
