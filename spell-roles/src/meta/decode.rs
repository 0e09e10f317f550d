//! Reads what meta procedures give and meta topics tell.
//!
//! Strict in what a value cannot do without, the ids above all, and lenient in the rest: routers
//! leave some of it out, and add to it.

use spell_message::{Dict, List, Payload, Value};
use spell_serializer::PayloadExt;

use super::MetaDecodeError;

type Decoded<T> = Result<T, MetaDecodeError>;

/// The positional arguments of a result or an event, taken in their order.
#[derive(Debug)]
pub(super) struct Arguments {
    uri: &'static str,
    args: std::vec::IntoIter<Value>,
}

impl Arguments {
    /// `uri` names the procedure or the topic, for errors.
    pub(super) fn new(uri: &'static str, payload: &Payload) -> Decoded<Self> {
        let args: Result<List, _> = payload.parse_args();
        let args = args.map_err(|error| MetaDecodeError::undecodable(uri, error))?;
        Ok(Self {
            uri,
            args: args.into_iter(),
        })
    }

    /// The next one, by its name in the specification.
    pub(super) fn next(&mut self, name: &'static str) -> Field {
        let value = self.args.next();
        self.field(name, value.unwrap_or_default())
    }

    /// All that are left.
    pub(super) fn rest(&mut self) -> List {
        self.args.by_ref().collect()
    }

    /// An entry of one of them.
    pub(super) fn entry(&self, dict: &Dict, name: &'static str) -> Field {
        let value = dict.get(name).cloned();
        self.field(name, value.unwrap_or_default())
    }

    /// A value that was found in them.
    pub(super) fn field(&self, name: &'static str, value: Value) -> Field {
        Field {
            uri: self.uri,
            name,
            value,
        }
    }
}

/// A value with its name. What is absent is null: some routers send that for what they do not know.
#[derive(Debug)]
pub(super) struct Field {
    uri: &'static str,
    name: &'static str,
    value: Value,
}

impl Field {
    pub(super) fn id<I: TryFrom<u64>>(self) -> Decoded<I> {
        let id = id(&self.value);
        id.ok_or_else(|| self.error("an id from 1 to 2^53"))
    }

    /// An id, or `None` for null.
    pub(super) fn optional_id<I: TryFrom<u64>>(self) -> Decoded<Option<I>> {
        match self.value {
            Value::Null => Ok(None),
            _ => self.id().map(Some),
        }
    }

    pub(super) fn ids<I: TryFrom<u64>>(self) -> Decoded<Vec<I>> {
        let ids = self.value.as_list();
        let ids = ids.and_then(|list| list.iter().map(id).collect());
        ids.ok_or_else(|| self.error("a list of ids from 1 to 2^53"))
    }

    /// A list of ids, or an empty one for null.
    pub(super) fn optional_ids<I: TryFrom<u64>>(self) -> Decoded<Vec<I>> {
        match self.value {
            Value::Null => Ok(Vec::new()),
            _ => self.ids(),
        }
    }

    pub(super) fn count(self) -> Decoded<u64> {
        let count = self.value.as_u64();
        count.ok_or_else(|| self.error("an integer that is not negative"))
    }

    /// How many, if the router tells.
    pub(super) fn optional_count(self) -> Option<u64> {
        self.value.as_u64()
    }

    pub(super) fn text(self) -> Decoded<String> {
        match self.value {
            Value::String(text) => Ok(text),
            _ => Err(self.error("a string")),
        }
    }

    /// A text; `None` for anything else.
    pub(super) fn optional_text(self) -> Option<String> {
        match self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn dict(self) -> Decoded<Dict> {
        match self.value {
            Value::Dict(dict) => Ok(dict),
            _ => Err(self.error("a dictionary")),
        }
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    pub(super) fn error(&self, expected: &'static str) -> MetaDecodeError {
        match self.value {
            Value::Null => MetaDecodeError::missing(self.uri, self.name),
            _ => MetaDecodeError::wrong(self.uri, self.name, expected),
        }
    }
}

fn id<I: TryFrom<u64>>(value: &Value) -> Option<I> {
    I::try_from(value.as_u64()?).ok()
}
