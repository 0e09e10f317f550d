//! A payload that is no list: one binary that stands where the arguments should.
//!
//! The specification has a payload that passes through as one binary in the list of arguments.
//! Autobahn and Crossbar.io, whose form is older, send the binary without a list and mark it by
//! options of their own. Here both are the list; what tells them apart is in the options, so a
//! message with that mark is written as it was read.

use spell_message::{Dict, Message, Value, message::Kind};

use super::element::{Element, Shape};

/// Whether a payload without a list may stand in a message of this kind, whose elements between its
/// code and its arguments are these.
pub(crate) fn may_be_bare<E: Element>(kind: Kind, elements: &[E], args: &E) -> bool {
    let options = match kind {
        Kind::Publish | Kind::Call | Kind::Result | Kind::Yield => elements.get(1),
        Kind::Event | Kind::Invocation | Kind::Error => elements.get(2),
        _ => None,
    };
    matches!(args.shape(), Shape::Bytes | Shape::Text)
        && options.is_some_and(|options| options.dict().is_ok_and(|options| is_marked(&options)))
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
