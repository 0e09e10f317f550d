use std::sync::Arc;

use serde::Deserialize;
use spell_message::{
    Pattern, Payload, PublicationId, SessionId, SubscriptionId, options::EventDetails,
};
use spell_serializer::{DecodeError, PayloadExt};

use super::{Gap, shared::Shared};
use crate::passthru::{Opened, Passthru};

/// Something that was published. Its arguments are decoded when they are asked for.
///
/// Cloning copies no arguments.
///
/// WAMP spec, "EVENT".
#[derive(Clone, Debug)]
pub struct Event {
    message: Shared,
    pattern: Pattern,
    /// What few events have.
    more: Option<Box<More>>,
}

#[derive(Clone, Debug, Default)]
struct More {
    missed: u64,
    gap: Option<Arc<Gap>>,
    is_backfilled: bool,
    /// The arguments, where there is a codec for sealed ones; otherwise they are the message's.
    opened: Option<Opened>,
}

impl Event {
    pub(super) fn new(message: Shared, pattern: Pattern) -> Self {
        Self {
            message,
            pattern,
            more: None,
        }
    }

    /// The subscription id it came for.
    pub(super) fn subscription(&self) -> SubscriptionId {
        self.message.subscription
    }

    /// Open its arguments, if they are sealed and there is a codec for it.
    pub(super) fn open(&mut self, codec: Option<&Passthru>) {
        if codec.is_some() {
            let mut opened = Opened::from(self.message.payload.clone());
            opened.open(self.message.details.as_dict(), codec);
            self.more().opened = Some(opened);
        }
    }

    /// So many were lost before it.
    pub(super) fn set_missed(&mut self, missed: u64) {
        if missed != self.missed() {
            self.more().missed = missed;
        }
    }

    /// It comes after a gap, if after any.
    pub(super) fn set_gap(&mut self, gap: Option<Gap>) {
        if let Some(gap) = gap {
            self.more().gap = Some(Arc::new(gap));
        }
    }

    /// It and a clone of it, for which nothing is copied.
    pub(super) fn twice(mut self) -> (Self, Self) {
        self.message = self.message.into_shared();
        (self.clone(), self)
    }

    /// It comes out of the broker's history.
    pub(super) fn filled(mut self) -> Self {
        self.more().is_backfilled = true;
        self
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    fn opened(&self) -> Option<&Opened> {
        self.more.as_ref()?.opened.as_ref()
    }

    /// The topic it was published to, as the broker tells it; if it does not, that of the
    /// subscription.
    pub fn topic(&self) -> &str {
        let told = self.message.details.topic();
        told.unwrap_or(self.pattern.as_str())
    }

    /// The id of the publication: the same in all events of one PUBLISH, so that those who
    /// subscribed to several patterns can tell which events are one. See
    /// [`PublicationFilter`](super::PublicationFilter).
    pub fn publication(&self) -> PublicationId {
        self.message.publication
    }

    /// The session that published, if the broker discloses it.
    ///
    /// WAMP spec, "Publisher Identification".
    pub fn publisher(&self) -> Option<SessionId> {
        self.message.details.publisher()
    }

    /// The `authid` of who published, if the broker discloses it.
    pub fn publisher_authid(&self) -> Option<&str> {
        self.message.details.publisher_authid()
    }

    /// The `authrole` of who published, if the broker discloses it.
    pub fn publisher_authrole(&self) -> Option<&str> {
        self.message.details.publisher_authrole()
    }

    /// How far the broker trusts the publication, 0 being lowest; `None` if it does not tell.
    ///
    /// WAMP spec, "Publication Trust Levels".
    pub fn trustlevel(&self) -> Option<u64> {
        self.message.details.trustlevel()
    }

    /// Whether the broker had retained it: it was published before the subscription was made. See
    /// [`Subscribe::get_retained`](super::Subscribe::get_retained).
    ///
    /// WAMP spec, "Event Retention".
    pub fn is_retained(&self) -> bool {
        self.message.details.retained() == Some(true)
    }

    /// Where it belongs in a distributed trace, if its publisher said so and the broker hands that
    /// on. See [`Publish::traceparent`](crate::Publish::traceparent).
    pub fn traceparent(&self) -> Option<&str> {
        self.message.details.traceparent()
    }

    /// What goes with [`traceparent`](Self::traceparent).
    pub fn tracestate(&self) -> Option<&str> {
        self.message.details.tracestate()
    }

    /// All that the broker tells beside.
    pub fn details(&self) -> &EventDetails {
        &self.message.details
    }

    /// The positional arguments, as a tuple, a list, or a struct read in order.
    ///
    /// They may borrow from the event, so that no text is copied. A `&str` can be had of MessagePack,
    /// and of JSON and CBOR where the text stands there in one piece, without escapes; `Cow<str>`
    /// with `#[serde(borrow)]` can be had of all.
    ///
    /// ```
    /// # use spell_peer::PeerBuilder;
    /// # use spell_roles::{Publisher, Session, Subscriber};
    /// use spell_roles::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let router = spell_router::Router::local();
    /// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
    /// # let peer = peer.role(Publisher::new()).role(Subscriber::new());
    /// # let peer = peer.connect(router.connector()).await?;
    /// let mut seen = peer.subscribe("com.example.seen").await?;
    /// peer.publish("com.example.seen").arg("a fox").arg(2).exclude_me(false).await?;
    ///
    /// let event = seen.next().await.ok_or("no event")?;
    /// let (what, how_many): (&str, u8) = event.args()?;
    /// assert_eq!((what, how_many), ("a fox", 2));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecodeError::Args`] if they are not of this type.
    pub fn args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        match self.opened() {
            Some(opened) => opened.parse_args(),
            None => self.message.payload.parse_args(),
        }
    }

    /// The only positional argument.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Args`] if it is not of this type, or not the only one.
    pub fn value<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        self.args().map(|(value,)| value)
    }

    /// The keyword arguments, as a struct or a map.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Kwargs`] if they are not of this type.
    pub fn kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        match self.opened() {
            Some(opened) => opened.parse_kwargs(),
            None => self.message.payload.parse_kwargs(),
        }
    }

    /// The arguments, undecoded. Sealed ones that were not opened are as they came, and
    /// [`details`](Self::details) tell how they are sealed: `ppt_scheme` and what goes with it.
    pub fn payload(&self) -> &Payload {
        match self.opened() {
            Some(opened) => opened.payload(),
            None => &self.message.payload,
        }
    }

    /// How many events of this subscription were lost between the one before and this one, because
    /// its queue was full. What was missed without a session is not among them, see
    /// [`gap`](Self::gap).
    pub fn missed(&self) -> u64 {
        self.more.as_ref().map_or(0, |more| more.missed)
    }

    /// Set if the session was lost between the event before and this one: what was published in
    /// between may be missing. [`Subscription::notices`](super::Subscription::notices) tells of it
    /// without an event.
    pub fn gap(&self) -> Option<&Gap> {
        self.more.as_ref()?.gap.as_deref()
    }

    /// Whether it was missed, and comes out of the broker's history; see
    /// [`Subscribe::backfill`](super::Subscribe::backfill).
    pub fn is_backfilled(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.is_backfilled)
    }
}
