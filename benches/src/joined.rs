use std::{
    error::Error,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::Bytes;
use spell_message::{RequestId, RoleFeatures, RoleName};
use spell_peer::{Commands, Engine, Inbox, PeerConfig, Role};
use spell_roles::{Callee, Caller, Publisher, Registration, Session, Subscriber, Subscription};
use spell_serializer::AnySerializer;

use crate::frames::{self, PROCEDURE, TEXT, TOPIC};

/// All that a client does but IO: its roles and their engine, called by hand, with a router that the bench plays.
///
/// Calls of it belong inside of a tokio runtime, whose clock watches over requests.
#[derive(Debug)]
pub struct Joined {
    engine: Engine<Roles>,
    inbox: Inbox<<Roles as Role>::Command>,
    handles: <Roles as Role>::Handle,
    serializer: AnySerializer,
    now: Instant,
}

type Roles = (Session, Publisher, Subscriber, Caller, Callee);

impl Joined {
    /// A client with a session, in this serialization.
    pub fn new(serializer: AnySerializer) -> Result<Self, Box<dyn Error>> {
        let mut config = PeerConfig::default();
        config.serializers = vec![serializer.clone()];
        let (commands, inbox) = Commands::channel(&config);
        let handles = Roles::handle(commands);
        let roles = (
            Session::new("com.example.realm"),
            Publisher::new(),
            Subscriber::new(),
            Caller::new(),
            Callee::new(),
        );
        let mut joined = Self {
            engine: Engine::new(roles, config)?,
            inbox,
            handles,
            serializer: serializer.clone(),
            now: Instant::now(),
        };
        joined.engine.open(serializer, None, joined.now);
        let mut features = RoleFeatures::new();
        features.add(RoleName::Broker, []);
        features.add(RoleName::Dealer, []);
        sent(&mut joined.engine, &mut joined.inbox, joined.now)?;
        joined.receive(&frames::welcome(&joined.serializer, features)?)?;
        Ok(joined)
    }

    /// Calls and reads the result, which is this frame; each call has the next id.
    pub fn call(&mut self, result: &Bytes) -> Result<u64, Box<dyn Error>> {
        let call = self.handles.3.call(PROCEDURE).arg(7).arg(TEXT);
        let mut call = pin!(call.send());
        expect_pending(call.as_mut())?;
        sent(&mut self.engine, &mut self.inbox, self.now)?;
        self.engine.handle_frame(result, self.now);
        let (number, _text): (u64, String) = ready(call)??.args()?;
        Ok(number)
    }

    /// As many calls as there are ids, the first of which must be the next one; they wait for their results until they
    /// are dropped.
    pub fn waiting_calls(
        &mut self,
        ids: &[RequestId],
    ) -> Result<Vec<impl Future + use<>>, Box<dyn Error>> {
        let mut waiting = Vec::new();
        for _ in ids {
            let caller = self.handles.3.clone();
            let mut call = Box::pin(async move { caller.call(PROCEDURE).await });
            expect_pending(call.as_mut())?;
            sent(&mut self.engine, &mut self.inbox, self.now)?;
            waiting.push(call);
        }
        Ok(waiting)
    }

    /// A subscription, for [`Joined::event`]. It must be the first request.
    pub fn subscribe(&mut self) -> Result<Subscription, Box<dyn Error>> {
        self.subscribe_to(TOPIC, RequestId::MIN)
    }

    /// A subscription of some topic, by the request that is the next one.
    pub fn subscribe_to(
        &mut self,
        topic: &str,
        request: RequestId,
    ) -> Result<Subscription, Box<dyn Error>> {
        let answer = frames::subscribed(&self.serializer, request)?;
        let mut subscribe = pin!(self.handles.2.subscribe(topic).send());
        expect_pending(subscribe.as_mut())?;
        sent(&mut self.engine, &mut self.inbox, self.now)?;
        self.engine.handle_frame(&answer, self.now);
        Ok(ready(subscribe)??)
    }

    /// Receives the event that is this frame, and reads it.
    pub fn event(
        &mut self,
        subscription: &mut Subscription,
        event: &Bytes,
    ) -> Result<u64, Box<dyn Error>> {
        self.receive(event)?;
        let event = ready(pin!(subscription.next()))?.ok_or("no event")?;
        let (number, _text): (u64, String) = event.args()?;
        Ok(number)
    }

    /// A registration, for [`Joined::invocation`]. It must be the first request.
    pub fn register(&mut self) -> Result<Registration, Box<dyn Error>> {
        let answer = frames::registered(&self.serializer, RequestId::MIN)?;
        let mut register = pin!(self.handles.4.register(PROCEDURE).send());
        expect_pending(register.as_mut())?;
        sent(&mut self.engine, &mut self.inbox, self.now)?;
        self.engine.handle_frame(&answer, self.now);
        Ok(ready(register)??)
    }

    /// Receives the invocation that is this frame, reads it, and answers with its arguments.
    pub fn invocation(
        &mut self,
        registration: &mut Registration,
        invocation: &Bytes,
    ) -> Result<Bytes, Box<dyn Error>> {
        self.receive(invocation)?;
        let invocation = ready(pin!(registration.next()))?.ok_or("no invocation")?;
        let (number, text): (u64, String) = invocation.args()?;
        let mut answer = pin!(invocation.respond().arg(number).arg(text).into_future());
        expect_pending(answer.as_mut())?;
        let frame = sent(&mut self.engine, &mut self.inbox, self.now)?;
        ready(answer)??;
        Ok(frame)
    }

    fn receive(&mut self, frame: &Bytes) -> Result<(), Box<dyn Error>> {
        self.engine.handle_frame(frame, self.now);
        match self.engine.closed() {
            Some(reason) => Err(reason.to_string().into()),
            None => Ok(()),
        }
    }
}

/// What the roles send for what their handles asked. Not a method, because futures borrow the handles meanwhile.
fn sent(
    engine: &mut Engine<Roles>,
    inbox: &mut Inbox<<Roles as Role>::Command>,
    now: Instant,
) -> Result<Bytes, Box<dyn Error>> {
    while let Some(command) = inbox.try_next() {
        engine.handle_command(command, now);
    }
    Ok(engine.poll_transmit().ok_or("nothing was sent")?)
}

fn expect_pending<F: Future>(future: Pin<&mut F>) -> Result<(), Box<dyn Error>> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Pending => Ok(()),
        Poll::Ready(_) => Err("ready before there was an answer".into()),
    }
}

fn ready<F: Future>(future: Pin<&mut F>) -> Result<F::Output, Box<dyn Error>> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err("not ready though there was an answer".into()),
    }
}
