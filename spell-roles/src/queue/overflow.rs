/// What becomes of an item when its queue is full.
///
/// Decided at once: but for [`Wait`](Self::Wait), the connection never waits for a slow consumer,
/// and no other consumer does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overflow {
    /// The item that comes is lost; what waits stays. The default of subscriptions.
    #[default]
    DropNewest,
    /// The items that have waited longest are lost, as many as it takes.
    DropOldest,
    /// Only the newest item waits: each one replaces the one before it, if that was not read yet.
    /// For values of which only the last counts. One item is the limit here, whatever the count.
    KeepLatest,
    /// The item that comes is lost, and the stream ends; what waits can still be read. The default
    /// of calls with progressive results.
    End,
    /// Nothing is lost: while the queue is full, nothing more is read from the whole connection.
    ///
    /// That delays all that the router sends this peer, other events, results and invocations among
    /// it; the peer goes on to send. In the end the router feels it: it buffers, drops what is for
    /// this peer, or ends the session of a client that does not read or answer its pings; here a lost
    /// connection may be noticed only later. Reading goes on as soon as there is room, or who reads
    /// the queue is dropped.
    ///
    /// Who reads such a queue must not wait there for an answer of the router on the same peer, such
    /// as that of a call or of an acknowledged publication: it could wait behind what is not read,
    /// until its time is up. Ask in another task, or on another peer.
    ///
    /// The queue holds one item more than its bytes allow, rather than lose it.
    Wait,
}

impl Overflow {
    /// Whether the reader may take out all that waits in one go: none of it is displaced any more,
    /// and nobody is to be told when there is room.
    pub(super) fn is_taken_at_once(self) -> bool {
        match self {
            Self::DropNewest | Self::End => true,
            Self::DropOldest | Self::KeepLatest | Self::Wait => false,
        }
    }
}
