//! The network: between each client and the router a line that delays, goes silent and breaks.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{SinkExt, Stream, StreamExt};
use spell::{
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
        self.state().is_up = true;
    }

    /// From now on until the next cut nothing arrives.
    pub(crate) fn fall_silent(&self) {
        self.state().is_silent = true;
    }

    /// How long ago the last cut was.
    pub(crate) fn since_cut(&self) -> Option<Duration> {
        self.state().last_cut.map(|cut| cut.elapsed())
    }

    /// What was said and must not have been.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.state().wrong.clone()
    }

    /// Carries messages both ways until one side ends or the line is cut.
    async fn carry(self, client: impl Transport, router: impl Transport) {
        let cut = self.state().cut.clone();
        let conversation = Mutex::new(Conversation::new(Json::new().into()));
        let (mut to_client, from_client) = client.split();
        let (mut to_router, from_router) = router.split();
        let there = self.carry_one_way(from_client, &mut to_router, |frame| {
            conversation.lock().unwrap().client_says(frame)
        });
        let back = self.carry_one_way(from_router, &mut to_client, |frame| {
            conversation.lock().unwrap().router_says(frame)
        });
        tokio::select! {
            () = cut.cancelled() => {}
            _ = async { tokio::join!(there, back) } => {}
        }
    }

    async fn carry_one_way<S, T>(
        &self,
        mut from: S,
        to: &mut T,
        mut hear: impl FnMut(&Bytes) -> Result<(), String>,
    ) where
        S: Stream<Item = Result<Bytes, spell::transport::TransportError>> + Unpin,
        T: SinkExt<Bytes> + Unpin,
    {
        while let Some(Ok(frame)) = from.next().await {
            if let Err(wrong) = hear(&frame) {
                self.state().wrong.push(wrong);
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}
