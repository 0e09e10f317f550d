use std::time::Duration;

/// How long a question to the router and its answer took, together.
///
/// It is measured when the peer asks a silent router whether it is there, see
/// [`PeerConfig::keep_alive`](crate::PeerConfig::keep_alive), by a ping of the transport or by a
/// request; what waited for the wire before the question counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundTripTime {
    last: Duration,
    smoothed: Duration,
}

impl RoundTripTime {
    /// The first one that was measured.
    pub(crate) fn first(time: Duration) -> Self {
        Self {
            last: time,
            smoothed: time,
        }
    }

    /// One more was measured.
    pub(crate) fn followed_by(self, time: Duration) -> Self {
        let kept = self.smoothed.saturating_mul(WEIGHT.saturating_sub(1));
        let sum = kept.saturating_add(time);
        Self {
            last: time,
            smoothed: sum.checked_div(WEIGHT).unwrap_or(time),
        }
    }

    /// The one measured last.
    pub fn last(&self) -> Duration {
        self.last
    }

    /// The average of this session, in which each new one counts an eighth: that of TCP, RFC 6298.
    pub fn smoothed(&self) -> Duration {
        self.smoothed
    }
}

/// What the average so far and a new one weigh together.
const WEIGHT: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_time_counts_an_eighth_of_the_average() {
        let first = RoundTripTime::first(Duration::from_millis(80));
        assert_eq!(
            (first.last(), first.smoothed()),
            (first.last(), first.last())
        );
        let second = first.followed_by(Duration::from_millis(160));
        assert_eq!(second.last(), Duration::from_millis(160));
        assert_eq!(second.smoothed(), Duration::from_millis(90));
    }
}
