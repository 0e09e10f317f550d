//! A peer of one role, and the script of a router.

use std::{
    io,
    ops::ControlFlow,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{self, Poll, Waker},
    time::Instant,
};

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use spell_message::{
    Format, Message, Payload, RequestId, Uri,
    message::{Call, Goodbye, Hello},
    options::{CallOptions, GoodbyeDetails, HelloDetails},
    reason,
};
use spell_peer::{
    Ahead, CloseReason, Commands, Context, Delivery, Peer, PeerBuilder, Role, SessionEnd,
    SessionInfo,
};
use spell_serializer::{Json, PayloadBuilder};
use spell_transport::{
    Adapter, ConnectError, Connector, Listener, Serialization, TransportInfo, connector_fn,
    memory::{self, MemoryConnector, MemoryListener, MemoryTransport},
};
use tokio::sync::oneshot;

/// Says HELLO, joins at WELCOME, and calls.
#[derive(Debug, Default)]
pub(crate) struct Client {
    pending: Vec<(RequestId, Reply)>,
    wake: Option<(Instant, oneshot::Sender<()>)>,
}

pub(crate) type Reply = oneshot::Sender<Result<(), (CloseReason, Delivery)>>;

pub(crate) enum Ask {
    Call(Reply),
    /// A call that nobody waits for.
    HandedOver(Ahead),
    /// A call with so many bytes of arguments.
    Large(usize, Reply),
    /// Tell when the time has come.
    Wake(Instant, oneshot::Sender<()>),
    Panic,
    Spawned,
    /// Report to whoever listens.
    Report(&'static str),
}

#[derive(Clone, Debug)]
pub(crate) struct Handle(pub(crate) Commands<Ask>);

impl Handle {
    pub(crate) async fn call(&self) -> Result<(), (CloseReason, Delivery)> {
        let (reply, wait) = oneshot::channel();
        let sent = self.0.send(Ask::Call(reply)).await;
        sent.map_err(|closed| (closed.reason, Delivery::NotSent))?;
        wait.await.unwrap()
    }
}

impl Client {
    fn call(&mut self, payload: Payload, reply: Reply, cx: &mut Context<'_, Ask>) {
        let request = cx.request(|request| {
            Message::Call(Call {
                request,
                options: CallOptions::new(),
                procedure: Uri::new("com.example.echo").unwrap(),
                payload,
            })
        });
        if let Ok(request) = request {
            self.pending.push((request, reply));
        } else {
            let reason = cx.last_end().cloned();
            let reason = reason.unwrap_or(CloseReason::Disconnected);
            _ = reply.send(Err((reason, Delivery::NotSent)));
        }
    }
}

impl Role for Client {
    type Command = Ask;
    type Handle = Handle;

    fn handle(commands: Commands<Ask>) -> Handle {
        Handle(commands)
    }

    fn on_open(&mut self, cx: &mut Context<'_, Ask>) {
        let mut details = HelloDetails::new();
        details.set_roles(cx.announced().clone());
        let realm = Uri::new("realm1").unwrap();
        cx.send(Hello { realm, details }).unwrap();
    }

    fn on_message(
        &mut self,
        message: Message,
        cx: &mut Context<'_, Ask>,
    ) -> ControlFlow<(), Message> {
        match message {
            Message::Welcome(welcome) => {
                let realm = Uri::new("realm1").unwrap();
                cx.join(SessionInfo::new(welcome.session, realm, welcome.details));
            }
            Message::Goodbye(goodbye) => {
                send_goodbye(reason::GOODBYE_AND_OUT, cx);
                cx.close(CloseReason::Goodbye(Arc::new(goodbye)));
            }
            Message::Abort(abort) => cx.close(CloseReason::Aborted(Arc::new(abort))),
            Message::Result(result) => {
                if let Some(at) = self
                    .pending
                    .iter()
                    .position(|(id, _)| *id == result.request)
                {
                    self.pending.remove(at).1.send(Ok(())).unwrap();
                }
            }
            other => return ControlFlow::Continue(other),
        }
        ControlFlow::Break(())
    }

    fn handle_call(&mut self, command: Ask, cx: &mut Context<'_, Ask>) {
        match command {
            Ask::Call(reply) => self.call(Payload::default(), reply, cx),
            Ask::HandedOver(ahead) => {
                self.call(Payload::default(), oneshot::channel().0, cx);
                drop(ahead);
            }
            Ask::Large(size, reply) => {
                let arguments = PayloadBuilder::new(Format::Json).arg(&"x".repeat(size));
                self.call(arguments.finish().unwrap(), reply, cx);
            }
            Ask::Wake(at, reply) => self.wake = Some((at, reply)),
            Ask::Panic => cx.spawn(async { panic!("a task of a role") }),
            Ask::Spawned => {}
            Ask::Report(text) => cx.report(text),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.wake.as_ref().map(|(at, _)| *at)
    }

    fn on_deadline(&mut self, _: &mut Context<'_, Ask>) {
        if let Some((_, reply)) = self.wake.take() {
            reply.send(()).unwrap();
        }
    }

    fn on_stop(&mut self, cx: &mut Context<'_, Ask>) {
        send_goodbye(reason::CLOSE_REALM, cx);
    }

    fn on_close(&mut self, end: &SessionEnd) {
        for (request, reply) in self.pending.drain(..) {
            _ = reply.send(Err((end.reason().clone(), end.delivery(request))));
        }
    }
}

fn send_goodbye(reason: &str, cx: &mut Context<'_, Ask>) {
    let details = GoodbyeDetails::new();
    let reason = Uri::new(reason).unwrap();
    cx.send(Goodbye { details, reason }).unwrap();
}

/// The router's end.
pub(crate) struct Script(pub(crate) MemoryTransport);

impl Script {
    pub(crate) async fn accept(listener: &mut MemoryListener) -> Self {
        Self(listener.accept().await.unwrap().await.unwrap())
    }

    /// Accept, and answer HELLO.
    pub(crate) async fn welcome(listener: &mut MemoryListener) -> Self {
        let mut script = Self::accept(listener).await;
        script.expect(r#"[1,"realm1",{"roles":{}}]"#).await;
        script.send(WELCOME).await;
        script
    }

    pub(crate) async fn expect(&mut self, frame: &str) {
        let got = self.0.next().await.unwrap().unwrap();
        assert_eq!(std::str::from_utf8(&got).unwrap(), frame);
    }

    pub(crate) async fn send(&mut self, frame: &'static str) {
        self.0.send(Bytes::from(frame)).await.unwrap();
    }

    pub(crate) async fn expect_end(&mut self) {
        assert!(self.0.next().await.is_none(), "the peer goes on");
    }
}

pub(crate) fn builder() -> PeerBuilder<(Client,)> {
    PeerBuilder::new(Client::default()).serializers([Json::default().into()])
}

pub(crate) fn listener() -> (MemoryConnector, MemoryListener) {
    memory::listener([Serialization::JSON])
}

pub(crate) fn handle(peer: &Peer<(Client,)>) -> Handle {
    peer.role::<Client, _>().clone()
}

/// A peer and its router, joined.
pub(crate) async fn joined(
    builder: PeerBuilder<(Client,)>,
) -> (Peer<(Client,)>, Script, MemoryListener) {
    let (connector, mut listener) = listener();
    let (peer, script) = tokio::join!(builder.connect(connector), Script::welcome(&mut listener));
    (peer.unwrap(), script, listener)
}

/// A router at an address, which may be there or not.
#[derive(Clone)]
pub(crate) struct Place {
    name: &'static str,
    dial: Arc<Mutex<Option<MemoryConnector>>>,
    dialled: Arc<AtomicUsize>,
}

impl Place {
    /// Nobody is there yet.
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            dial: Arc::default(),
            dialled: Arc::default(),
        }
    }

    pub(crate) fn listen(&self) -> MemoryListener {
        let (connector, listener) = listener();
        *self.dial.lock().unwrap() = Some(connector);
        listener
    }

    /// How often it was dialled.
    pub(crate) fn dialled(&self) -> usize {
        self.dialled.load(Ordering::Relaxed)
    }
}

impl Connector for Place {
    type Transport = MemoryTransport;

    async fn connect(&mut self, offers: &[Serialization]) -> Result<MemoryTransport, ConnectError> {
        self.dialled.fetch_add(1, Ordering::Relaxed);
        let dial = self.dial.lock().unwrap().clone();
        match dial {
            Some(mut dial) => dial.connect(offers).await,
            None => Err(ConnectError::Closed),
        }
    }

    fn address(&self) -> Option<String> {
        Some(self.name.to_owned())
    }
}

/// Two routers that are not there yet.
pub(crate) fn places() -> [Place; 2] {
    ["a", "b"].map(Place::new)
}

pub(crate) const WELCOME: &str = r#"[2,7,{"roles":{"dealer":{}}}]"#;
pub(crate) const CALL_1: &str = r#"[48,1,{},"com.example.echo"]"#;
pub(crate) const CALL_2: &str = r#"[48,2,{},"com.example.echo"]"#;

/// A router that welcomes, reads HELLO, and then nothing until it is to go on.
#[derive(Clone, Default)]
pub(crate) struct Reading(Arc<Mutex<Read>>);

#[derive(Default)]
struct Read {
    goes_on: bool,
    waker: Option<Waker>,
    frames: usize,
}

impl Reading {
    pub(crate) fn connector(&self) -> impl Connector<Transport = Adapter<Late>> + 'static {
        let reading = self.clone();
        connector_fn(move |_| {
            let late = Late {
                welcomed: false,
                reading: reading.clone(),
            };
            async { Ok(Adapter::new(late, TransportInfo::new(Serialization::JSON))) }
        })
    }

    /// How many frames were read.
    pub(crate) fn frames(&self) -> usize {
        self.0.lock().unwrap().frames
    }

    pub(crate) fn go_on(&self) {
        let mut read = self.0.lock().unwrap();
        read.goes_on = true;
        let waker = read.waker.take();
        drop(read);
        waker.unwrap().wake();
    }
}

/// The peer's end of a connection to it.
pub(crate) struct Late {
    welcomed: bool,
    reading: Reading,
}

impl Stream for Late {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::replace(&mut self.welcomed, true) {
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(Bytes::from(WELCOME))))
    }
}

impl Sink<Bytes> for Late {
    type Error = io::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        let mut read = self.reading.0.lock().unwrap();
        if read.goes_on || read.frames == 0 {
            return Poll::Ready(Ok(()));
        }
        read.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn start_send(self: Pin<&mut Self>, _: Bytes) -> io::Result<()> {
        self.reading.0.lock().unwrap().frames += 1;
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
