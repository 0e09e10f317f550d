//! The arguments of a procedure of the router.

use std::{collections::HashSet, vec};

use spell_message::{
    Dict, Format, InvalidId, List, MatchPolicy, Pattern, Payload, Uri, Value, reason,
};
use spell_serializer::PayloadExt;

use crate::{meta::Refused, realm::LONGEST_URI};

/// The arguments of a procedure of the router, taken one after the other; null counts as absent.
///
/// Keyword arguments that the procedure does not know are ignored, as are unknown options.
#[derive(Debug)]
pub(crate) struct Arguments {
    positional: vec::IntoIter<Value>,
    keywords: Dict,
    format: Option<Format>,
}

impl Arguments {
    pub(crate) fn read(payload: &Payload) -> Result<Self, Refused> {
        let unreadable = |_| Refused::argument("the arguments cannot be read");
        let positional: List = payload.parse_args().map_err(unreadable)?;
        Ok(Self {
            positional: positional.into_iter(),
            keywords: payload.parse_kwargs().map_err(unreadable)?,
            format: payload.format(),
        })
    }

    /// What they were written in.
    pub(crate) fn format(&self) -> Option<Format> {
        self.format
    }

    pub(crate) fn id<I: TryFrom<u64, Error = InvalidId>>(
        &mut self,
        name: &str,
    ) -> Result<I, Refused> {
        let number = self.next().and_then(|value| value.as_u64());
        let id = number.and_then(|number| I::try_from(number).ok());
        id.ok_or_else(|| wrong(name, AN_ID))
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<String, Refused> {
        match self.next() {
            Some(Value::String(text)) => Ok(text),
            _ => Err(wrong(name, "a string")),
        }
    }

    /// A list of strings that may be left out.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Option<HashSet<String>>, Refused> {
        let Some(value) = self.next() else {
            return Ok(None);
        };
        let Value::List(list) = value else {
            return Err(wrong(name, "a list of strings"));
        };
        let texts = list.into_iter().map(|value| match value {
            Value::String(text) => Ok(text),
            _ => Err(wrong(name, "a list of strings")),
        });
        texts.collect::<Result<_, _>>().map(Some)
    }

    pub(crate) fn list(&mut self, name: &str) -> Result<List, Refused> {
        match self.next() {
            Some(Value::List(list)) => Ok(list),
            _ => Err(wrong(name, "a list")),
        }
    }

    pub(crate) fn dict(&mut self, name: &str) -> Result<Dict, Refused> {
        self.optional_dict(name)?
            .ok_or_else(|| wrong(name, "a dictionary"))
    }

    /// A dictionary that may be left out.
    pub(crate) fn optional_dict(&mut self, name: &str) -> Result<Option<Dict>, Refused> {
        as_dict(self.next(), name)
    }

    pub(crate) fn uri(&mut self, name: &str) -> Result<Uri, Refused> {
        checked_uri(&self.text(name)?, name)
    }

    pub(crate) fn keyword(&mut self, name: &str) -> Option<Value> {
        self.keywords.remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text_keyword(&mut self, name: &str) -> Result<Option<String>, Refused> {
        match self.keyword(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name, "a string")),
        }
    }

    pub(crate) fn flag_keyword(&mut self, name: &str) -> Result<Option<bool>, Refused> {
        let flag = self.keyword(name).map(|value| value.as_bool());
        flag.map(|flag| flag.ok_or_else(|| wrong(name, "a boolean")))
            .transpose()
    }

    pub(crate) fn dict_keyword(&mut self, name: &str) -> Result<Option<Dict>, Refused> {
        as_dict(self.keyword(name), name)
    }

    /// All are taken.
    pub(crate) fn end(mut self) -> Result<(), Refused> {
        match self.positional.next() {
            None => Ok(()),
            Some(_) => Err(Refused::argument("there are too many arguments")),
        }
    }

    fn next(&mut self) -> Option<Value> {
        self.positional.next().filter(|value| !value.is_null())
    }
}

/// A pattern that is short enough to be remembered.
pub(crate) fn checked_pattern(
    text: &str,
    policy: MatchPolicy,
    name: &str,
) -> Result<Pattern, Refused> {
    check_length(text, name)?;
    Pattern::new(text, policy).map_err(|_| no_uri(name))
}

/// A URI that is short enough to be remembered.
pub(crate) fn checked_uri(text: &str, name: &str) -> Result<Uri, Refused> {
    check_length(text, name)?;
    Uri::new(text).map_err(|_| no_uri(name))
}

fn check_length(text: &str, name: &str) -> Result<(), Refused> {
    if text.len() <= LONGEST_URI {
        return Ok(());
    }
    let explanation = format!("`{name}` is longer than this router takes");
    Err(Refused::because(reason::INVALID_URI, explanation))
}

pub(crate) fn no_uri(name: &str) -> Refused {
    Refused::because(reason::INVALID_URI, format!("`{name}` is not a valid URI"))
}

pub(crate) fn wrong(name: &str, expected: &str) -> Refused {
    Refused::argument(format!("`{name}` must be {expected}"))
}

/// What ids are.
pub(crate) const AN_ID: &str = "an id from 1 to 2^53";

fn as_dict(value: Option<Value>, name: &str) -> Result<Option<Dict>, Refused> {
    match value {
        None => Ok(None),
        Some(Value::Dict(dict)) => Ok(Some(dict)),
        Some(_) => Err(wrong(name, "a dictionary")),
    }
}
