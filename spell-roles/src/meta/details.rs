//! What a router tells of registrations and of subscriptions alike.

use spell_message::{Dict, Value};

/// The methods of what is told; `self.id`, `self.uri` and `self.details` are what they read.
macro_rules! details_methods {
    ($Id:ident) => {
        pub(super) fn read(
            name: &'static str,
            arguments: &mut $crate::meta::decode::Arguments,
        ) -> Result<Self, $crate::meta::MetaDecodeError> {
            let details = arguments.next(name).dict()?;
            Ok(Self {
                id: arguments.entry(&details, "id").id()?,
                uri: arguments.entry(&details, "uri").text()?,
                details,
            })
        }

        /// Its id.
        pub fn id(&self) -> $Id {
            self.id
        }

        /// The URI, or the pattern of URIs.
        pub fn uri(&self) -> &str {
            &self.uri
        }

        /// When it was created, as an ISO 8601 text.
        pub fn created(&self) -> Option<&str> {
            self.details.get("created")?.as_str()
        }

        /// How it matches URIs; `None` if that is none of the specification's ways.
        pub fn match_policy(&self) -> Option<spell_message::MatchPolicy> {
            $crate::meta::details::policy(&self.details, "match")
        }

        /// All of it, what has no method here among it.
        pub fn as_dict(&self) -> &spell_message::Dict {
            &self.details
        }
    };
}

pub(super) use details_methods;

/// The policy of this name: the default where none is told, `None` where it is not known.
pub(super) fn policy<P: Default + std::str::FromStr>(details: &Dict, name: &str) -> Option<P> {
    match details.get(name) {
        None | Some(Value::Null) => Some(P::default()),
        Some(policy) => policy.as_str()?.parse().ok(),
    }
}
