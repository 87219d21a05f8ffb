//! The executable: command line, configuration, telemetry, wiring.

mod assembly;
mod cli;
mod commands;
mod config;
mod data_directory;
mod database;
mod demo;
mod telemetry;
mod terminal;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cli::complain(&error);
            ExitCode::FAILURE
        }
    }
}
