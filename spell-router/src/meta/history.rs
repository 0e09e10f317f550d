//! What is asked of the history of a subscription, and what is said of it.

use std::{num::NonZeroUsize, sync::Arc};

use spell_message::{
    Dict, Format, List, MatchPolicy, Payload, PublicationId, RequestId, SubscriptionId, Value,
};
use spell_serializer::{PayloadBuilder, PayloadExt};

use crate::{
    broker::{HistoryQuery, KeptEvent},
    carrier::Undeliverable,
    meta::{
        Refused,
        arguments::{AN_ID, Arguments, checked_uri, wrong},
    },
    timestamp::Timestamp,
};

impl HistoryQuery {
    /// What the keyword arguments say. WAMP spec, "Event History".
    pub(crate) fn read(arguments: &mut Arguments) -> Result<Self, Refused> {
        let topic = arguments.text_keyword("topic")?;
        Ok(Self {
            reverse: arguments.flag_keyword("reverse")?.unwrap_or(false),
            limit: limit(arguments)?,
            from_time: time(arguments, "from_time")?,
            after_time: time(arguments, "after_time")?,
            before_time: time(arguments, "before_time")?,
            until_time: time(arguments, "until_time")?,
            topic: topic.map(|text| checked_uri(&text, "topic")).transpose()?,
            from_publication: publication(arguments, "from_publication")?,
            after_publication: publication(arguments, "after_publication")?,
            before_publication: publication(arguments, "before_publication")?,
            until_publication: publication(arguments, "until_publication")?,
        })
    }
}

fn limit(arguments: &mut Arguments) -> Result<Option<NonZeroUsize>, Refused> {
    let Some(value) = arguments.keyword("limit") else {
        return Ok(None);
    };
    let number = value.as_u64().filter(|number| *number > 0);
    let number = number.ok_or_else(|| wrong("limit", "a positive integer"))?;
    // There is never more than the address space holds.
    let most = usize::try_from(number).unwrap_or(usize::MAX);
    Ok(NonZeroUsize::new(most))
}

fn time(arguments: &mut Arguments, name: &str) -> Result<Option<Timestamp>, Refused> {
    let Some(text) = arguments.text_keyword(name)? else {
        return Ok(None);
    };
    let time = text.parse();
    time.map(Some)
        .map_err(|_| wrong(name, "a time as RFC 3339 has it"))
}

fn publication(arguments: &mut Arguments, name: &str) -> Result<Option<PublicationId>, Refused> {
    let Some(value) = arguments.keyword(name) else {
        return Ok(None);
    };
    let id = value.as_u64().and_then(|id| PublicationId::new(id).ok());
    id.map(Some).ok_or_else(|| wrong(name, AN_ID))
}

/// Events of the past, on their way to who asked for them.
#[derive(Debug)]
pub(crate) struct EventsWork {
    pub(crate) request: RequestId,
    pub(crate) subscription: SubscriptionId,
    pub(crate) policy: MatchPolicy,
    pub(crate) events: Vec<Arc<KeptEvent>>,
    /// What they are to be written in.
    pub(crate) format: Format,
}

impl EventsWork {
    /// The arguments of the result: each event is one. It takes as long as they are large.
    ///
    /// WAMP spec, "Event History".
    pub(crate) fn finish(&self) -> Result<Payload, Refused> {
        let events = self
            .events
            .iter()
            .map(|event| Value::from(self.describe(event)));
        let args: List = events.collect();
        let payload = PayloadBuilder::new(self.format).args(&args).finish();
        payload.map_err(|_| Refused::undeliverable(Undeliverable::NotExpressible))
    }

    fn describe(&self, event: &KeptEvent) -> Dict {
        let mut details = event.details.clone();
        if self.policy != MatchPolicy::Exact {
            details.set_topic(&event.topic);
        }
        let mut described = Dict::from([
            ("timestamp", Value::from(event.published.to_string())),
            ("subscription", self.subscription.into()),
            ("publication", event.publication.into()),
            ("details", details.into_dict().into()),
        ]);
        // A format that this router cannot read, it cannot have taken the arguments in.
        if !event.payload.args().is_empty()
            && let Ok(args) = event.payload.parse_args::<List>()
        {
            described.insert("args", args);
        }
        if !event.payload.kwargs().is_empty()
            && let Ok(kwargs) = event.payload.parse_kwargs::<Dict>()
        {
            described.insert("kwargs", kwargs);
        }
        described
    }
}
