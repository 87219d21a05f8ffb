//! The limits a child puts on itself before it sees a file. All of them are inherited by what it starts.

use std::io;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    Scope, path_beneath_rules,
};
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};

use crate::extract::pdf::Engine;
use crate::extract::protocol::Setup;

/// How many files may be open.
const OPEN_FILES: u64 = 32;

/// Limits memory, processor time, files and rights.
pub(super) fn limit(setup: &Setup) -> io::Result<()> {
    let limits = [
        (Resource::RLIMIT_AS, setup.memory_bytes),
        (Resource::RLIMIT_CPU, setup.seconds),
        (Resource::RLIMIT_NOFILE, OPEN_FILES),
        (Resource::RLIMIT_FSIZE, 0),
        (Resource::RLIMIT_CORE, 0),
    ];
    for (resource, most) in limits {
        setrlimit(resource, most, most)?;
    }
    prctl::set_no_new_privs()?;
    Ok(())
}

/// Gives up the file system, TCP, abstract sockets and signals to other processes, as far as the kernel can (Landlock).
///
/// Only where `pdftotext` must be started stay the system's programs, libraries and fonts readable.
pub(super) fn restrict(engine: &Engine) -> io::Result<()> {
    let readable: &[&str] = match engine {
        Engine::Pdftotext(_) => &["/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts"],
        Engine::Pdfium(_) | Engine::Missing => &[],
    };
    let abi = ABI::V6;
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(abi)))
        .and_then(|rules| rules.scope(Scope::from_all(abi)))
        .and_then(Ruleset::create)
        .and_then(|rules| rules.add_rules(path_beneath_rules(readable, AccessFs::from_read(abi))))
        .and_then(landlock::RulesetCreated::restrict_self)
        .map_err(io::Error::other)?;
    Ok(())
}
