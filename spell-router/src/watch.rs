//! Whether a client is still there.

use std::time::Duration;

use spell_transport::{KeepAlive, LifeSign, Liveness, Pings, Transport, Verdict};
use tokio::time::Instant;

/// Watches over the client at the other end of a transport that it can be asked by.
///
/// It looks whether something came in once in an interval, and not whenever something does: a client
/// that sends much costs no more than a silent one.
#[derive(Debug)]
pub(crate) struct Watch {
    liveness: Liveness,
    /// How many pings there were.
    pings: u64,
}

impl Watch {
    /// `None` if the client is not to be asked, or cannot be.
    pub(crate) fn begin(
        settings: Option<KeepAlive>,
        transport: &(impl Transport + ?Sized),
    ) -> Option<Self> {
        // Not every client takes pings that are risky, and nothing tells which does.
        let asked = transport.pings() == Pings::Answered;
        let settings = settings.filter(|_| asked)?;
        Some(Self {
            liveness: Liveness::new(settings, now()),
            pings: 0,
        })
    }

    /// Looks whether something came in, and asks if not. Gives when to look again, or how long the
    /// client has been silent once it is to be given up.
    ///
    /// While nothing is read from the client it is `unheard`, and not given up for that.
    pub(crate) fn look(
        &mut self,
        transport: &mut (impl Transport + ?Sized),
        unheard: bool,
    ) -> Result<Option<Instant>, Duration> {
        let now = now();
        if unheard || transport.life_sign() != LifeSign::None {
            self.liveness.heard(now);
        }
        match self.liveness.check(now) {
            Verdict::Wait => {}
            Verdict::Ask => {
                self.pings = self.pings.saturating_add(1);
                transport.ping(self.pings);
            }
            Verdict::Lost { silent_for } => return Err(silent_for),
        }
        Ok(self.liveness.deadline().map(Instant::from_std))
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}
