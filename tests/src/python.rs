//! A WAMP peer of another make: autobahn, driven line by line through `tests/python/peer.py`.

use std::{io, path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// A running Python peer that has joined a realm. It ends when this value is dropped.
#[derive(Debug)]
pub struct PythonPeer {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl PythonPeer {
    /// Starts the peer with `python`, see [`crossbar::python`](crate::crossbar::python()), and waits until it
    /// has joined `realm` by the serializer with that name.
    ///
    /// # Errors
    ///
    /// If it does not join; why not stands on standard error.
    pub async fn join(python: &Path, url: &str, serializer: &str, realm: &str) -> io::Result<Self> {
        let mut child = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python/peer.py"))
            .args([url, serializer, realm])
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
            _child: child,
        };
        let joined = peer.hear().await?;
        if joined != json!({ "joined": realm, "serializer": serializer }) {
            return Err(io::Error::other(format!(
                "the Python peer joined otherwise: {joined}"
            )));
        }
        Ok(peer)
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

    /// The next answer or event.
    ///
    /// # Errors
    ///
    /// If the peer has ended, or says nothing for a minute.
    pub async fn hear(&mut self) -> io::Result<Value> {
        let line = timeout(PATIENCE, self.output.next_line()).await??;
        let line = line.ok_or_else(|| io::Error::other("the Python peer has ended"))?;
        Ok(serde_json::from_str(&line)?)
    }
}

/// A start takes about a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        accounts::REALM,
        crossbar::{Crossbar, python},
        link::Link,
    };

    #[tokio::test]
    async fn python_peers_meet_on_crossbar() {
        let Some(crossbar) = Crossbar::shared() else {
            return;
        };
        let python = python().unwrap();
        let urls = crossbar.anonymous();
        let mut one = PythonPeer::join(&python, urls.url(Link::WebSocket), "json", REALM)
            .await
            .unwrap();
        let mut other = PythonPeer::join(&python, urls.url(Link::RawSocketUnix), "cbor", REALM)
            .await
            .unwrap();
        let procedure = "com.example.python.echo";
        let registered = one.ask(&json!({ "register": procedure })).await.unwrap();
        assert_eq!(registered, json!({ "registered": procedure }));

        let call = json!({ "call": procedure, "args": [1, { "$bytes": "00ff" }], "kwargs": { "a": [null] } });
        let result =
            json!({ "result": { "args": [1, { "$bytes": "00ff" }], "kwargs": { "a": [null] } } });
        assert_eq!(other.ask(&call).await.unwrap(), result);

        let call = json!({ "call": procedure, "args": [1], "kwargs": { "fail": "com.example.error", "b": 2 } });
        let error = json!({ "error": "com.example.error", "args": [1], "kwargs": { "b": 2 } });
        assert_eq!(other.ask(&call).await.unwrap(), error);
    }

    #[tokio::test]
    async fn a_python_peer_that_ends_is_an_error() {
        // `true` prints nothing and ends.
        let error = PythonPeer::join(Path::new("true"), "ws://127.0.0.1:1/ws", "json", REALM)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("has ended"), "{error}");
    }
}
