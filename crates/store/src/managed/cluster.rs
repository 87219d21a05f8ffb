//! The cluster's files: where they lie, how they are made, and who holds them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::iter;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use sha2::{Digest, Sha256};

use super::account::Account;
use super::program::Programs;
use super::{ADMINISTRATOR, Durability, Error, Settings};

pub(super) const PORT: u16 = 5432;
/// The longest path of a Unix socket in bytes (unix(7): 108 with the closing NUL).
const LONGEST_SOCKET_PATH: usize = 107;
/// What PostgreSQL calls its socket's lock file, the longer of the two names it makes in the socket directory.
const SOCKET_NAME: &str = "/.s.PGSQL.5432.lock";

/// A cluster whose format fits the programs.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) account: Account,
    pub(super) data: PathBuf,
    directory: PathBuf,
}

/// What the server says about itself in `postmaster.pid`.
pub(super) struct PidFile {
    pub(super) pid: i32,
    pub(super) ready: bool,
    socket_directory: PathBuf,
}

/// Makes the directory that holds cluster, socket and lock, and returns its absolute path.
pub(super) fn prepare_directory(directory: &Path, account: &Account) -> Result<PathBuf, Error> {
    let made = !directory.exists();
    fs::create_dir_all(directory).map_err(Error::io("create", directory))?;
    let directory = directory.canonicalize().map_err(Error::io("open", directory))?;
    if made {
        account.give(&directory)?;
    }
    account.require_entry(&directory)?;
    Ok(directory)
}

/// Takes the directory for this process; the kernel gives it back when the process ends.
pub(super) fn lock(directory: &Path) -> Result<Flock<File>, Error> {
    let path = directory.join("amebo.lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(Error::io("open", &path))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|_| Error::InUse {
        directory: directory.to_owned(),
    })
}

/// Where the socket of the server is that another process runs in `directory`.
pub(super) fn running(directory: &Path) -> Result<PathBuf, Error> {
    let not_running = || Error::NotRunning {
        directory: directory.to_owned(),
    };
    let directory = directory.canonicalize().map_err(|_| not_running())?;
    let held = matches!(lock(&directory), Err(Error::InUse { .. }));
    let data = directory.join("cluster");
    PidFile::read(&data)
        .filter(|file| held && file.ready && serves(file.pid, &data))
        .map(|file| file.socket_directory)
        .ok_or_else(not_running)
}

/// Whether process `pid` is a server on the cluster `data`: a PostgreSQL server's working directory is its data.
fn serves(pid: i32, data: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == data)
}

impl PidFile {
    /// Reads `postmaster.pid`; `None` when there is none or it is half written.
    fn read(data: &Path) -> Option<Self> {
        let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let lines: Vec<_> = text.lines().collect();
        Some(Self {
            pid: lines.first()?.trim().parse().ok()?,
            socket_directory: PathBuf::from(lines.get(4)?),
            ready: lines.get(7).is_some_and(|status| status.trim() == "ready"),
        })
    }
}

impl Cluster {
    /// Opens the cluster in `directory`, which is made when absent, with the programs that fit it.
    pub(super) fn open(
        directory: &Path,
        account: Account,
        settings: &Settings,
    ) -> Result<(Self, Programs), Error> {
        let cluster = Self {
            account,
            data: directory.join("cluster"),
            directory: directory.to_owned(),
        };
        let data = cluster.version()?;
        let programs = Programs::find(settings.programs.as_deref(), data)?;
        match data {
            None => cluster.initialize(&programs, settings.durability)?,
            Some(data) if data == programs.version => {}
            Some(data) => {
                return Err(Error::DataFormat {
                    directory: cluster.data,
                    data,
                    programs: programs.version,
                });
            }
        }
        Ok((cluster, programs))
    }

    /// What the server on this cluster says about itself.
    pub(super) fn pid_file(&self) -> Option<PidFile> {
        PidFile::read(&self.data)
    }

    /// Where the socket is made: as asked, else inside the directory, else at a shorter path made from it.
    pub(super) fn socket_directory(&self, asked: Option<&Path>) -> Result<PathBuf, Error> {
        let candidates = asked.map_or_else(|| self.socket_directories(), |asked| vec![asked.to_owned()]);
        let fits = |path: &&PathBuf| path.as_os_str().len() + SOCKET_NAME.len() <= LONGEST_SOCKET_PATH;
        let directory = candidates.iter().find(fits).ok_or_else(|| Error::SocketPath {
            directory: candidates.last().unwrap_or(&self.directory).clone(),
        })?;
        self.make_private(directory)?;
        Ok(directory.clone())
    }

    fn socket_directories(&self) -> Vec<PathBuf> {
        let digest = Sha256::digest(self.directory.as_os_str().as_encoded_bytes());
        let name = format!("amebo-{}", hex::encode(&digest[..8]));
        let run = if geteuid().is_root() {
            "/run".to_owned()
        } else {
            format!("/run/user/{}", geteuid())
        };
        let shared = [run.as_str(), "/tmp"]
            .map(Path::new)
            .into_iter()
            .filter(|root| root.is_dir());
        iter::once(self.directory.join("socket"))
            .chain(shared.map(|root| root.join(&name)))
            .collect()
    }

    /// Ends a server that outlived the Amebo that started it. The directory's lock is held, so that it can be nobody else's.
    pub(super) fn end_orphan(&self) -> Result<(), Error> {
        let Some(file) = self.pid_file().filter(|file| serves(file.pid, &self.data)) else {
            return Ok(());
        };
        tracing::warn!(pid = file.pid, "ending a PostgreSQL that outlived its Amebo");
        for signal in [Signal::SIGINT, Signal::SIGQUIT] {
            // ESRCH: it ended meanwhile, which is what is wanted.
            let _ = kill(Pid::from_raw(file.pid), signal);
            for _ in 0..100 {
                if !serves(file.pid, &self.data) {
                    return Ok(());
                }
                thread::sleep(Duration::from_millis(50));
            }
        }
        Err(Error::InUse {
            directory: self.directory.clone(),
        })
    }

    fn version(&self) -> Result<Option<u32>, Error> {
        let path = self.data.join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map(Some).map_err(|_| Error::Start {
                output: format!("{} is damaged: restore a backup", path.display()),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", &path)(error)),
        }
    }

    /// Makes the cluster beside its place and moves it there when complete, so that a crash leaves none or a whole one.
    fn initialize(&self, programs: &Programs, durability: Durability) -> Result<(), Error> {
        let unfinished = self.directory.join("cluster.unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(Error::io("remove", &unfinished))?;
        }
        self.make_private(&unfinished)?;
        let mut command = Command::new(programs.path("initdb"));
        command
            .args([
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--data-checksums",
                "--no-instructions",
            ])
            .arg("--username")
            .arg(ADMINISTRATOR)
            .arg("--pgdata")
            .arg(&unfinished)
            .current_dir(&self.directory)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        if durability == Durability::None {
            command.arg("--no-sync");
        }
        self.account.run(&mut command);
        let output = command
            .output()
            .map_err(Error::io("run", &programs.path("initdb")))?;
        if !output.status.success() {
            return Err(Error::Initialize {
                output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            });
        }
        fs::rename(&unfinished, &self.data).map_err(Error::io("rename", &unfinished))?;
        File::open(&self.directory)
            .and_then(|directory| directory.sync_all())
            .map_err(Error::io("synchronise", &self.directory))
    }

    /// Makes `path` a directory of the account alone, or checks that it is one.
    fn make_private(&self, path: &Path) -> Result<(), Error> {
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => self.account.give(path),
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                Err(Error::io("create", path)(error))
            }
            Err(_) if self.account.alone_in(path) => Ok(()),
            Err(_) => Err(Error::NotPrivate {
                directory: path.to_owned(),
                account: self.account.name.clone(),
            }),
        }
    }
}
