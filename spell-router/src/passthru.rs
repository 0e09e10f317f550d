//! Payloads that pass through without being looked into: what the router hands on of them.
//!
//! The payload itself is one binary, which goes where any payload goes. How it is to be read stands
//! in the options, from where it goes into the details that the receiver gets.
//!
//! WAMP spec, "Payload Passthru Mode".

use spell_message::{
    Dict, Feature, Message, RoleName, Value,
    options::{ErrorDetails, EventDetails, InvocationDetails, ResultDetails},
};

use crate::{announced::Announced, error::Violation};

const FEATURE: Feature = Feature::PayloadPassthruMode;

/// Whether these options are of a payload that passes through.
///
/// WAMP spec, "`ppt_scheme` Attribute": where it is not empty.
pub(crate) fn is_used(options: &Dict) -> bool {
    let scheme = options.get("ppt_scheme").and_then(Value::as_str);
    scheme.is_some_and(|scheme| !scheme.is_empty())
}

/// Whether a client announced the mode for this role.
pub(crate) fn is_announced(announced: Announced, role: RoleName) -> bool {
    announced.supports(role, FEATURE)
}

/// Its use is a violation for who did not announce it.
///
/// WAMP spec, "Payload Passthru Mode": so it says of CALL, PUBLISH and YIELD, and not of ERROR.
pub(crate) fn check(message: &Message, announced: Announced) -> Result<(), Violation> {
    let (options, role) = match message {
        Message::Publish(message) => (message.options.as_dict(), RoleName::Publisher),
        Message::Call(message) => (message.options.as_dict(), RoleName::Caller),
        Message::Yield(message) => (message.options.as_dict(), RoleName::Callee),
        _ => return Ok(()),
    };
    if is_used(options) && !is_announced(announced, role) {
        return Err(Violation::Unannounced("payload passthru mode"));
    }
    Ok(())
}

/// Details that tell a receiver how a payload is to be read.
pub(crate) trait Attributed: Sized {
    fn dict(&self) -> &Dict;
    fn from_dict(dict: Dict) -> Self;

    /// Take over what these options say of the payload.
    fn describe(&mut self, options: &Dict) {
        let told = options
            .iter()
            .filter(|(key, _)| SPECIFIED.contains(key) || OLDER.contains(key));
        let mut dict = None;
        for (key, value) in told {
            let dict = dict.get_or_insert_with(|| self.dict().clone());
            dict.insert(key, value.clone());
        }
        if let Some(dict) = dict {
            *self = Self::from_dict(dict);
        }
    }

    /// What a receiver is told that announced the mode, or did not.
    ///
    /// The older form of the attributes says that the payload is a bare binary without a list, which
    /// only those can read who know of it; all others get the list of the specification.
    fn told_to(self, knows: bool) -> Self {
        if knows || !OLDER.iter().any(|key| self.dict().contains_key(key)) {
            return self;
        }
        let dict = self.dict().clone().into_iter();
        Self::from_dict(
            dict.filter(|(key, _)| !OLDER.contains(&key.as_str()))
                .collect(),
        )
    }
}

macro_rules! attributed {
    ($($Details:ident)*) => { $(
        impl Attributed for $Details {
            fn dict(&self) -> &Dict {
                self.as_dict()
            }

            fn from_dict(dict: Dict) -> Self {
                // Both the options and the details were right, and mean the same by these keys.
                Self::from_dict(dict).unwrap_or_default()
            }
        }
    )* };
}

attributed! { ErrorDetails EventDetails InvocationDetails ResultDetails }

const SPECIFIED: [&str; 4] = ["ppt_scheme", "ppt_serializer", "ppt_cipher", "ppt_keyid"];

/// What Autobahn and Crossbar.io have instead.
const OLDER: [&str; 3] = ["enc_algo", "enc_key", "enc_serializer"];
