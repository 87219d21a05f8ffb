//! The executable as people run it, killed as machines kill it.

#[cfg(test)]
mod server;
#[cfg(test)]
mod storm;
