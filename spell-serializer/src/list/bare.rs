//! A payload that is no list: one binary that stands where the arguments should.
//!
//! The specification has a payload that passes through as one binary in the list of arguments.
//! Autobahn and Crossbar.io, whose form is older, send the binary without a list and mark it by
//! options of their own. Here both are the list; what tells them apart is in the options, so a
//! message with that mark is written as it was read.

use spell_message::{Dict, Message, Value, message::Kind};

use super::element::{Element, Shape};

/// Whether the payload of a message may stand there without a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    No,
    Yes,
}

impl Bare {
    /// In a message of this kind, with these options.
    #[inline]
    pub(super) fn of(kind: Kind, options: &Dict) -> Self {
        if options.is_empty() || place_of_options(kind).is_none() || !is_marked(options) {
            return Self::No;
        }
        Self::Yes
    }

    /// In a message of this kind, whose elements between its code and its arguments are these.
    pub(crate) fn among<E: Element>(kind: Kind, elements: &[E]) -> Self {
        let options = place_of_options(kind).and_then(|place| elements.get(place));
        let options = options.and_then(|options| options.dict().ok());
        options.map_or(Self::No, |options| Self::of(kind, &options))
    }

    /// Whether this is such a payload.
    #[inline]
    pub(crate) fn allows<E: Element>(self, args: &E) -> bool {
        self == Self::Yes && matches!(args.shape(), Shape::Bytes | Shape::Text)
    }
}

/// Where the options stand after the code, in the messages whose payload may have no list.
fn place_of_options(kind: Kind) -> Option<usize> {
    match kind {
        Kind::Publish | Kind::Call | Kind::Result | Kind::Yield => Some(1),
        Kind::Event | Kind::Invocation | Kind::Error => Some(2),
        _ => None,
    }
}

/// Whether the options of a message say that its payload stands there without a list.
pub(super) fn is_bare(message: &Message) -> bool {
    let options = match message {
        Message::Publish(m) => m.options.as_dict(),
        Message::Event(m) => m.details.as_dict(),
        Message::Call(m) => m.options.as_dict(),
        Message::Result(m) => m.details.as_dict(),
        Message::Invocation(m) => m.details.as_dict(),
        Message::Yield(m) => m.options.as_dict(),
        Message::Error(m) => m.details.as_dict(),
        _ => return false,
    };
    is_marked(options)
}

/// Whether the options name an algorithm that Autobahn knows, or one of a user.
fn is_marked(options: &Dict) -> bool {
    let algorithm = options.get("enc_algo").and_then(Value::as_str);
    algorithm
        .is_some_and(|name| matches!(name, "cryptobox" | "mqtt" | "xbr") || name.starts_with("x_"))
}
