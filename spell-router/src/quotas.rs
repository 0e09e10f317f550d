//! How much one session may have at a time.

/// The error of a request that would give its session more of something than the router lets it
/// have, or more invocations to its callee; see [`RouterBuilder`](crate::RouterBuilder).
///
/// The specification predefines no URI for that, so this one is this router's own.
pub const LIMIT_EXCEEDED: &str = "spell.error.limit_exceeded";

/// How much one session may have at a time.
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
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            subscriptions: 65_536,
            registrations: 65_536,
            calls: 65_536,
            invocations: 65_536,
            kept: 16 << 20,
        }
    }
}
