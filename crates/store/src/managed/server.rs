//! The server process and the thread that lives exactly as long as it is wanted.
//!
//! The kernel sends the parent-death signal when the *thread* that started a child ends, so the thread that starts the
//! server also waits for it. `setpriv` sets that signal and becomes the server, which needs no unsafe code here.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::cluster::{Cluster, PORT};
use super::program::Programs;
use super::{Durability, Error, Settings};

/// How long a refused start is tried again: backends of a killed server hold its memory, and its lock file, for some seconds.
const STALE_LOCK: Duration = Duration::from_secs(15);
/// How long crash recovery may take.
const RECOVERY: Duration = Duration::from_mins(10);
const POLL: Duration = Duration::from_millis(10);
const LAUNCHERS: [&str; 2] = ["/usr/bin/setpriv", "/bin/setpriv"];

/// A handle on the server process.
#[derive(Debug)]
pub(super) struct Server {
    state: Mutex<State>,
    ended: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    /// The running process, as long as it is not reaped, so that its number cannot be another's.
    process: Option<Pid>,
    stopping: bool,
}

struct Launch {
    cluster: Cluster,
    program: PathBuf,
    launcher: PathBuf,
    arguments: Vec<String>,
}

/// The last lines the server wrote.
#[derive(Default)]
struct Said(Mutex<VecDeque<String>>);

impl Server {
    /// Starts the server and returns when it accepts connections.
    pub(super) fn start(
        cluster: Cluster,
        programs: &Programs,
        socket_directory: &Path,
        settings: &Settings,
    ) -> Result<Arc<Self>, Error> {
        let launcher = LAUNCHERS.iter().map(PathBuf::from).find(|path| path.is_file());
        let launch = Launch {
            arguments: arguments(&cluster.data, socket_directory, settings),
            cluster,
            program: programs.path("postgres"),
            launcher: launcher.ok_or(Error::LauncherMissing)?,
        };
        let server = Arc::new(Self {
            state: Mutex::default(),
            ended: watch::Sender::new(false),
        });
        let (started, outcome) = std::sync::mpsc::channel();
        let supervisor = Arc::clone(&server);
        thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || {
                match launch.start(&supervisor) {
                    Ok(child) => {
                        let _ = started.send(Ok(()));
                        launch.supervise(child, &supervisor);
                    }
                    Err(error) => {
                        let _ = started.send(Err(error));
                    }
                }
                supervisor.ended.send_replace(true);
            })
            .map_err(Error::io("start a thread for", Path::new("postgres")))?;
        let ended = || Error::Start {
            output: "its thread ended".to_owned(),
        };
        outcome.recv().map_err(|_| ended())??;
        Ok(server)
    }

    /// Asks the server to stop: sessions are ended, nothing new is accepted.
    pub(super) fn ask_to_stop(&self) {
        let mut state = self.state.lock();
        state.stopping = true;
        signal(&state, Signal::SIGINT);
    }

    /// Stops the server: gracefully, after `patience` at once, and after `last` by killing it.
    pub(super) async fn stop(&self, patience: Duration, last: Duration) {
        self.ask_to_stop();
        for (wait, next) in [
            (patience, Signal::SIGQUIT),
            (last, Signal::SIGKILL),
            (last, Signal::SIGKILL),
        ] {
            let mut ended = self.ended.subscribe();
            if tokio::time::timeout(wait, ended.wait_for(|ended| *ended))
                .await
                .is_ok()
            {
                return;
            }
            tracing::warn!(signal = next.as_str(), "PostgreSQL is slow to stop");
            signal(&self.state.lock(), next);
        }
    }

    fn stopping(&self) -> bool {
        self.state.lock().stopping
    }
}

fn signal(state: &State, signal: Signal) {
    if let Some(process) = state.process {
        // ESRCH: it ended meanwhile, which is what is wanted.
        let _ = kill(process, signal);
    }
}

impl Launch {
    /// Waits for the server and starts it again whenever it ends unasked.
    fn supervise(&self, mut child: Child, server: &Server) {
        loop {
            await_end(&mut child, server);
            loop {
                if server.stopping() {
                    return;
                }
                tracing::error!("PostgreSQL ended by itself; starting it again");
                match self.start(server) {
                    Ok(next) => {
                        child = next;
                        break;
                    }
                    Err(error) => tracing::error!(%error, "PostgreSQL cannot be started again"),
                }
                thread::sleep(Duration::from_secs(1));
            }
        }
    }

    /// Starts the server, again and again for a while when a stale lock keeps it out, and returns when it is ready.
    fn start(&self, server: &Server) -> Result<Child, Error> {
        let begun = Instant::now();
        loop {
            let (mut child, said, reader) = self.spawn(server)?;
            let output = loop {
                if has_ended(&child) {
                    await_end(&mut child, server);
                    let _ = reader.join();
                    break said.text();
                }
                let file = self.cluster.pid_file();
                if file.is_some_and(|file| file.ready && u32::try_from(file.pid) == Ok(child.id())) {
                    return Ok(child);
                }
                if begun.elapsed() > RECOVERY {
                    signal(&server.state.lock(), Signal::SIGQUIT);
                }
                thread::sleep(POLL);
            };
            let stale = output.contains("postmaster.pid") || output.contains("shared memory block");
            if !stale || begun.elapsed() > STALE_LOCK || server.stopping() {
                return Err(Error::Start { output });
            }
            thread::sleep(POLL * 20);
        }
    }

    fn spawn(&self, server: &Server) -> Result<(Child, Arc<Said>, JoinHandle<()>), Error> {
        let mut command = Command::new(&self.launcher);
        command
            .args(["--pdeathsig", "INT", "--"])
            .arg(&self.program)
            .args(&self.arguments)
            .current_dir(&self.cluster.data)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0);
        self.cluster.account.run(&mut command);
        let mut state = server.state.lock();
        let mut child = command.spawn().map_err(Error::io("run", &self.program))?;
        state.process = i32::try_from(child.id()).ok().map(Pid::from_raw);
        if state.stopping {
            signal(&state, Signal::SIGINT);
        }
        drop(state);
        let said = Arc::new(Said::default());
        let stderr = child.stderr.take();
        let heard = Arc::clone(&said);
        let reader = thread::Builder::new()
            .name("postgres-log".to_owned())
            .spawn(move || stderr.into_iter().for_each(|stderr| heard.listen(stderr)))
            .map_err(Error::io("start a thread for", &self.program))?;
        Ok((child, said, reader))
    }
}

/// Waits until the process has ended, then forgets its number, then lets the kernel give the number to another.
fn await_end(child: &mut Child, server: &Server) {
    if let Ok(pid) = i32::try_from(child.id()) {
        let _ = waitid(
            Id::Pid(Pid::from_raw(pid)),
            WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT,
        );
    }
    server.state.lock().process = None;
    let _ = child.wait();
}

/// Whether the process has ended; it is left to be reaped.
fn has_ended(child: &Child) -> bool {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
    i32::try_from(child.id()).is_ok_and(|pid| {
        !matches!(
            waitid(Id::Pid(Pid::from_raw(pid)), flags),
            Ok(WaitStatus::StillAlive)
        )
    })
}

impl Said {
    const LINES: usize = 20;

    fn listen(&self, stderr: ChildStderr) {
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            // What PostgreSQL does of itself is of interest only when something is wrong.
            if line.starts_with("LOG:") || line.contains("administrator command") {
                tracing::debug!(target: "postgres", "{line}");
            } else {
                tracing::warn!(target: "postgres", "{line}");
            }
            let mut lines = self.0.lock();
            if lines.len() == Self::LINES {
                lines.pop_front();
            }
            lines.push_back(line);
        }
    }

    fn text(&self) -> String {
        self.0.lock().make_contiguous().join("\n")
    }
}

/// Settings are given on the command line, so that an upgrade of Amebo brings its own; the cluster's files stay untouched.
/// Errors are logged without values or statements, which may hold what people wrote.
fn arguments(data: &Path, socket_directory: &Path, settings: &Settings) -> Vec<String> {
    let mut pairs = vec![
        ("listen_addresses", String::new()),
        ("port", PORT.to_string()),
        (
            "unix_socket_directories",
            format!("\"{}\"", socket_directory.display()),
        ),
        ("unix_socket_permissions", "0700".to_owned()),
        ("cluster_name", "amebo".to_owned()),
        ("timezone", "UTC".to_owned()),
        ("log_timezone", "UTC".to_owned()),
        ("logging_collector", "off".to_owned()),
        ("log_destination", "stderr".to_owned()),
        ("log_line_prefix", String::new()),
        ("log_min_messages", "warning".to_owned()),
        ("log_min_error_statement", "panic".to_owned()),
        ("log_error_verbosity", "terse".to_owned()),
        ("max_connections", settings.max_connections.to_string()),
        ("shared_buffers", format!("{}MB", settings.shared_buffers_mib)),
        ("huge_pages", "off".to_owned()),
        ("work_mem", "4MB".to_owned()),
        ("maintenance_work_mem", "32MB".to_owned()),
        ("jit", "off".to_owned()),
        ("random_page_cost", "1.1".to_owned()),
        ("max_parallel_workers_per_gather", "0".to_owned()),
        ("max_worker_processes", "2".to_owned()),
        ("max_logical_replication_workers", "0".to_owned()),
        ("wal_level", "minimal".to_owned()),
        ("max_wal_senders", "0".to_owned()),
        ("wal_compression", "on".to_owned()),
        ("max_wal_size", "512MB".to_owned()),
        ("autovacuum_max_workers", "2".to_owned()),
        ("autovacuum_naptime", "20s".to_owned()),
        ("update_process_title", "off".to_owned()),
    ];
    if settings.durability == Durability::None {
        pairs.extend(
            ["fsync", "synchronous_commit", "full_page_writes", "autovacuum"]
                .map(|name| (name, "off".to_owned())),
        );
    }
    ["-D".to_owned(), data.display().to_string()]
        .into_iter()
        .chain(
            pairs
                .into_iter()
                .flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")]),
        )
        .collect()
}
