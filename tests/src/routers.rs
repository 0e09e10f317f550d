//! The routers of other crates, programs of `tests/routers` that the tests start.
//!
//! `cargo xtask test` builds them and names their folder in the environment variable `SPELL_ROUTERS`. Where that is
//! not set, a test that needs one says so and passes.

use std::{
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use crate::{link::Urls, notice, scratch::fresh_folder};

/// A running router. It ends when this value is dropped or the test process ends, however that happens.
#[derive(Debug)]
pub struct CrateRouter {
    urls: Urls,
    child: Child,
}

impl CrateRouter {
    /// The router of `xconn-core` that all tests of this binary share. `None`, and a line on standard error, without
    /// `SPELL_ROUTERS`.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn xconn() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<CrateRouter>> = OnceLock::new();
        shared(&SHARED, "xconn")
    }

    /// The router of `battler-wamp` that all tests of this binary share. `None`, and a line on standard error, without
    /// `SPELL_ROUTERS`.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn battler() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<CrateRouter>> = OnceLock::new();
        shared(&SHARED, "battler")
    }

    /// Starts the program with this path, and waits until it listens.
    fn start(program: &Path) -> io::Result<Self> {
        let folder = fresh_folder("router")?;
        let mut child = Command::new(program)
            .arg(folder.join("a.sock"))
            // It ends with its input, which the end of this process closes too.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take();
        let mut router = Self {
            urls: Urls::default(),
            child,
        };
        let output = output.ok_or_else(|| io::Error::other("a child process without its pipes"))?;
        for line in BufReader::new(output).lines() {
            match line?.split_once(' ') {
                Some(("websocket", url)) => router.urls.websocket = Some(url.to_owned()),
                Some(("rawsocket_tcp", url)) => router.urls.rawsocket_tcp = Some(url.to_owned()),
                Some(("rawsocket_unix", url)) => router.urls.rawsocket_unix = Some(url.to_owned()),
                // `ready`.
                _ => return Ok(router),
            }
        }
        Err(io::Error::other(format!(
            "{} ended early",
            program.display()
        )))
    }

    /// Where it listens; anybody may join [`REALM`](crate::accounts::REALM), with all permissions.
    pub fn urls(&self) -> &Urls {
        &self.urls
    }
}

impl Drop for CrateRouter {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Only reaps it; there is nobody to tell of an error.
        let _ = self.child.wait();
    }
}

#[expect(
    clippy::panic,
    reason = "without the router that was asked for, the test has failed"
)]
fn shared(
    place: &'static OnceLock<Option<CrateRouter>>,
    name: &str,
) -> Option<&'static CrateRouter> {
    let shared = place.get_or_init(|| match CrateRouter::start(&folder()?.join(name)) {
        Ok(router) => Some(router),
        Err(error) => panic!("the router {name} did not start: {error}"),
    });
    shared.as_ref()
}

/// The folder that `SPELL_ROUTERS` names. Where it does not, that is said once.
fn folder() -> Option<PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let named = FOLDER.get_or_init(|| {
        let named = std::env::var_os("SPELL_ROUTERS").map(PathBuf::from);
        if named.is_none() {
            notice("SKIPPED all tests with routers of other crates; `cargo xtask test` builds these and runs all");
        }
        named
    });
    named.clone()
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_started_router_ends_with_its_value() {
        let Some(folder) = folder() else { return };
        for name in ["xconn", "battler"] {
            let router = CrateRouter::start(&folder.join(name)).unwrap();
            let url = router.urls().websocket.clone().unwrap();
            let address = url.split('/').nth(2).unwrap();
            TcpStream::connect(address).unwrap();
            drop(router);
            assert!(TcpStream::connect(address).is_err(), "{address}");
        }
    }

    #[test]
    fn a_program_that_ends_early_is_an_error() {
        // `true` prints nothing and ends.
        let error = CrateRouter::start(Path::new("true")).unwrap_err();
        assert!(error.to_string().contains("ended early"), "{error}");
    }
}
