//! `amebo openapi`: the API description, from which the dashboard has its types.

use anyhow::Result;

/// Prints the description.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub fn run() -> Result<()> {
    println!("{}", amebo_http::description().to_pretty_json()?);
    Ok(())
}
