//! Sessions whose serializations differ.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use spell_message::{
    Format, Message, Pattern, Payload, RequestId, RoleFeatures, RoleName, Uri,
    message::{Call, ErrorMessage, Hello, Register, RequestKind, Subscribe},
    options::{CallOptions, ErrorDetails, HelloDetails, RegisterOptions, SubscribeOptions},
};
use spell_router::Router;
use spell_serializer::{AnySerializer, DecodeError, EncodeError, Json, PayloadExt, Serializer};
use spell_transport::{BoxConnector, BoxTransport, Connector, Serialization};

use crate::support::Client;

#[tokio::test]
async fn empty_arguments_reach_a_client_of_another_serialization() {
    let router = Router::local();
    let mut callee = Client::join(&router, "realm1").await;
    callee.ask(r#"[64,1,{},"com.p"]"#).await;
    let mut caller = Peer::join(&router, Serialization::CBOR, "realm1").await;
    for (request, answer) in [
        "[70,1,{},[]]",
        "[70,2,{},[1],{}]",
        r#"[8,68,3,{},"com.failed",[],{}]"#,
    ]
    .into_iter()
    .enumerate()
    {
        let request = u64::try_from(request).unwrap() + 1;
        let call = Call {
            request: RequestId::new(request).unwrap(),
            options: CallOptions::new(),
            procedure: Uri::new("com.p").unwrap(),
            payload: Payload::default(),
        };
        caller.send(call).await;
        callee.next().await;
        callee.send(answer).await;
        let result = caller.next().await;
        assert_eq!(result.request().map(u64::from), Some(request), "{answer}");
    }
}

#[tokio::test]
async fn a_call_whose_name_its_callee_cannot_read_leaves_no_gap_in_the_invocations() {
    let router = Router::local();
    let mut callee = Client::join(&router, "realm1").await;
    callee.ask(r#"[64,1,{"match":"prefix"},""]"#).await;
    let mut caller = Peer::join(&router, Serialization::CBOR, "realm1").await;
    let call = |request, procedure| Call {
        request: RequestId::new(request).unwrap(),
        options: CallOptions::new(),
        procedure: Uri::new(procedure).unwrap(),
        payload: Payload::default(),
    };
    // In JSON, what begins so is a binary.
    caller.send(call(1, "\0com.p")).await;
    let Message::Error(error) = caller.next().await else {
        panic!("no error");
    };
    assert_eq!(error.error, *"wamp.error.invalid_argument");
    caller.send(call(2, "com.p")).await;
    let invocation = callee.next().await;
    assert_eq!(invocation, r#"[68,1,1,{"procedure":"com.p"}]"#);
}

#[tokio::test]
async fn an_error_that_cannot_be_sent_fails_the_call_and_the_caller_lives() {
    let router = Router::local();
    let mut callee = Peer::join(&router, Serialization::MSGPACK, "realm1").await;
    let procedure = Pattern::exact("com.p").unwrap();
    let register = Register {
        request: RequestId::MIN,
        options: RegisterOptions::new(),
        procedure,
    };
    callee.send(register).await;
    callee.next().await;
    let mut caller = Client::join(&router, "realm1").await;
    caller.send(r#"[48,1,{},"com.p"]"#).await;
    callee.next().await;
    // A text that begins with U+0000 stands for bytes in JSON.
    let failure = ErrorMessage {
        request_kind: RequestKind::Invocation,
        request: RequestId::MIN,
        details: ErrorDetails::new(),
        error: Uri::new("\0failed").unwrap(),
        payload: Payload::default(),
    };
    callee.send(failure).await;
    let error = caller.next().await;
    assert!(error.starts_with("[8,48,1,"), "{error}");
    assert!(
        error.ends_with(r#","wamp.error.invalid_argument"]"#),
        "{error}"
    );
    assert!(
        caller
            .ask(r#"[32,2,{},"com.t"]"#)
            .await
            .starts_with("[33,2,")
    );
}

#[tokio::test]
async fn a_retained_event_reaches_a_late_subscriber_of_another_serialization() {
    let router = Router::builder().realm("realm1").build().unwrap();
    let mut publisher = Client::join(&router, "realm1").await;
    let publish = r#"[16,1,{"acknowledge":true,"retain":true},"com.t",["text",1]]"#;
    publisher.ask(publish).await;
    let mut subscriber = Peer::join(&router, Serialization::CBOR, "realm1").await;
    let mut options = SubscribeOptions::new();
    options.set_get_retained(true);
    let subscribe = Subscribe {
        request: RequestId::MIN,
        options,
        topic: Pattern::exact("com.t").unwrap(),
    };
    subscriber.send(subscribe).await;
    assert!(matches!(subscriber.next().await, Message::Subscribed(_)));
    let Message::Event(event) = subscriber.next().await else {
        panic!("no event");
    };
    assert_eq!(event.details.retained(), Some(true));
    assert_eq!(event.payload.format(), Some(Format::Cbor));
    let args: (String, u32) = event.payload.parse_args().unwrap();
    assert_eq!(args, ("text".to_owned(), 1));
}

/// JSON that counts the EVENTs it encodes.
#[derive(Debug)]
struct Counting(Json, Arc<AtomicUsize>);

impl Serializer for Counting {
    fn serialization(&self) -> Serialization {
        self.0.serialization()
    }

    fn format(&self) -> Format {
        self.0.format()
    }

    fn encode(&self, message: &Message, out: &mut BytesMut) -> Result<(), EncodeError> {
        if let Message::Event(_) = message {
            self.1.fetch_add(1, Ordering::Relaxed);
        }
        self.0.encode(message, out)
    }

    fn decode(&self, frame: &Bytes) -> Result<Message, DecodeError> {
        self.0.decode(frame)
    }
}

#[tokio::test]
async fn an_event_is_encoded_once_for_all_who_get_the_same() {
    let encoded = Arc::new(AtomicUsize::new(0));
    let serializer = AnySerializer::from(Counting(Json::new(), encoded.clone()));
    let router = Router::builder().realm("realm1").serializers([serializer]);
    let router = router.build().unwrap();
    let mut exact = Vec::new();
    for _ in 0..5 {
        let mut client = Client::join(&router, "realm1").await;
        client.ask(r#"[32,1,{},"com.t"]"#).await;
        exact.push(client);
    }
    let mut prefix = Client::join(&router, "realm1").await;
    prefix.ask(r#"[32,1,{"match":"prefix"},"com"]"#).await;
    let mut publisher = Client::join(&router, "realm1").await;
    let publish = r#"[16,1,{"acknowledge":true},"com.t",[1]]"#;
    publisher.ask(publish).await;
    let mut events = Vec::new();
    for client in &mut exact {
        events.push(client.next().await);
    }
    assert!(events[0].ends_with(",{},[1]]"), "{events:?}");
    assert!(events.iter().all(|event| *event == events[0]), "{events:?}");
    let other = prefix.next().await;
    assert!(other.ends_with(r#",{"topic":"com.t"},[1]]"#), "{other}");
    assert_eq!(encoded.load(Ordering::Relaxed), 2);
}

/// A client of any serialization, written and read as messages.
struct Peer {
    transport: BoxTransport,
    serializer: AnySerializer,
}

impl Peer {
    /// Dials in memory and joins a realm with all roles.
    async fn join(router: &Router, wanted: Serialization, realm: &str) -> Self {
        let mut connector = BoxConnector::new(router.connector());
        let transport = connector.connect(&[wanted]).await.expect("a connection");
        let mut all = AnySerializer::all().into_iter();
        let serializer = all.find(|serializer| serializer.serialization() == wanted);
        let serializer = serializer.expect("a serializer that is compiled in");
        let mut peer = Self {
            transport,
            serializer,
        };
        let mut roles = RoleFeatures::new();
        roles.add(RoleName::Caller, []);
        roles.add(RoleName::Callee, []);
        let mut details = HelloDetails::new();
        details.set_roles(roles);
        let realm = Uri::new(realm).expect("a realm");
        peer.send(Hello { realm, details }).await;
        let welcome = peer.next().await;
        assert!(matches!(welcome, Message::Welcome(_)), "{welcome:?}");
        peer
    }

    async fn send(&mut self, message: impl Into<Message>) {
        let mut frame = BytesMut::new();
        let encoded = self.serializer.encode(&message.into(), &mut frame);
        encoded.expect("a message");
        self.transport.send(frame.freeze()).await.expect("sent");
    }

    /// The next message, which must be in order.
    async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(Duration::from_secs(60), self.transport.next());
        let frame = next.await.expect("the router says nothing");
        let frame = frame.expect("a message, not the end").expect("a frame");
        self.serializer.decode(&frame).expect("a message")
    }
}
