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
};

pub use config::{DISCLOSED, HISTORY};

use self::{config::Sockets, process::Process};
use crate::{link::Urls, notice, scratch::fresh_folder};

/// A running Crossbar.io. It ends when this value is dropped or the test process ends, however that happens.
#[derive(Debug)]
pub struct Crossbar {
    folder: PathBuf,
    anonymous: Urls,
    authenticated: Urls,
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
        let shared = SHARED.get_or_init(|| match Self::start(&program()?) {
            Ok(crossbar) => Some(crossbar),
            Err(error) => panic!("Crossbar.io did not start: {error}"),
        });
        shared.as_ref()
    }

    /// Starts a Crossbar.io for one test, as [`start`](Self::start) does with the program that `SPELL_CROSSBAR` names.
    /// `None`, and a line on standard error, without that.
    ///
    /// # Errors
    ///
    /// As those of [`start`](Self::start).
    pub fn own() -> Option<io::Result<Self>> {
        Some(Self::start(&program()?))
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
        let folder = fresh_folder("crossbar")?;
        let [websocket, rawsocket, websocket_auth, rawsocket_auth] = free_ports()?;
        let anonymous = Sockets {
            websocket,
            rawsocket,
            unix: folder.join("a.sock"),
        };
        let authenticated = Sockets {
            websocket: websocket_auth,
            rawsocket: rawsocket_auth,
            unix: folder.join("b.sock"),
        };
        let configuration = config::configuration(&anonymous, &authenticated);
        std::fs::write(folder.join("config.json"), configuration.to_string())?;
        let process = Process::start(program, &folder)?;
        Ok(Self {
            folder,
            anonymous: anonymous.urls(),
            authenticated: authenticated.urls(),
            _process: process,
        })
    }

    /// Where anybody may join [`REALM`](crate::accounts::REALM), with all permissions.
    pub fn anonymous(&self) -> &Urls {
        &self.anonymous
    }

    /// Where only those of [`accounts`](crate::accounts) may join, by ticket or WAMP-CRA.
    pub fn authenticated(&self) -> &Urls {
        &self.authenticated
    }

    /// All that Crossbar.io has printed.
    pub fn log(&self) -> PathBuf {
        self.folder.join(process::LOG)
    }
}

/// The Python that Crossbar.io is installed in; it has the WAMP client `autobahn`. `None`, and a line on standard error,
/// without `SPELL_CROSSBAR`.
pub fn python() -> Option<PathBuf> {
    Some(program()?.with_file_name("python"))
}

/// The program that `SPELL_CROSSBAR` names. Where it does not, that is said once.
fn program() -> Option<PathBuf> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let named = PROGRAM.get_or_init(|| {
        let named = std::env::var_os("SPELL_CROSSBAR").map(PathBuf::from);
        if named.is_none() {
            notice("SKIPPED all tests with Crossbar.io or Python peers; `cargo xtask test` installs these and runs all");
        }
        named
    });
    named.clone()
}

/// Four ports that are free now, all different.
fn free_ports() -> io::Result<[u16; 4]> {
    let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listeners = [free()?, free()?, free()?, free()?];
    let [a, b, c, d] = listeners.each_ref().map(TcpListener::local_addr);
    Ok([a?.port(), b?.port(), c?.port(), d?.port()])
}

/// How often a start is tried when a port was taken.
const ATTEMPTS: usize = 3;

/// What Python says when a port was taken.
const PORT_TAKEN: &str = "Address already in use";

#[cfg(test)]
mod tests;
