//! Several routers to join at, and what is known of each.

use std::{collections::HashMap, fmt, pin::Pin, sync::Arc, time::Duration};

use spell_transport::{ConnectError, Connector};
use tokio::time::Instant;
use tracing::warn;

/// The routers a peer may join at, best first.
///
/// A connector is the list of one router; `PeerBuilder::connect` takes either. A *round* tries each
/// router at most once, one after the other, until a session is joined; only when all have failed
/// does the retry policy say how long to wait before the next round. Where a session was lost
/// counts as tried, so that the next one is elsewhere, and a stable session begins a new round.
///
/// A router that failed is tried after those that did not, the one that failed longest ago first;
/// after a minute that is forgotten ([`memory`](Self::memory)), and it has its old place again. A
/// session is never given up for a better router.
///
/// ```
/// use spell_peer::Endpoints;
/// use spell_transport::{Serialization, memory};
///
/// let (main, _listener) = memory::listener([Serialization::JSON]);
/// let (spare, _listener) = memory::listener([Serialization::JSON]);
/// let endpoints = Endpoints::new([main, spare]);
/// # let _ = endpoints;
/// ```
pub struct Endpoints<C> {
    list: Vec<Endpoint<C>>,
    current: usize,
    /// A round begins with the next choice.
    renew: bool,
    resolver: Option<Resolver<C>>,
    shuffle: bool,
    memory: Duration,
}

struct Endpoint<C> {
    connector: C,
    /// For people.
    name: Arc<str>,
    record: Record,
}

/// How a router did.
#[derive(Clone, Copy, Default)]
struct Record {
    /// In this round.
    tried: bool,
    failed: Option<Instant>,
}

type Resolver<C> = Box<dyn FnMut() -> Resolving<C> + Send>;
type Resolving<C> = Pin<Box<dyn Future<Output = Result<Vec<C>, ConnectError>> + Send>>;

impl<C: Connector> Endpoints<C> {
    /// These routers, best first.
    pub fn new(connectors: impl IntoIterator<Item = C>) -> Self {
        Self {
            list: list(connectors),
            current: 0,
            renew: true,
            resolver: None,
            shuffle: false,
            memory: Duration::from_secs(60),
        }
    }

    /// The routers that `resolver` names, asked anew for each round: as by a directory, or by DNS.
    ///
    /// While it fails, or names none, those it named last are used. It has the time that joining
    /// has. What is known of a router stays with its [address](Connector::address).
    pub fn resolve<F, Fut>(mut resolver: F) -> Self
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Vec<C>, ConnectError>> + Send + 'static,
    {
        Self {
            resolver: Some(Box::new(move || Box::pin(resolver()))),
            ..Self::new([])
        }
    }

    /// Begin each round in a random order, so that many peers spread over the routers. Default:
    /// the order they are given in.
    #[must_use]
    pub fn shuffle(mut self) -> Self {
        self.shuffle = true;
        self
    }

    /// How long a router that failed is tried after those that did not. Default: 60 s.
    #[must_use]
    pub fn memory(mut self, memory: Duration) -> Self {
        self.memory = memory;
        self
    }

    /// Whether there can be no router.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty() && self.resolver.is_none()
    }

    /// Whether one was not tried in this round.
    pub(crate) fn has_untried(&self) -> bool {
        self.list.iter().any(|endpoint| !endpoint.record.tried)
    }

    /// All may be tried again.
    pub(crate) fn begin_round(&mut self) {
        self.renew = true;
        for endpoint in &mut self.list {
            endpoint.record.tried = false;
        }
    }

    /// The chosen router failed, in this round.
    pub(crate) fn failed(&mut self) {
        if let Some(endpoint) = self.list.get_mut(self.current) {
            endpoint.record = Record {
                tried: true,
                failed: Some(Instant::now()),
            };
        }
    }

    /// Choose the next router, and tell its name.
    pub(crate) async fn choose(&mut self) -> Result<Arc<str>, ConnectError> {
        if !self.has_untried() {
            self.begin_round();
        }
        if self.renew {
            self.resolve_again().await?;
            if self.shuffle {
                fastrand::shuffle(&mut self.list);
            }
            self.renew = false;
        }
        let now = Instant::now();
        let memory = self.memory;
        // The first of several that are equal.
        let best = self
            .list
            .iter_mut()
            .enumerate()
            .filter(|(_, endpoint)| !endpoint.record.tried)
            .min_by_key(|(_, endpoint)| {
                let failed = endpoint.record.failed;
                failed.filter(|failed| now.duration_since(*failed) < memory)
            });
        let (index, endpoint) = best.ok_or_else(|| ConnectError::Other(NO_ROUTER.into()))?;
        self.current = index;
        endpoint.record.tried = true;
        Ok(endpoint.name.clone())
    }

    /// What dials the chosen router.
    pub(crate) fn connector(&mut self) -> Option<&mut C> {
        let endpoint = self.list.get_mut(self.current)?;
        Some(&mut endpoint.connector)
    }

    async fn resolve_again(&mut self) -> Result<(), ConnectError> {
        let Some(resolver) = &mut self.resolver else {
            return Ok(());
        };
        match resolver().await {
            Ok(connectors) if !connectors.is_empty() => {
                let records: HashMap<_, _> = self
                    .list
                    .drain(..)
                    .map(|known| (known.name, known.record))
                    .collect();
                self.list = list(connectors);
                for endpoint in &mut self.list {
                    endpoint.record = records.get(&endpoint.name).copied().unwrap_or_default();
                }
            }
            Err(error) if self.list.is_empty() => return Err(error),
            Err(error) => warn!(%error, "the routers could not be resolved again"),
            Ok(_) => {}
        }
        Ok(())
    }
}

const NO_ROUTER: &str = "there is no router to join at";

fn list<C: Connector>(connectors: impl IntoIterator<Item = C>) -> Vec<Endpoint<C>> {
    let named = |(number, connector): (usize, C)| {
        let address = connector.address();
        Endpoint {
            name: address.map_or_else(|| format!("router {number}").into(), Into::into),
            connector,
            record: Record::default(),
        }
    };
    (1..).zip(connectors).map(named).collect()
}

impl<C: Connector> From<C> for Endpoints<C> {
    fn from(connector: C) -> Self {
        Self::new([connector])
    }
}

impl<C> fmt::Debug for Endpoints<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.list.iter().map(|endpoint| &endpoint.name);
        f.debug_list().entries(names).finish()
    }
}
