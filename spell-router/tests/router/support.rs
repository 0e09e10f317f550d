//! A client that is a script: JSON text out, JSON text in.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use spell_router::Router;
use spell_transport::{BoxConnector, BoxTransport, Connector, Serialization};

/// One end of a transport, written and read as JSON.
pub(crate) struct Client {
    sending: Sending,
    receiving: Receiving,
}

/// What a client says.
pub(crate) struct Sending(SplitSink<BoxTransport, Bytes>);

/// What a client hears.
pub(crate) struct Receiving(SplitStream<BoxTransport>);

impl Client {
    /// An open transport whose messages are JSON.
    pub(crate) fn new(transport: BoxTransport) -> Self {
        let (sending, receiving) = transport.split();
        Self {
            sending: Sending(sending),
            receiving: Receiving(receiving),
        }
    }

    /// Dials without joining.
    pub(crate) async fn dial(connector: impl Connector) -> Self {
        let mut connector = BoxConnector::new(connector);
        let offers = [Serialization::JSON];
        Self::new(connector.connect(&offers).await.expect("a connection"))
    }

    /// Dials in memory and joins a realm with all roles.
    pub(crate) async fn join(router: &Router, realm: &str) -> Self {
        let mut client = Self::dial(router.connector()).await;
        client.hello(realm).await;
        client
    }

    /// Joins a realm with all roles; the callee can be interrupted and gives results in parts.
    pub(crate) async fn hello(&mut self, realm: &str) {
        let features = r#"{"call_canceling":true,"progressive_call_results":true}"#;
        let callee = format!(r#""callee":{{"features":{features}}}"#);
        let roles = format!(r#"{{"publisher":{{}},"subscriber":{{}},"caller":{{}},{callee}}}"#);
        let hello = format!(r#"[1,"{realm}",{{"roles":{roles}}}]"#);
        let welcome = self.ask(&hello).await;
        assert!(welcome.starts_with("[2,"), "{welcome}");
    }

    /// To send and receive in two tasks.
    pub(crate) fn split(self) -> (Sending, Receiving) {
        (self.sending, self.receiving)
    }

    pub(crate) async fn send(&mut self, message: &str) {
        self.sending.send(message).await;
    }

    /// Sends; `false` when the connection has ended.
    pub(crate) async fn try_send(&mut self, message: &str) -> bool {
        let frame = Bytes::copy_from_slice(message.as_bytes());
        self.sending.0.send(frame).await.is_ok()
    }

    /// Sends, and gives the next message that comes.
    pub(crate) async fn ask(&mut self, message: &str) -> String {
        self.send(message).await;
        self.next().await
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> String {
        self.receiving.next().await
    }

    /// The next message; `None` when the connection has ended, in whichever way.
    pub(crate) async fn try_next(&mut self) -> Option<String> {
        self.receiving.try_next().await
    }

    /// The connection ends without another message.
    pub(crate) async fn expect_end(&mut self) {
        assert_eq!(self.try_next().await, None);
    }

    /// The next message is an ABORT with this reason, then the connection ends.
    pub(crate) async fn expect_abort(&mut self, reason: &str) {
        let abort = self.next().await;
        assert!(abort.starts_with("[3,"), "{abort}");
        assert!(abort.ends_with(&format!(r#""{reason}"]"#)), "{abort}");
        self.expect_end().await;
    }
}

impl Sending {
    pub(crate) async fn send(&mut self, message: &str) {
        let frame = Bytes::copy_from_slice(message.as_bytes());
        self.0.send(frame).await.expect(message);
    }
}

impl Receiving {
    pub(crate) async fn next(&mut self) -> String {
        self.try_next().await.expect("a message, not the end")
    }

    async fn try_next(&mut self) -> Option<String> {
        let next = tokio::time::timeout(Duration::from_secs(60), self.0.next());
        let frame = next.await.expect("the router says nothing")?.ok()?;
        Some(String::from_utf8(frame.to_vec()).expect("text"))
    }
}
