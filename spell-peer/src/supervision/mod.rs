//! Many peers under one roof: they are started in order, started anew when they end, and stopped in
//! reverse.
//!
//! A peer with a [retry policy](crate::RetryPolicy) looks after its own connection. A
//! [`Supervision`] looks after peers: what ended for good, because its policy gave up, a router
//! killed it, or something panicked, is made anew from the ground, with all that its closure sets
//! up. It is what a supervisor with the strategy `one_for_one` is in Erlang and Elixir.
//!
//! ```
//! # use std::error::Error;
//! # use spell_peer::{Peer, PeerBuilder, Role};
//! # use spell_transport::Connector;
//! use spell_peer::supervision::{Child, Restart, Supervision};
//!
//! # async fn run<R: Role<Command: Unpin>, C: Connector + Clone + Sync + 'static>(
//! #     settings: fn() -> PeerBuilder<R>,
//! #     router: C,
//! # ) -> Result<(), Box<dyn Error + Send + Sync>> {
//! let clock = Child::new("clock", move || {
//!     let joining = settings().connect(router.clone());
//!     async move {
//!         let peer = joining.await?;
//!         // Register and subscribe here.
//!         Ok(peer)
//!     }
//! });
//! let supervision = Supervision::new();
//! supervision.start(clock.restart(Restart::Transient)).await?;
//!
//! let clock: Peer<R> = supervision.peer("clock").ok_or("it is just being started anew")?;
//! println!("{:?}", clock.session());
//! supervision.stop().await;
//! # Ok(())
//! # }
//! ```

mod child;
mod intensity;
mod keeper;
mod report;

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    task::JoinHandle,
};

use self::{
    child::Slot,
    keeper::{Keeper, Order, Outlet},
};
use crate::{Peer, Role};

pub use self::{
    child::{Child, Restart},
    intensity::Intensity,
    report::{ChildEnd, Report, Reports, StartError, SupervisionEnd},
};

/// Holds many peers, and starts those anew that end.
///
/// See the [module](self). Dropping it stops all peers at once, without a farewell;
/// [`stop`](Self::stop) does it in order.
pub struct Supervision {
    orders: mpsc::Sender<Order>,
    slots: Arc<Mutex<Vec<Arc<Slot>>>>,
    reports: broadcast::Sender<Report>,
    end: watch::Receiver<Option<SupervisionEnd>>,
    keeper: JoinHandle<()>,
}

impl Supervision {
    /// With the default [`Intensity`]. To be called on a tokio runtime, on which all runs.
    pub fn new() -> Self {
        Self::with_intensity(Intensity::default())
    }

    /// Give up, and stop all, when peers are started anew more often than this.
    pub fn with_intensity(intensity: Intensity) -> Self {
        let (orders, inbox) = mpsc::channel(ORDERS);
        let (reports, _) = broadcast::channel(REPORTS);
        let (end, ended) = watch::channel(None);
        let slots = Arc::<Mutex<Vec<_>>>::default();
        let outlet = Outlet {
            slots: slots.clone(),
            reports: reports.clone(),
        };
        let keeper = Keeper::new(intensity, inbox, outlet);
        let keeper = tokio::spawn(async move {
            let reason = keeper.run().await;
            end.send_replace(Some(reason));
        });
        Self {
            orders,
            slots,
            reports,
            end: ended,
            keeper,
        }
    }

    /// Start a child, and wait until its closure gave a peer.
    ///
    /// # Errors
    ///
    /// Why it was not started. Then it is not kept: only what ran once is started anew.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, the child may be started all the same.
    pub async fn start<R: Role>(&self, child: Child<R>) -> Result<(), StartError> {
        let (reply, started) = oneshot::channel();
        let order = Order::Start(Box::new(child.kept(reply, self.reports.clone())));
        let sent = self.orders.send(order).await;
        sent.map_err(|_| StartError::Ended)?;
        started.await.unwrap_or(Err(StartError::Ended))
    }

    /// The peer of the child with this name, as it is now; `None` if there is no such child, if it
    /// is just being started anew, or if its roles are others.
    ///
    /// Another incarnation is another peer: ask for it when it is needed, and do not keep it.
    pub fn peer<R: Role>(&self, name: &str) -> Option<Peer<R>> {
        let slot = lock(&self.slots)
            .iter()
            .find(|slot| &*slot.name == name)
            .cloned();
        let peer: Arc<dyn Any + Send + Sync> = slot?.peer()?;
        peer.downcast_ref().cloned()
    }

    /// The names of the children, in the order they were started.
    pub fn names(&self) -> Vec<Arc<str>> {
        let slots = lock(&self.slots);
        slots.iter().map(|slot| slot.name.clone()).collect()
    }

    /// Stop one child, and keep it no more; `false` if there is none with this name.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, the child is stopped all the same.
    pub async fn stop_child(&self, name: &str) -> bool {
        let (reply, stopped) = oneshot::channel();
        let order = Order::Stop(name.into(), reply);
        self.orders.send(order).await.is_ok() && stopped.await.unwrap_or(false)
    }

    /// Stop all children, the one started last first, each within its
    /// [deadline](Child::deadline).
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, all that still runs is stopped at once.
    pub async fn stop(mut self) {
        // If nobody takes the order, all is stopped already.
        let _ = self.orders.send(Order::StopAll).await;
        let _ = (&mut self.keeper).await;
    }

    /// What happens from here on.
    pub fn reports(&self) -> Reports {
        Reports::new(self.reports.subscribe())
    }

    /// Wait until the supervision is over by itself: too many children had to be started anew.
    ///
    /// # Cancel safety
    ///
    /// Waits only; dropping it changes nothing.
    pub async fn ended(&self) -> SupervisionEnd {
        let mut end = self.end.clone();
        let ended = end.wait_for(Option::is_some).await;
        let ended = ended.ok().and_then(|end| end.clone());
        ended.unwrap_or(SupervisionEnd::Stopped)
    }
}

impl Default for Supervision {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Supervision {
    fn drop(&mut self) {
        // The keeper owns the children, and each of them stops its peer when it is dropped.
        self.keeper.abort();
    }
}

impl fmt::Debug for Supervision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervision")
            .field("names", &self.names())
            .finish_non_exhaustive()
    }
}

/// How many orders may wait while a child is stopped.
const ORDERS: usize = 16;

/// How many reports may wait for a slow reader.
const REPORTS: usize = 64;

/// Held for a few instructions.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
