//! The network: between each client and the router a line that delays, goes silent and breaks.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{SinkExt, Stream, StreamExt};
use spell::{
    message::reason,
    router::Router,
    serializer::Json,
    transport::{ConnectError, Connector, Serialization, Transport, connector_fn, memory},
};
use spell_tests::conversation::Conversation;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// The line of one client, over which its connections go one after the other.
#[derive(Clone)]
pub(crate) struct Line(Arc<Mutex<State>>);

struct State {
    chance: fastrand::Rng,
    /// Ends the connection that is open.
    cut: CancellationToken,
    is_up: bool,
    is_silent: bool,
    /// When a connection was cut last.
    last_cut: Option<Instant>,
    /// Since when it may be dialled, after that.
    up_since: Option<Instant>,
    /// How often the router refused what another session has.
    conflicts: u64,
    /// What must not have been said.
    wrong: Vec<String>,
}

impl Line {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            chance: fastrand::Rng::with_seed(seed),
            cut: CancellationToken::new(),
            is_up: true,
            is_silent: false,
            last_cut: None,
            up_since: None,
            conflicts: 0,
            wrong: Vec::new(),
        })))
    }

    /// Dials the router over this line.
    pub(crate) fn connector(&self, router: &Router) -> impl Connector + use<> {
        let (line, router) = (self.clone(), router.clone());
        connector_fn(move |_: Vec<Serialization>| {
            let (line, router) = (line.clone(), router.clone());
            async move {
                sleep(line.delay()).await;
                if !line.state().is_up {
                    return Err(ConnectError::Dial {
                        address: "the simulated network".to_owned(),
                        source: io::ErrorKind::ConnectionRefused.into(),
                    });
                }
                let (near, client) = memory::pair(Serialization::JSON);
                let (far, server) = memory::pair(Serialization::JSON);
                router.attach(server);
                tokio::spawn(line.clone().carry(client, far));
                Ok(near)
            }
        })
    }

    /// Breaks the connection, if there is one; it may be dialled again after `outage`.
    pub(crate) async fn cut(&self, outage: Duration) {
        {
            let mut state = self.state();
            state.is_up = false;
            state.is_silent = false;
            state.last_cut = Some(Instant::now());
            state.cut.cancel();
            state.cut = CancellationToken::new();
        }
        sleep(outage).await;
        let mut state = self.state();
        state.is_up = true;
        state.up_since = Some(Instant::now());
    }

    /// From now on until the next cut nothing arrives.
    pub(crate) fn fall_silent(&self) {
        self.state().is_silent = true;
    }

    /// How long ago the last cut was.
    pub(crate) fn since_cut(&self) -> Option<Duration> {
        self.state().last_cut.map(|cut| cut.elapsed())
    }

    /// How long ago the last outage ended.
    pub(crate) fn since_outage(&self) -> Option<Duration> {
        self.state().up_since.map(|up| up.elapsed())
    }

    /// How often the router refused what another session has.
    pub(crate) fn conflicts(&self) -> u64 {
        self.state().conflicts
    }

    /// Something must not have been.
    pub(crate) fn is_wrong(&self, what: String) {
        self.state().wrong.push(what);
    }

    /// What was said and must not have been.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.state().wrong.clone()
    }

    /// Carries messages both ways until one side ends or the line is cut. Sometimes the router does not notice a cut for a
    /// while, and the session that is over for the client is still there.
    async fn carry(self, client: impl Transport, router: impl Transport) {
        let cut = self.state().cut.clone();
        let conversation = Mutex::new(Conversation::new(Json::new().into()));
        let (mut to_client, mut from_client) = client.split();
        let (mut to_router, mut from_router) = router.split();
        let there = self.carry_one_way(&mut from_client, &mut to_router, |frame| {
            conversation.lock().unwrap().client_says(frame)
        });
        let back = self.carry_one_way(&mut from_router, &mut to_client, |frame| {
            if contains(frame, reason::PROCEDURE_ALREADY_EXISTS) {
                self.state().conflicts += 1;
            }
            conversation.lock().unwrap().router_says(frame)
        });
        let is_cut = tokio::select! {
            () = cut.cancelled() => true,
            _ = async { tokio::join!(there, back) } => false,
        };
        if let Some(late) = self.lateness().filter(|_| is_cut) {
            drop((to_client, from_client));
            sleep(late).await;
        }
    }

    async fn carry_one_way<S, T>(
        &self,
        from: &mut S,
        to: &mut T,
        mut hear: impl FnMut(&Bytes) -> Result<(), String>,
    ) where
        S: Stream<Item = Result<Bytes, spell::transport::TransportError>> + Unpin,
        T: SinkExt<Bytes> + Unpin,
    {
        while let Some(Ok(frame)) = from.next().await {
            if let Err(wrong) = hear(&frame) {
                self.is_wrong(wrong);
            }
            sleep(self.delay()).await;
            if self.state().is_silent {
                continue;
            }
            if to.send(frame).await.is_err() {
                return;
            }
        }
        // The end is a message like any other.
        sleep(self.delay()).await;
        if self.state().is_silent {
            std::future::pending::<()>().await;
        }
        let _ = to.close().await;
    }

    /// How long the next message takes. Many take no time, so that they meet.
    fn delay(&self) -> Duration {
        let chance = &mut self.state().chance;
        match chance.u8(..4) {
            0 => Duration::from_millis(chance.u64(1..50)),
            1 => Duration::from_millis(1),
            _ => Duration::ZERO,
        }
    }

    /// How much later the router notices a cut, if it does not at once.
    fn lateness(&self) -> Option<Duration> {
        let chance = &mut self.state().chance;
        (chance.u8(..3) == 0).then(|| Duration::from_millis(chance.u64(..5000)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

/// The longest that a message takes there, and another one back.
pub(crate) const ROUND_TRIP: Duration = Duration::from_millis(100);

fn contains(frame: &[u8], text: &str) -> bool {
    frame
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}
