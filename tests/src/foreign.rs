#![doc = include_str!("../foreign.md")]

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::{crossbar, notice};

/// A WAMP library of another make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the tests match on all of them")]
pub enum Library {
    /// autobahn-python, which is installed with Crossbar.io.
    AutobahnPython,
    /// autobahn-js, in Node.js.
    AutobahnJs,
    /// wampy, in Node.js.
    Wampy,
}

impl Library {
    /// The program that runs it; `None`, and a line on standard error, where it is not installed.
    fn program(self) -> Option<Command> {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
        let name = match self {
            Self::AutobahnPython => {
                let mut command = Command::new(crossbar::python()?);
                command.arg(sources.join("python/peer.py"));
                return Some(command);
            }
            Self::AutobahnJs => "autobahn",
            Self::Wampy => "wampy",
        };
        let mut command = Command::new("node");
        command
            .arg(sources.join("javascript/peer.js"))
            .arg(name)
            .env("NODE_PATH", javascript()?);
        Some(command)
    }
}

/// A running peer of another make that has joined a realm. It ends when this value is dropped.
#[derive(Debug)]
pub struct ForeignPeer {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    session: u64,
    _child: Child,
}

impl ForeignPeer {
    /// Starts a peer of this library, and waits until it has joined `realm` by the serializer with that name. `None`,
    /// and a line on standard error, where the library is not installed.
    ///
    /// # Errors
    ///
    /// If it does not join; why not stands on standard error.
    pub async fn join(
        library: Library,
        url: &str,
        serializer: &str,
        realm: &str,
    ) -> io::Result<Option<Self>> {
        let Some(mut program) = library.program() else {
            return Ok(None);
        };
        program.args([url, serializer, realm]);
        Self::start(program, serializer, realm).await.map(Some)
    }

    async fn start(mut program: Command, serializer: &str, realm: &str) -> io::Result<Self> {
        let mut child = program
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("a child process without its pipes"));
        };
        let mut peer = Self {
            input,
            output: BufReader::new(output).lines(),
            session: 0,
            _child: child,
        };
        let joined = peer.hear().await?;
        match joined.get("session").and_then(Value::as_u64) {
            Some(session)
                if joined
                    == json!({ "joined": realm, "serializer": serializer, "session": session }) =>
            {
                peer.session = session;
                Ok(peer)
            }
            _ => Err(io::Error::other(format!(
                "the peer joined otherwise: {joined}"
            ))),
        }
    }

    /// The id of its session.
    pub fn session(&self) -> u64 {
        self.session
    }

    /// Gives a command, and takes the answer to it.
    ///
    /// # Errors
    ///
    /// If the peer has ended, or does not answer.
    pub async fn ask(&mut self, command: &Value) -> io::Result<Value> {
        self.tell(command).await?;
        self.hear().await
    }

    /// Gives a command; the answer is for [`hear`](Self::hear).
    ///
    /// # Errors
    ///
    /// If the peer has ended.
    pub async fn tell(&mut self, command: &Value) -> io::Result<()> {
        self.input
            .write_all(format!("{command}\n").as_bytes())
            .await?;
        self.input.flush().await
    }

    /// The next that it says.
    ///
    /// # Errors
    ///
    /// If the peer has ended, or says nothing for a minute.
    pub async fn hear(&mut self) -> io::Result<Value> {
        let line = timeout(PATIENCE, self.output.next_line()).await??;
        let line = line.ok_or_else(|| io::Error::other("the peer has ended"))?;
        Ok(serde_json::from_str(&line)?)
    }
}

/// A start takes about a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The folder with the JavaScript libraries, which `SPELL_JAVASCRIPT` names. Where it does not, that is said once.
fn javascript() -> Option<PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let named = FOLDER.get_or_init(|| {
        let named = std::env::var_os("SPELL_JAVASCRIPT").map(PathBuf::from);
        if named.is_none() {
            notice("SKIPPED all tests with JavaScript peers; `cargo xtask test` installs these and runs all");
        }
        named
    });
    named.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{accounts::REALM, crossbar::Crossbar, link::Link};

    #[tokio::test]
    async fn python_peers_meet_on_crossbar() {
        let python = Library::AutobahnPython;
        meet(
            (python, Link::WebSocket, "json"),
            (python, Link::RawSocketUnix, "cbor"),
        )
        .await;
    }

    #[tokio::test]
    async fn javascript_peers_meet_on_crossbar() {
        let (autobahn, wampy) = (Library::AutobahnJs, Library::Wampy);
        meet(
            (autobahn, Link::WebSocket, "json"),
            (wampy, Link::WebSocket, "json"),
        )
        .await;
        meet(
            (wampy, Link::WebSocket, "msgpack"),
            (autobahn, Link::WebSocket, "cbor"),
        )
        .await;
    }

    async fn meet(one: (Library, Link, &str), other: (Library, Link, &str)) {
        let Some(crossbar) = Crossbar::shared() else {
            return;
        };
        let join = async |(library, link, serializer): (Library, Link, &str)| {
            let url = crossbar.anonymous().url(link).unwrap();
            ForeignPeer::join(library, url, serializer, REALM)
                .await
                .unwrap()
        };
        let (Some(mut one), Some(mut other)) = (join(one).await, join(other).await) else {
            return;
        };
        let procedure = format!("com.example.foreign.echo{}", one.session());
        let registered = one.ask(&json!({ "register": procedure })).await.unwrap();
        assert_eq!(registered, json!({ "registered": procedure }));

        let call = json!({ "call": procedure, "args": [1, "text"], "kwargs": { "a": [null] } });
        let result = json!({ "result": { "args": [1, "text"], "kwargs": { "a": [null] } } });
        assert_eq!(other.ask(&call).await.unwrap(), result);

        let call = json!({ "call": procedure, "args": [1], "kwargs": { "fail": "com.example.error", "b": 2 } });
        let error = json!({ "error": "com.example.error", "args": [1], "kwargs": { "b": 2 } });
        assert_eq!(other.ask(&call).await.unwrap(), error);

        let progress = format!("com.example.foreign.progress{}", one.session());
        let command = json!({ "register": progress, "does": "progress" });
        one.ask(&command).await.unwrap();
        let call = json!({ "call": progress, "args": ["a", "b"], "options": { "receive_progress": true } });
        assert_eq!(
            other.ask(&call).await.unwrap(),
            json!({ "progress": { "args": ["a"], "kwargs": {} } })
        );
        assert_eq!(
            other.hear().await.unwrap(),
            json!({ "progress": { "args": ["b"], "kwargs": {} } })
        );
        assert_eq!(
            other.hear().await.unwrap(),
            json!({ "result": { "args": [2], "kwargs": {} } })
        );
    }

    #[tokio::test]
    async fn a_peer_that_ends_is_an_error() {
        // `true` prints nothing and ends.
        let error = ForeignPeer::start(Command::new("true"), "json", REALM)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("has ended"), "{error}");
    }
}
