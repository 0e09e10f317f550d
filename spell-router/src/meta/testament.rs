//! What sessions want published when they are over.

use std::collections::HashMap;

use spell_message::{Payload, RequestId, SessionId, message::Publish, options::PublishOptions};
use spell_serializer::PayloadBuilder;

use crate::{
    meta::{
        Refused,
        arguments::{Arguments, no_uri, wrong},
    },
    outgoing::details_size,
    quotas::{LIMIT_EXCEEDED, Quotas},
};

/// What is published when a session is over, unless it withdraws it before.
///
/// WAMP spec, "Session Testament".
#[derive(Debug)]
pub(crate) struct Testament {
    scope: Scope,
    publish: Publish,
    /// About how many bytes of memory it takes.
    size: usize,
}

/// When a testament is due. Sessions cannot be resumed here, so one follows the other at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Detached,
    Destroyed,
}

/// The testaments of all sessions of a realm.
#[derive(Debug)]
pub(crate) struct Testaments {
    quotas: Quotas,
    by_session: HashMap<SessionId, Vec<Testament>>,
}

impl Testament {
    pub(crate) fn read(arguments: &mut Arguments) -> Result<Self, Refused> {
        let topic = arguments.uri("topic")?;
        if topic.is_reserved() {
            return Err(no_uri("topic"));
        }
        let (args, kwargs) = (arguments.list("args")?, arguments.dict("kwargs")?);
        let scope = Scope::read(arguments)?;
        let options = arguments.dict_keyword("publish_options")?;
        let options = PublishOptions::from_dict(options.unwrap_or_default());
        let options = options.map_err(|error| Refused::option(&error))?;
        let payload = match arguments.format() {
            Some(format) => PayloadBuilder::new(format)
                .args(&args)
                .kwargs(&kwargs)
                .finish(),
            None => Ok(Payload::default()),
        };
        let payload = payload.map_err(|error| Refused::argument(error.to_string()))?;
        let size = payload
            .len()
            .saturating_add(topic.len())
            .saturating_add(details_size(options.as_dict()))
            .saturating_add(size_of::<Self>());
        let publish = Publish {
            request: RequestId::MIN,
            options,
            topic,
            payload,
        };
        Ok(Self {
            scope,
            publish,
            size,
        })
    }
}

impl Scope {
    /// WAMP spec, "Session Testament": `destroyed` is the default.
    pub(crate) fn read(arguments: &mut Arguments) -> Result<Self, Refused> {
        match arguments.text_keyword("scope")?.as_deref() {
            None | Some("destroyed") => Ok(Self::Destroyed),
            Some("detached") => Ok(Self::Detached),
            Some(_) => Err(wrong("scope", r#""detached" or "destroyed""#)),
        }
    }
}

impl Testaments {
    pub(crate) fn new(quotas: Quotas) -> Self {
        Self {
            quotas,
            by_session: HashMap::new(),
        }
    }

    pub(crate) fn add(&mut self, session: SessionId, testament: Testament) -> Result<(), Refused> {
        let known = self.by_session.get(&session).map_or(&[][..], Vec::as_slice);
        let sizes = known.iter().map(|testament| testament.size);
        let bytes = sizes.fold(testament.size, usize::saturating_add);
        let room = self.quotas.testaments;
        if known.len() >= room.events || bytes > room.bytes {
            let explanation = "the session has as many testaments as it may";
            return Err(Refused::because(LIMIT_EXCEEDED, explanation));
        }
        self.by_session.entry(session).or_default().push(testament);
        Ok(())
    }

    /// Withdraws those of one scope.
    pub(crate) fn flush(&mut self, session: SessionId, scope: Scope) {
        if let Some(testaments) = self.by_session.get_mut(&session) {
            testaments.retain(|testament| testament.scope != scope);
            if testaments.is_empty() {
                self.by_session.remove(&session);
            }
        }
    }

    /// Takes what is to be published now that a session is over: what was due when it was detached
    /// before what is due when it is destroyed, each in the order in which it was added.
    ///
    /// WAMP spec, "Session Testament".
    pub(crate) fn take(&mut self, session: SessionId) -> impl Iterator<Item = Publish> + use<> {
        let testaments = self.by_session.remove(&session).unwrap_or_default();
        let (first, then): (Vec<_>, Vec<_>) = testaments
            .into_iter()
            .partition(|testament| testament.scope == Scope::Detached);
        let all = first.into_iter().chain(then);
        all.map(|testament| testament.publish)
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.by_session.is_empty()
    }
}
