//! `amebo openapi`: the API description, as committed beside the routes.

use anyhow::Result;

/// Prints the description.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub fn run() -> Result<()> {
    println!("{}", amebo_http::description().to_pretty_json()?);
    Ok(())
}
