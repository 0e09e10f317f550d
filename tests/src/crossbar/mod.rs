//! Crossbar.io as a child process of the tests.
//!
//! `cargo xtask test` installs it and names its program in the environment variable `SPELL_CROSSBAR`. Where that is
//! not set, [`Crossbar::shared`] gives nothing, and a test that needs it says so and passes: `cargo test --workspace`
//! alone needs no Python.

mod config;
mod process;

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    sync::OnceLock,
    sync::atomic::{AtomicU32, Ordering},
};

pub use self::config::{Account, CRA, REALM, ROLE, SALTED_CRA, TICKET};
use self::process::Process;
use crate::{link::Addresses, notice};

/// A running Crossbar.io. It ends when this value is dropped or the test process ends, however that happens.
#[derive(Debug)]
pub struct Crossbar {
    program: PathBuf,
    folder: PathBuf,
    anonymous: Addresses,
    authenticated: Addresses,
    _process: Process,
}

impl Crossbar {
    /// The Crossbar.io that all tests of this binary share, started by the first that asks for it; starting takes some
    /// seconds, and this call waits for it. `None`, and a line on standard error, without `SPELL_CROSSBAR`.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[expect(
        clippy::panic,
        reason = "without the router that was asked for, the test has failed"
    )]
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Crossbar>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| {
            let program = std::env::var_os("SPELL_CROSSBAR")?;
            match Self::start(Path::new(&program)) {
                Ok(crossbar) => Some(crossbar),
                Err(error) => panic!("Crossbar.io did not start: {error}"),
            }
        });
        if shared.is_none() {
            let test = std::thread::current();
            let test = test.name().unwrap_or("a test");
            notice(&format!(
                "SKIPPED {test}: it needs Crossbar.io; run `cargo xtask test`, which installs it"
            ));
        }
        shared.as_ref()
    }

    /// Starts a Crossbar.io of its own, on free ports of the loopback interface, and waits until it listens on all.
    ///
    /// # Errors
    ///
    /// If the program cannot be started or ends early; the message has the end of its log.
    pub fn start(program: &Path) -> io::Result<Self> {
        // Crossbar.io cannot choose ports itself, so another process may take one between our choice and its start.
        let mut attempt = Self::start_once(program);
        for _ in 1..ATTEMPTS {
            match attempt {
                Err(error) if error.to_string().contains(PORT_TAKEN) => {
                    attempt = Self::start_once(program);
                }
                _ => break,
            }
        }
        attempt
    }

    fn start_once(program: &Path) -> io::Result<Self> {
        let folder = fresh_folder()?;
        let [websocket, rawsocket, websocket_auth, rawsocket_auth] = free_ports()?;
        let anonymous = Addresses {
            websocket,
            rawsocket,
            unix: folder.join("a.sock"),
        };
        let authenticated = Addresses {
            websocket: websocket_auth,
            rawsocket: rawsocket_auth,
            unix: folder.join("b.sock"),
        };
        let configuration = config::configuration(&anonymous, &authenticated);
        std::fs::write(folder.join("config.json"), configuration.to_string())?;
        let process = Process::start(program, &folder)?;
        Ok(Self {
            program: program.to_owned(),
            folder,
            anonymous,
            authenticated,
            _process: process,
        })
    }

    /// Where anybody may join [`REALM`], with all permissions.
    pub fn anonymous(&self) -> &Addresses {
        &self.anonymous
    }

    /// Where only [`TICKET`], [`CRA`] and [`SALTED_CRA`] may join [`REALM`], by ticket or WAMP-CRA.
    pub fn authenticated(&self) -> &Addresses {
        &self.authenticated
    }

    /// The Python that Crossbar.io is installed in; it has the WAMP client `autobahn`.
    pub fn python(&self) -> PathBuf {
        self.program.with_file_name("python")
    }

    /// All that Crossbar.io has printed.
    pub fn log(&self) -> PathBuf {
        self.folder.join(process::LOG)
    }
}

/// Four ports that are free now, all different.
fn free_ports() -> io::Result<[u16; 4]> {
    let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listeners = [free()?, free()?, free()?, free()?];
    let [a, b, c, d] = listeners.each_ref().map(TcpListener::local_addr);
    Ok([a?.port(), b?.port(), c?.port(), d?.port()])
}

/// A new folder in `target/tmp`, where cargo has integration tests put their files.
fn fresh_folder() -> io::Result<PathBuf> {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    // The test binary is `target/<profile>/deps/<name>`.
    let binary = std::env::current_exe()?;
    let target = binary
        .ancestors()
        .nth(3)
        .ok_or_else(|| io::Error::other("the test binary is not under target/"))?;
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    let folder = target.join(format!("tmp/crossbar-{}-{number}", std::process::id()));
    if folder.as_os_str().len() > LONGEST_FOLDER {
        let hint = "set CARGO_TARGET_DIR to a shorter one";
        return Err(io::Error::other(format!(
            "{} is too long for a Unix socket: {hint}",
            folder.display()
        )));
    }
    // A process that had this number before may have left its files.
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// How often a start is tried when a port was taken.
const ATTEMPTS: usize = 3;

/// What Python says when a port was taken.
const PORT_TAKEN: &str = "Address already in use";

/// The path of a Unix socket has at most 104 bytes on some systems; this leaves room for its name.
const LONGEST_FOLDER: usize = 96;

#[cfg(test)]
mod tests;
