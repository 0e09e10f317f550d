use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    sync::{Arc, Mutex},
};

use spell::{auth::Ticket, prelude::*, roles::Session};
use spell_router::{Realm, Router};
use tokio::sync::mpsc;
use tracing::{
    Dispatch, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};

use crate::support::{REALM, join, with_session};

const CANARY: &str = "sesame";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn spans_tell_of_sessions_calls_invocations_and_events_and_of_no_secret() {
    let (log, _listens) = Log::listen();
    let realm = Realm::new(REALM).ticket("joe", CANARY, "user");
    let router = Router::builder().realm(realm).build().unwrap();
    let session = Session::new(REALM).authenticator(Ticket::new("joe", CANARY));
    let client = with_session(session);
    let client = client.connect(router.connector()).await.unwrap();
    let echo = client.register("com.example.echo");
    let echo = echo.handler(|(text,): (String,)| async move {
        tracing::info!("in the handler of calls");
        Ok(text)
    });
    let _echo = echo.await.unwrap();
    let (seen, mut events) = mpsc::unbounded_channel();
    let topic = client.subscribe("com.example.topic");
    let topic = topic.handler(move |(text,): (String,)| {
        tracing::info!("in the handler of events");
        seen.send(text).unwrap();
        async {}
    });
    let topic = topic.await.unwrap();

    let call = client.call("com.example.echo").arg(CANARY);
    call.traceparent(PARENT).await.unwrap();
    let publish = client.publish("com.example.topic").arg(CANARY);
    publish.exclude_me(false).await.unwrap();
    events.recv().await.unwrap();

    let id = client.session().unwrap().id().to_string();
    let subscription = topic.id().unwrap().to_string();
    client.leave().await.unwrap();
    let log = log.0.lock().unwrap();
    let shown = &log.shown;
    assert!(!shown.contains(CANARY), "{shown}");
    for (name, fields) in [
        ("session", vec![("realm", REALM), ("session", &id)]),
        (
            "call",
            vec![
                ("procedure", "com.example.echo"),
                ("realm", REALM),
                ("session", &id),
                ("request", "3"),
                ("traceparent", PARENT),
                ("outcome", "ok"),
            ],
        ),
        (
            "invocation",
            vec![
                ("procedure", "com.example.echo"),
                ("realm", REALM),
                ("session", &id),
                ("request", "1"),
                ("traceparent", PARENT),
                ("outcome", "ok"),
            ],
        ),
        (
            "event",
            vec![
                ("topic", "com.example.topic"),
                ("realm", REALM),
                ("session", &id),
                ("subscription", &subscription),
            ],
        ),
    ] {
        let span = log.spans.iter().find(|span| span.name == name).unwrap();
        for (field, value) in fields {
            assert_eq!(
                span.fields.get(field).map(String::as_str),
                Some(value),
                "{name}: {field}"
            );
        }
    }
    assert_eq!(log.within("in the handler of calls"), Some("invocation"));
    assert_eq!(log.within("in the handler of events"), Some("event"));
    assert_eq!(log.within("session joined"), Some("session"));
    assert_eq!(log.within("session ended"), Some("session"));
}

#[tokio::test]
async fn the_outcome_is_the_uri_of_the_error_or_that_it_was_given_up() {
    let (log, _listens) = Log::listen();
    let router = Router::local();
    let client = join(&router).await.unwrap();
    let (begun, mut begins) = mpsc::unbounded_channel();
    let wait = client.register("com.example.wait").handler(move |()| {
        begun.send(()).unwrap();
        std::future::pending::<Result<(), InvocationError>>()
    });
    let _wait = wait.await.unwrap();
    let fail = client.register("com.example.fail");
    let fail = fail.handler(|()| async {
        let error = InvocationError::new("com.example.error.odd").arg(CANARY);
        Err::<(), _>(error)
    });
    let _fail = fail.await.unwrap();

    client.call("com.example.fail").await.unwrap_err();
    let waiting = client.call("com.example.wait").start().await.unwrap();
    begins.recv().await.unwrap();
    drop(waiting);
    client.call("com.example.missing").await.unwrap_err();
    client.leave().await.unwrap();

    let log = log.0.lock().unwrap();
    let mut outcomes: Vec<_> = log
        .spans
        .iter()
        .filter_map(|span| Some((span.name, &**span.fields.get("outcome")?)))
        .collect();
    outcomes.sort_unstable();
    let expected = [
        ("call", "com.example.error.odd"),
        ("call", "given up"),
        ("call", "wamp.error.no_such_procedure"),
        ("invocation", "canceled"),
        ("invocation", "com.example.error.odd"),
    ];
    assert_eq!(outcomes, expected);
    assert!(!log.shown.contains(CANARY), "{}", log.shown);
}

/// All that is logged, and the spans.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Logged>>);

impl Log {
    /// Listen on this thread, until what comes with it is dropped.
    fn listen() -> (Self, (Dispatch, DefaultGuard)) {
        // While there is only one, `tracing` takes that of the thread that comes by a place first
        // for all: another test would silence it.
        let second = Dispatch::new(Self::default());
        let log = Self::default();
        let guard = tracing::subscriber::set_default(log.clone());
        (log, (second, guard))
    }
}

#[derive(Default)]
struct Logged {
    spans: Vec<Span>,
    entered: Vec<usize>,
    /// The texts of events, each with its span.
    events: Vec<(String, Option<&'static str>)>,
    /// All values there were.
    shown: String,
}

struct Span {
    name: &'static str,
    fields: BTreeMap<&'static str, String>,
}

impl Logged {
    /// In which span it was logged.
    fn within(&self, text: &str) -> Option<&'static str> {
        let event = self.events.iter().find(|(shown, _)| shown.contains(text));
        event.unwrap_or_else(|| panic!("{text}")).1
    }
}

/// Shows the values of fields.
struct Fields<'a>(&'a mut String, BTreeMap<&'static str, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
        self.1.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, "{field}={value} ").unwrap();
        self.1.insert(field.name(), value.to_owned());
    }
}

fn place(id: &Id) -> usize {
    usize::try_from(id.into_u64()).unwrap() - 1
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        !metadata.target().starts_with("spell_router")
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut log = self.0.lock().unwrap();
        let mut fields = Fields(&mut log.shown, BTreeMap::new());
        attributes.record(&mut fields);
        let fields = fields.1;
        let name = attributes.metadata().name();
        log.spans.push(Span { name, fields });
        Id::from_u64(u64::try_from(log.spans.len()).unwrap())
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        let mut log = self.0.lock().unwrap();
        let mut fields = Fields(&mut log.shown, BTreeMap::new());
        values.record(&mut fields);
        let fields = fields.1;
        log.spans[place(id)].fields.extend(fields);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut log = self.0.lock().unwrap();
        let mut fields = Fields(&mut log.shown, BTreeMap::new());
        event.record(&mut fields);
        let text = fields.1.remove("message").unwrap_or_default();
        let within = log.entered.last().map(|place| log.spans[*place].name);
        log.events.push((text, within));
    }

    fn enter(&self, id: &Id) {
        self.0.lock().unwrap().entered.push(place(id));
    }

    fn exit(&self, _: &Id) {
        self.0.lock().unwrap().entered.pop();
    }
}
