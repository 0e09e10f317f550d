use std::time::SystemTime;

use serde::de::DeserializeOwned;
use spell_message::{
    Dict, Feature, IntoUri, PublicationId, RoleName, SubscriptionId, Value, ValueError,
};
use spell_serializer::DecodeError;

use super::{Meta, MetaCall, MetaDecodeError, decode::Arguments};

impl<'a> Meta<'a> {
    /// Events of the past, of one subscription, the oldest first. What a router keeps, and for how
    /// long, is its own affair; so is how many it gives at once.
    ///
    /// All limits that are set hold together. Crossbar.io serves this without announcing it, see
    /// [`unannounced`](Self::unannounced); it knows [`limit`](MetaCall::limit) alone, and gives the
    /// newest first.
    ///
    /// `wamp.subscription.get_events`
    ///
    /// ```
    /// # use spell_peer::PeerBuilder;
    /// # use spell_roles::{Caller, Session, Subscriber};
    /// # use spell_message::SubscriptionId;
    /// use std::time::{Duration, SystemTime};
    /// use spell_roles::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let router = spell_router::Router::local();
    /// # let peer = PeerBuilder::new(Session::new("com.example.realm")).role(Caller::new());
    /// # let peer = peer.role(Subscriber::new()).connect(router.connector()).await?;
    /// let prices = peer.subscribe("com.example.price").await?;
    /// let subscription = prices.id().ok_or("no session")?;
    ///
    /// let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    /// let events = peer.meta().subscription_get_events(subscription);
    /// match events.from_time(hour_ago).reverse(true).limit(10).await {
    ///     Ok(events) => for event in events {
    ///         println!("{:?}: {}", event.timestamp(), event.value::<u32>()?);
    ///     },
    ///     Err(error) => println!("there is no history: {error}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// WAMP spec, "Event History".
    pub fn subscription_get_events(
        self,
        subscription: SubscriptionId,
    ) -> MetaCall<'a, Vec<HistoricEvent>, HistoryFilter> {
        let needs = (RoleName::Broker, Feature::EventHistory);
        let args = [subscription.into()];
        self.call("wamp.subscription.get_events", needs, args, events)
    }
}

/// The list is all results, or the only one: the specification leaves that open.
fn events(arguments: &mut Arguments) -> Result<Vec<HistoricEvent>, MetaDecodeError> {
    let mut results = arguments.rest();
    if let [Value::List(_) | Value::Null] = results.as_slice() {
        results = match results.pop() {
            Some(Value::List(events)) => events,
            _ => Vec::new(),
        };
    }
    let events = results.into_iter();
    events
        .map(|event| HistoricEvent::read(arguments, event))
        .collect()
}

/// Marks a [`MetaCall`] that asks for events of the past.
#[derive(Debug)]
#[non_exhaustive]
pub struct HistoryFilter;

impl<T> MetaCall<'_, T, HistoryFilter> {
    /// Whether the newest comes first; default no.
    pub fn reverse(self, reverse: bool) -> Self {
        self.option("reverse", reverse)
    }

    /// No more events than this, which must be at least 1; the router's default is its own.
    pub fn limit(self, limit: u64) -> Self {
        self.option("limit", limit)
    }

    /// Only events of this time or later.
    pub fn from_time(self, time: impl Into<HistoryTime>) -> Self {
        self.time("from_time", time.into())
    }

    /// Only events later than this time.
    pub fn after_time(self, time: impl Into<HistoryTime>) -> Self {
        self.time("after_time", time.into())
    }

    /// Only events earlier than this time.
    pub fn before_time(self, time: impl Into<HistoryTime>) -> Self {
        self.time("before_time", time.into())
    }

    /// Only events of this time or earlier.
    pub fn until_time(self, time: impl Into<HistoryTime>) -> Self {
        self.time("until_time", time.into())
    }

    /// Only events of this topic; for subscriptions to a pattern.
    pub fn topic(self, topic: impl IntoUri) -> Self {
        self.uri_option("topic", topic.into_uri())
    }

    /// Only this publication and those after it.
    pub fn from_publication(self, publication: PublicationId) -> Self {
        self.option("from_publication", publication)
    }

    /// Only publications after this one.
    pub fn after_publication(self, publication: PublicationId) -> Self {
        self.option("after_publication", publication)
    }

    /// Only publications before this one.
    pub fn before_publication(self, publication: PublicationId) -> Self {
        self.option("before_publication", publication)
    }

    /// Only this publication and those before it.
    pub fn until_publication(self, publication: PublicationId) -> Self {
        self.option("until_publication", publication)
    }

    fn time(self, key: &str, time: HistoryTime) -> Self {
        self.option(key, time.0)
    }
}

/// A time as the history of events takes it: a text as in RFC 3339, or a [`SystemTime`].
///
/// A text is sent as it is, and the router judges it. A [`SystemTime`] is sent in UTC, to the
/// nanosecond; before 1970 and after 9999, where nothing was or will be published, as the nearest
/// time in between.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use spell_roles::HistoryTime;
///
/// let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_500);
/// assert_eq!(HistoryTime::from(time), HistoryTime::from("1970-01-01T00:00:01.5Z"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HistoryTime(String);

impl From<SystemTime> for HistoryTime {
    fn from(time: SystemTime) -> Self {
        let time = time.max(SystemTime::UNIX_EPOCH);
        let time = jiff::Timestamp::try_from(time).unwrap_or(jiff::Timestamp::MAX);
        Self(time.to_string())
    }
}

impl From<String> for HistoryTime {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for HistoryTime {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// An event of the past. Its arguments are decoded when they are asked for.
///
/// WAMP spec, "Event History".
#[derive(Clone, Debug, PartialEq)]
pub struct HistoricEvent {
    publication: PublicationId,
    event: Dict,
}

impl HistoricEvent {
    fn read(arguments: &Arguments, event: Value) -> Result<Self, MetaDecodeError> {
        let event = arguments.field("event", event).dict()?;
        Ok(Self {
            publication: arguments.entry(&event, "publication").id()?,
            event,
        })
    }

    /// The id of the publication.
    pub fn publication(&self) -> PublicationId {
        self.publication
    }

    /// When it was published, as a text in RFC 3339. Several events may have the same time, and a
    /// router's clock may be set back.
    pub fn timestamp(&self) -> Option<&str> {
        self.event.get("timestamp")?.as_str()
    }

    /// The subscription that it was kept for.
    pub fn subscription(&self) -> Option<SubscriptionId> {
        let id = self.event.get("subscription")?.as_u64()?;
        SubscriptionId::new(id).ok()
    }

    /// The topic it was published to, if the router tells, as it does for a pattern.
    pub fn topic(&self) -> Option<&str> {
        let told = self.details().and_then(|details| details.get("topic"));
        told.or_else(|| self.event.get("topic"))?.as_str()
    }

    /// The details that the EVENT had, such as who published.
    pub fn details(&self) -> Option<&Dict> {
        self.event.get("details")?.as_dict()
    }

    /// The positional arguments, as a tuple, a list, or a struct read in order.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Args`] if they are not of this type.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        let args = self.present("args").cloned();
        let args = args.unwrap_or_else(|| Value::List(Vec::new()));
        read(&args).map_err(|source| DecodeError::Args {
            source: source.into(),
        })
    }

    /// The only positional argument.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Args`] if it is not of this type, or not the only one.
    pub fn value<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.args().map(|(value,)| value)
    }

    /// The keyword arguments, as a struct or a map.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Kwargs`] if they are not of this type.
    pub fn kwargs<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        let kwargs = self.present("kwargs").cloned();
        let kwargs = kwargs.unwrap_or_else(|| Value::Dict(Dict::new()));
        read(&kwargs).map_err(|source| DecodeError::Kwargs {
            source: source.into(),
        })
    }

    /// All of it, what has no method here among it.
    pub fn as_dict(&self) -> &Dict {
        &self.event
    }

    fn present(&self, key: &str) -> Option<&Value> {
        self.event.get(key).filter(|value| !value.is_null())
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, ValueError> {
    T::deserialize(value)
}
