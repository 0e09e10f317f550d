use std::time::{Duration, Instant};

use spell_message::{Uri, reason};

/// What is done when a procedure cannot be restored because another session has it.
///
/// That session is most often this peer's own last one: a router that was not told of the loss keeps
/// it, and its registrations, until it notices. The first time that a procedure is registered, a
/// conflict is simply an error.
///
/// WAMP spec, "Registering and Unregistering".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conflict {
    /// Try again, soon and then less often, for up to this long in each session. The default, for
    /// 60 s.
    Wait(Duration),
    /// Take the procedure from who has it, by the option `force_reregister`, which Crossbar.io and
    /// the embedded router know, this one for the same authenticated identity or as its realm says;
    /// if the router does not, that fails like [`Fail`](Self::Fail).
    Replace,
    /// The registration ends with [`NotRestored`](super::RegistrationEnd::NotRestored).
    Fail,
}

impl Default for Conflict {
    fn default() -> Self {
        Self::Wait(Duration::from_secs(60))
    }
}

/// A conflict under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contest {
    /// Until when it is waited out.
    until: Instant,
    /// How long the next wait is.
    delay: Duration,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    TryAt(Instant),
    Force,
    GiveUp,
}

impl Contest {
    /// Another session has the procedure; `contest` is what is known since it was so first.
    pub(super) fn decide(contest: &mut Option<Self>, conflict: Conflict, now: Instant) -> Move {
        let is_first = contest.is_none();
        let limit = match conflict {
            Conflict::Wait(limit) => limit,
            Conflict::Replace | Conflict::Fail => Duration::ZERO,
        };
        let contest = contest.get_or_insert_with(|| Self {
            // A limit beyond all time is none; a year is as good.
            until: now.checked_add(limit.min(LONGEST)).unwrap_or(now),
            delay: FIRST_DELAY,
        });
        if conflict == Conflict::Replace && is_first {
            return Move::Force;
        }
        if now >= contest.until {
            return Move::GiveUp;
        }
        let next = now.checked_add(contest.delay).unwrap_or(now);
        contest.delay = contest.delay.saturating_mul(2).min(LAST_DELAY);
        Move::TryAt(next.min(contest.until))
    }
}

/// Whether a REGISTER was refused because someone else has the procedure.
pub(super) fn is_conflict(error: &Uri) -> bool {
    *error == reason::PROCEDURE_ALREADY_EXISTS || *error == DIFFERENT_POLICY
}

/// What Autobahn has for a procedure that is shared in another way.
const DIFFERENT_POLICY: &str = "wamp.error.procedure_exists_with_different_invocation_policy";

const FIRST_DELAY: Duration = Duration::from_millis(250);
const LAST_DELAY: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
