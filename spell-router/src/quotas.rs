//! How much one session may have at a time, and how much a realm keeps for later.

/// The error of a request that would give its session more of something than the router lets it
/// have, or more invocations to its callee; see [`RouterBuilder`](crate::RouterBuilder).
///
/// The specification predefines no URI for that, so this one is this router's own.
pub const LIMIT_EXCEEDED: &str = "spell.error.limit_exceeded";

/// How much one session may have at a time, and how much a realm keeps for later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quotas {
    pub(crate) subscriptions: usize,
    pub(crate) registrations: usize,
    /// Calls that it made and that are not answered.
    pub(crate) calls: usize,
    /// Calls made to it that it has not answered.
    pub(crate) invocations: usize,
    /// Bytes of arguments of its calls that are kept to call another callee with.
    pub(crate) kept: usize,
    /// What is to be published once it is over.
    pub(crate) testaments: Room,
    /// What a realm retains.
    pub(crate) retained: Room,
}

/// How many events are kept, and how much memory they take together, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            subscriptions: 65_536,
            registrations: 65_536,
            calls: 65_536,
            invocations: 65_536,
            kept: 16 << 20,
            testaments: Room {
                events: 1_024,
                bytes: 1 << 20,
            },
            retained: Room {
                events: 10_000,
                bytes: 16 << 20,
            },
        }
    }
}
