//! Moves the bytes of one direction of one connection.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::tcp::{ReadHalf, WriteHalf},
    sync::watch,
    task::yield_now,
    time::sleep,
};

use super::{Cut, Direction, Fault, Faults, Settings, lock};

/// Why a connection ends before both sides have said that they are done.
pub(super) enum Ended {
    /// The proxy was told to.
    Cut(Cut),
    /// One side broke.
    Broken,
}

/// One direction.
pub(super) struct Pump {
    faults: Faults,
    settings: watch::Receiver<Settings>,
    direction: Direction,
    pub(super) chance: fastrand::Rng,
    fault: Fault,
    /// How many bytes go through before the cut, or the silence.
    left: u64,
}

impl Pump {
    pub(super) fn new(faults: &Faults, direction: Direction, number: u64) -> Self {
        let way = match direction {
            Direction::ToRouter => 0,
            Direction::ToClient => 1,
        };
        let seed = faults.0.seed ^ (number.wrapping_mul(2).wrapping_add(way)).rotate_left(32);
        let mut settings = faults.0.settings.subscribe();
        settings.mark_changed();
        Self {
            faults: faults.clone(),
            settings,
            direction,
            chance: fastrand::Rng::with_seed(seed),
            fault: Fault::None,
            left: 0,
        }
    }

    pub(super) async fn run(
        mut self,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
    ) -> Result<(), Ended> {
        let mut buffer = vec![0; BUFFER];
        loop {
            self.follow();
            let room = match self.fault {
                Fault::CutAfter(_, how) if self.left == 0 => return Err(Ended::Cut(how)),
                Fault::CutAfter(..) | Fault::SwallowAfter(_) if self.left > 0 => {
                    usize::try_from(self.left).unwrap_or(BUFFER)
                }
                Fault::Stall => 0,
                Fault::Limit(rate) => (rate / TICKS).max(1),
                _ => BUFFER,
            };
            let room = room.min(buffer.len());
            let Some(space) = buffer.get_mut(..room).filter(|space| !space.is_empty()) else {
                self.changed().await;
                continue;
            };
            let read = tokio::select! {
                // A change concerns what is read after it, however much waits.
                biased;
                () = changed(&mut self.settings) => continue,
                read = from.read(space) => read.map_err(|_| Ended::Broken)?,
            };
            if read == 0 {
                while self.swallows() {
                    self.changed().await;
                    self.follow();
                }
                return to.shutdown().await.map_err(|_| Ended::Broken);
            }
            let bytes = buffer.get(..read).unwrap_or_default();
            self.deliver(bytes, &mut to).await?;
        }
    }

    async fn deliver(&mut self, bytes: &[u8], to: &mut WriteHalf<'_>) -> Result<(), Ended> {
        let mut size = bytes.len();
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.swallows() {
            let swallowed = &self.faults.0.counts.swallowed;
            swallowed.fetch_add(count, Ordering::Relaxed);
            return Ok(());
        }
        match self.fault {
            Fault::Slow(longest) => sleep(longest.mul_f64(self.chance.f64())).await,
            Fault::Limit(_) => sleep(TICK).await,
            Fault::Split(largest) => size = self.chance.usize(1..=largest.max(1)),
            _ => {}
        }
        for piece in bytes.chunks(size) {
            to.write_all(piece).await.map_err(|_| Ended::Broken)?;
            if size < bytes.len() {
                // The other side may look between two pieces.
                yield_now().await;
            }
        }
        self.left = self.left.saturating_sub(count);
        let counts = &self.faults.0.counts;
        counts
            .passed(self.direction)
            .fetch_add(count, Ordering::Relaxed);
        let mut chunks = lock(&self.faults.0.chunks);
        if chunks.len() < CHUNKS {
            chunks.push((self.direction, bytes.len()));
        }
        Ok(())
    }

    /// Takes in what was set last.
    fn follow(&mut self) {
        if self.settings.has_changed().unwrap_or(false) {
            let fault = self.settings.borrow_and_update().of(self.direction);
            if self.fault == fault {
                // The other direction was meant.
                return;
            }
            self.fault = fault;
            if let Fault::CutAfter(bytes, _) | Fault::SwallowAfter(bytes) = fault {
                self.left = bytes;
            }
        }
    }

    /// Whether what is read now goes nowhere.
    fn swallows(&self) -> bool {
        match self.fault {
            Fault::Swallow => true,
            Fault::SwallowAfter(_) => self.left == 0,
            _ => false,
        }
    }

    async fn changed(&mut self) {
        changed(&mut self.settings).await;
    }
}

/// Waits until something is set; what is new stays so.
async fn changed(settings: &mut watch::Receiver<Settings>) {
    if settings.changed().await.is_err() {
        // Who could set something is gone, and the proxy with it.
        std::future::pending::<()>().await;
    }
    settings.mark_changed();
}

/// The most that is moved at once.
const BUFFER: usize = 16 << 10;

/// How many sizes are kept.
const CHUNKS: usize = 1024;

/// How often in a second a limited direction moves something.
const TICKS: usize = 100;
const TICK: Duration = Duration::from_millis(10);
