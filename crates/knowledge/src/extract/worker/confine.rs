//! The limits a child puts on itself before it sees a file. All of them are inherited by what it starts.

use std::collections::BTreeMap;
use std::io;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    Scope, path_beneath_rules,
};
use nix::libc;
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, SeccompRule, TargetArch};

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

/// Gives up the file system, TCP, abstract sockets and signals to other processes (Landlock, as far as the kernel has it),
/// then the system calls that reach beyond the process (seccomp).
///
/// Only where `pdftotext` must be started do programs, libraries and fonts of the system stay readable.
pub(super) fn restrict(engine: &Engine) -> io::Result<()> {
    let starts_program = matches!(engine, Engine::Pdftotext(_));
    let readable: &[&str] = if starts_program {
        &["/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts"]
    } else {
        &[]
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
    refuse_calls(starts_program).map_err(io::Error::other)
}

/// Makes calls fail that no parser needs: those that open sockets of any family (Landlock knows TCP only), look into other
/// processes, widen the kernel's surface, or start programs.
fn refuse_calls(starts_program: bool) -> Result<(), seccompiler::Error> {
    const NEVER: &[libc::c_long] = &[
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_io_uring_setup,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_getfd,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_mount,
        libc::SYS_unshare,
        libc::SYS_setns,
    ];
    const PROGRAMS: &[libc::c_long] = &[libc::SYS_execve, libc::SYS_execveat];
    let programs = if starts_program { &[] } else { PROGRAMS };
    let rules: BTreeMap<i64, Vec<SeccompRule>> = NEVER
        .iter()
        .chain(programs)
        .map(|call| (*call, Vec::new()))
        .collect();
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let processor = TargetArch::try_from(std::env::consts::ARCH)?;
    let program: BpfProgram =
        SeccompFilter::new(rules, SeccompAction::Allow, refuse, processor)?.try_into()?;
    seccompiler::apply_filter(&program)
}
