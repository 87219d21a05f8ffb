//! The extraction child as a program of its own, for tests and evaluation without the `amebo` binary.

fn main() -> std::io::Result<()> {
    amebo_knowledge::extract::worker::run(std::io::stdin(), std::io::stdout())
}
