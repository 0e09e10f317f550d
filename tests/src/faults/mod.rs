//! A proxy on loopback that does to connections what networks do to them.
//!
//! It stands between clients and a router that both speak TCP, and knows nothing of what they say. [`Faults`] sets at
//! any time what happens to each direction, on the connections that are open and on those to come. Where chance is
//! involved it comes from the proxy's seed.
//!
//! ```no_run
//! use spell_tests::faults::{Cut, Direction, Fault, FaultProxy};
//!
//! # async fn example() -> std::io::Result<()> {
//! let proxy = FaultProxy::start("rs://127.0.0.1:8080", 1).await?;
//! let url = proxy.url(); // to be given to a client
//! // The router's next message breaks off after three bytes, by a reset.
//! proxy.set(Direction::ToClient, Fault::CutAfter(3, Cut::Reset));
//! # let _ = url;
//! # Ok(()) }
//! ```

mod connection;
mod pump;
#[cfg(test)]
mod tests;

use std::{
    fmt, io,
    ops::Deref,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{broadcast, watch},
    task::{AbortHandle, JoinSet},
};

use self::connection::Connection;

/// One way through the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Direction {
    /// What the client says.
    ToRouter,
    /// What the router says.
    ToClient,
}

/// What becomes of the bytes that go in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the tests choose among them")]
pub enum Fault {
    /// Nothing: they arrive.
    #[default]
    None,
    /// They are taken and never arrive, and neither does the end of the connection: half of it is gone.
    Swallow,
    /// They are not taken, so that the sender's buffers fill.
    Stall,
    /// Each piece that is read arrives up to so much later, by chance, and holds up what comes after it.
    Slow(Duration),
    /// They arrive in pieces of so many bytes at most, by chance; 1 gives single bytes.
    Split(usize),
    /// No more than so many arrive in a second.
    Limit(usize),
    /// So many more arrive, then the connection is cut. Counted for each connection by itself, from this setting on.
    CutAfter(u64, Cut),
    /// So many more arrive, and what follows is [swallowed](Self::Swallow). Counted as for a cut.
    SwallowAfter(u64),
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "TCP knows these two")]
pub enum Cut {
    /// By RST to both sides, as of a process that died with unread bytes, or a firewall.
    Reset,
    /// By FIN to both sides, as of a process that ended.
    Finish,
}

/// A proxy for one router. It ends with this value, and all its connections with it, by a reset.
#[derive(Debug)]
pub struct FaultProxy {
    faults: Faults,
    url: String,
    accepting: AbortHandle,
}

impl FaultProxy {
    /// Starts a proxy in front of the router at `router`, a `ws`, `wss`, `rs` or `rss` URL with a port. What is left to
    /// chance goes by `seed`.
    ///
    /// # Errors
    ///
    /// If it cannot listen, or if the URL has no port.
    pub async fn start(router: &str, seed: u64) -> io::Result<Self> {
        let address = address(router)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let own = format!("127.0.0.1:{}", listener.local_addr()?.port());
        let url = router.replacen(address, &own, 1);
        let faults = Faults(Arc::new(Shared {
            router: Mutex::new(address.to_owned()),
            settings: watch::Sender::new(Settings::default()),
            cuts: broadcast::Sender::new(1),
            counts: Counts::default(),
            chunks: Mutex::default(),
            seed,
        }));
        let accepting = tokio::spawn(accept(listener, faults.clone())).abort_handle();
        Ok(Self {
            faults,
            url,
            accepting,
        })
    }

    /// Where a client reaches the router through this proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The handle, for another task.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }
}

impl Deref for FaultProxy {
    type Target = Faults;

    fn deref(&self) -> &Faults {
        &self.faults
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The handle to what a [`FaultProxy`] does. Clones are handles to the same.
#[derive(Clone)]
pub struct Faults(Arc<Shared>);

struct Shared {
    router: Mutex<String>,
    settings: watch::Sender<Settings>,
    cuts: broadcast::Sender<Cut>,
    counts: Counts,
    chunks: Mutex<Vec<(Direction, usize)>>,
    seed: u64,
}

/// What is set, for both directions.
#[derive(Clone, Copy, Debug, Default)]
struct Settings {
    to_router: Fault,
    to_client: Fault,
    refuses: bool,
}

#[derive(Debug, Default)]
struct Counts {
    accepted: AtomicU64,
    open: AtomicU64,
    to_router: AtomicU64,
    to_client: AtomicU64,
    swallowed: AtomicU64,
}

impl Faults {
    /// From now on, this happens in that direction.
    pub fn set(&self, direction: Direction, fault: Fault) {
        self.0
            .settings
            .send_modify(|settings| *settings.of_mut(direction) = fault);
    }

    /// From now on, this happens in both directions.
    pub fn set_both(&self, fault: Fault) {
        self.0.settings.send_modify(|settings| {
            settings.to_router = fault;
            settings.to_client = fault;
        });
    }

    /// From now on, nothing happens to anything.
    pub fn clear(&self) {
        self.0.settings.send_replace(Settings::default());
    }

    /// From now on, who connects is reset at once. Open connections stay.
    pub fn refuse(&self) {
        self.0
            .settings
            .send_modify(|settings| settings.refuses = true);
    }

    /// Ends all connections that are open.
    pub fn cut(&self, how: Cut) {
        // Without a connection there is nobody to hear it.
        let _ = self.0.cuts.send(how);
    }

    /// Leads who connects from now on to another router, as where one was started again. Open connections stay.
    ///
    /// # Errors
    ///
    /// If the URL has no port.
    pub fn lead_to(&self, router: &str) -> io::Result<()> {
        address(router)?.clone_into(&mut lock(&self.0.router));
        Ok(())
    }

    /// How many connections there were.
    pub fn accepted(&self) -> u64 {
        self.0.counts.accepted.load(Ordering::Relaxed)
    }

    /// How many connections there are.
    pub fn open(&self) -> u64 {
        self.0.counts.open.load(Ordering::Relaxed)
    }

    /// How many bytes went through in a direction, on all connections.
    pub fn passed(&self, direction: Direction) -> u64 {
        self.0.counts.passed(direction).load(Ordering::Relaxed)
    }

    /// How many bytes were swallowed, in both directions and on all connections.
    pub fn swallowed(&self) -> u64 {
        self.0.counts.swallowed.load(Ordering::Relaxed)
    }

    /// The sizes of what was read first and went through, in order, on all connections, 1024 at most: between peers
    /// that take turns, one is what one of them said.
    pub fn chunks(&self) -> Vec<(Direction, usize)> {
        lock(&self.0.chunks).clone()
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults")
            .field("settings", &*self.0.settings.borrow())
            .field("counts", &self.0.counts)
            .finish_non_exhaustive()
    }
}

impl Settings {
    fn of(&self, direction: Direction) -> Fault {
        match direction {
            Direction::ToRouter => self.to_router,
            Direction::ToClient => self.to_client,
        }
    }

    fn of_mut(&mut self, direction: Direction) -> &mut Fault {
        match direction {
            Direction::ToRouter => &mut self.to_router,
            Direction::ToClient => &mut self.to_client,
        }
    }
}

impl Counts {
    fn passed(&self, direction: Direction) -> &AtomicU64 {
        match direction {
            Direction::ToRouter => &self.to_router,
            Direction::ToClient => &self.to_client,
        }
    }
}

/// Takes connections until it is aborted, which ends them.
async fn accept(listener: TcpListener, faults: Faults) {
    let mut connections = JoinSet::new();
    loop {
        let client = tokio::select! {
            client = listener.accept() => client,
            Some(_ended) = connections.join_next() => continue,
        };
        // The accepting of one connection fails, if at all, for what the client did.
        let Ok((client, _)) = client else { continue };
        let number = faults.0.counts.accepted.fetch_add(1, Ordering::Relaxed);
        if faults.0.settings.borrow().refuses {
            reset(client);
            continue;
        }
        connections.spawn(Connection::new(client, faults.clone(), number).run());
    }
}

/// Ends a connection by RST.
fn reset(stream: TcpStream) {
    // Where that fails, the connection is gone already.
    let _ = stream.set_zero_linger();
    drop(stream);
}

/// The host and port of a URL.
fn address(url: &str) -> io::Result<&str> {
    let address = url.split_once("://").map(|(_, rest)| rest);
    let address = address.and_then(|rest| rest.split('/').next());
    address
        .filter(|address| address.contains(':'))
        .ok_or_else(|| io::Error::other(format!("{url} has no port")))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
