//! The options and details of the messages.
//!
//! Each is an open dictionary: what the specification names has a typed accessor, whatever else is
//! in it keeps its value and its place and is sent again. A known key with a wrong type or value is
//! an error ([`InvalidOption`]); an unknown one never is.
//!
//! WAMP spec, "Options and Details" and "Protocol Errors".

mod expected;
mod policy;
mod pubsub;
mod rpc;
mod session;
mod trace;

pub use expected::InvalidOption;
pub use policy::{CancelMode, InvocationPolicy};
pub use pubsub::{EventDetails, PublishOptions, SubscribeOptions, UnsubscribedDetails};
pub use rpc::{
    CallOptions, CancelOptions, ErrorDetails, InterruptOptions, InvocationDetails, RegisterOptions,
    ResultDetails, UnregisteredDetails, YieldOptions,
};
pub use session::{AbortDetails, GoodbyeDetails, HelloDetails, WelcomeDetails};

/// Defines one kind of options or details: an ordered dictionary with typed accessors.
///
/// A line `key / set_key: kind;` gives the accessor, the setter and what is expected of the value.
macro_rules! options {
    (
        $(#[$doc:meta])*
        $Name:ident in $place:literal {
            $($(#[$key_doc:meta])* $key:ident / $set:ident: $kind:ident $(as $wire:literal)?;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $Name($crate::Dict);

        impl $Name {
            /// What the specification says of each key, by its name on the wire.
            const EXPECTED: &'static [(&'static str, $crate::options::expected::Expected)] = &[
                $(($crate::options::options!(@wire $key $($wire)?),
                   $crate::options::options!(@expected $kind)),)*
            ];

            /// No options at all.
            pub fn new() -> Self {
                Self::default()
            }

            /// Take a dictionary, whose known keys must hold what the specification says.
            pub fn from_dict(dict: $crate::Dict) -> Result<Self, $crate::options::InvalidOption> {
                $crate::options::expected::check($place, Self::EXPECTED, &dict)?;
                Ok(Self(dict))
            }

            /// All keys, those the specification does not name among them.
            pub fn as_dict(&self) -> &$crate::Dict {
                &self.0
            }

            /// Take the dictionary out.
            pub fn into_dict(self) -> $crate::Dict {
                self.0
            }

            /// Whether nothing is set.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }

            /// Set any key: those that have no accessor of their own, such as `_` and `x_`
            /// extensions. A known key must hold what the specification says.
            pub fn set(
                &mut self,
                key: impl Into<String>,
                value: impl Into<$crate::Value>,
            ) -> Result<&mut Self, $crate::options::InvalidOption> {
                let (key, value) = (key.into(), value.into());
                $crate::options::expected::check_one($place, Self::EXPECTED, &key, &value)?;
                self.0.insert(key, value);
                Ok(self)
            }

            $($crate::options::options!(
                @accessors [$(#[$key_doc])*] $key $set $kind
                ($crate::options::options!(@wire $key $($wire)?))
            );)*
        }
    };

    (@wire $key:ident $wire:literal) => { $wire };
    (@wire $key:ident) => { stringify!($key) };

    (@expected flag) => { $crate::options::expected::Expected::Flag };
    (@expected integer) => { $crate::options::expected::Expected::Integer };
    (@expected text) => { $crate::options::expected::Expected::Text };
    (@expected uri) => { $crate::options::expected::Expected::Uri };
    (@expected id) => { $crate::options::expected::Expected::Id };
    (@expected session) => { $crate::options::expected::Expected::Id };
    (@expected subscription) => { $crate::options::expected::Expected::Id };
    (@expected registration) => { $crate::options::expected::Expected::Id };
    (@expected sessions) => { $crate::options::expected::Expected::Ids };
    (@expected texts) => { $crate::options::expected::Expected::Texts };
    (@expected dict) => { $crate::options::expected::Expected::Dict };
    (@expected dicts) => { $crate::options::expected::Expected::Dicts };
    (@expected roles) => { $crate::options::expected::Expected::Roles };
    (@expected matching) => { $crate::options::expected::Expected::MatchPolicy };
    (@expected invoke) => { $crate::options::expected::Expected::InvocationPolicy };
    (@expected cancel) => { $crate::options::expected::Expected::CancelMode };

    (@accessors [$($doc:tt)*] $key:ident $set:ident flag ($wire:expr)) => {
        $crate::options::options!(@copy [$($doc)*] $key $set bool ($wire) as_bool);
    };
    (@accessors [$($doc:tt)*] $key:ident $set:ident integer ($wire:expr)) => {
        $crate::options::options!(@copy [$($doc)*] $key $set u64 ($wire) as_u64);
    };
    (@accessors [$($doc:tt)*] $key:ident $set:ident text ($wire:expr)) => {
        $($doc)*
        pub fn $key(&self) -> Option<&str> {
            self.0.get($wire)?.as_str()
        }
        #[doc = concat!("Set [`", stringify!($key), "`](Self::", stringify!($key), ").")]
        pub fn $set(&mut self, value: impl Into<String>) -> &mut Self {
            self.0.insert_known($wire, value.into());
            self
        }
    };
    (@accessors [$($doc:tt)*] $key:ident $set:ident uri ($wire:expr)) => {
        $($doc)*
        pub fn $key(&self) -> Option<&str> {
            self.0.get($wire)?.as_str()
        }
        #[doc = concat!("Set [`", stringify!($key), "`](Self::", stringify!($key), ").")]
        pub fn $set(&mut self, value: &$crate::Uri) -> &mut Self {
            self.0.insert_known($wire, value.as_str());
            self
        }
    };
    (@accessors [$($doc:tt)*] $key:ident $set:ident session ($wire:expr)) => {
        $crate::options::options!(@id [$($doc)*] $key $set ($crate::SessionId) ($wire));
    };
    (@accessors [$($doc:tt)*] $key:ident $set:ident subscription ($wire:expr)) => {
        $crate::options::options!(@id [$($doc)*] $key $set ($crate::SubscriptionId) ($wire));
    };
    (@accessors [$($doc:tt)*] $key:ident $set:ident registration ($wire:expr)) => {
        $crate::options::options!(@id [$($doc)*] $key $set ($crate::RegistrationId) ($wire));
    };
    (@accessors [$($doc:tt)*] $key:ident $set:ident sessions ($wire:expr)) => {
        $($doc)*
        pub fn $key(&self) -> Option<Vec<$crate::SessionId>> {
            let list = self.0.get($wire)?.as_list()?;
            let id = |id: &$crate::Value| $crate::SessionId::new(id.as_u64()?).ok();
            Some(list.iter().filter_map(id).collect())
        }
        #[doc = concat!("Set [`", stringify!($key), "`](Self::", stringify!($key), ").")]
        pub fn $set(
            &mut self,
            value: impl IntoIterator<Item = $crate::SessionId>,
        ) -> &mut Self {
            let list: $crate::List =
                value.into_iter().map(|id| $crate::Value::from(id.get())).collect();
            self.0.insert_known($wire, list);
            self
        }
    };
    (@accessors [$($doc:tt)*] $key:ident $set:ident texts ($wire:expr)) => {
        $($doc)*
        pub fn $key(&self) -> Option<Vec<&str>> {
            let list = self.0.get($wire)?.as_list()?;
            Some(list.iter().filter_map($crate::Value::as_str).collect())
        }
        #[doc = concat!("Set [`", stringify!($key), "`](Self::", stringify!($key), ").")]
        pub fn $set<T: Into<String>>(
            &mut self,
            value: impl IntoIterator<Item = T>,
        ) -> &mut Self {
            let text = |text: T| $crate::Value::String(text.into());
            self.0.insert_known($wire, value.into_iter().map(text).collect::<$crate::List>());
            self
        }
    };
    (@accessors [$($doc:tt)*] $key:ident $set:ident dict ($wire:expr)) => {
        $($doc)*
        pub fn $key(&self) -> Option<&$crate::Dict> {
            self.0.get($wire)?.as_dict()
        }
        #[doc = concat!("Set [`", stringify!($key), "`](Self::", stringify!($key), ").")]
        pub fn $set(&mut self, value: $crate::Dict) -> &mut Self {
            self.0.insert_known($wire, value);
            self
        }
    };
    (@accessors [$($doc:tt)*] $key:ident $set:ident dicts ($wire:expr)) => {
        $($doc)*
        pub fn $key(&self) -> Option<&$crate::List> {
            self.0.get($wire)?.as_list()
        }
        #[doc = concat!("Set [`", stringify!($key), "`](Self::", stringify!($key), ").")]
        pub fn $set(&mut self, value: impl IntoIterator<Item = $crate::Dict>) -> &mut Self {
            let list: $crate::List = value.into_iter().map($crate::Value::Dict).collect();
            self.0.insert_known($wire, list);
            self
        }
    };
    (@accessors [$($doc:tt)*] $key:ident $set:ident roles ($wire:expr)) => {
        $($doc)*
        pub fn $key(&self) -> $crate::RoleFeatures {
            let roles = self.0.get($wire).and_then($crate::Value::as_dict);
            roles.map($crate::RoleFeatures::from_dict).unwrap_or_default()
        }
        #[doc = concat!("Set [`", stringify!($key), "`](Self::", stringify!($key), ").")]
        pub fn $set(&mut self, value: $crate::RoleFeatures) -> &mut Self {
            self.0.insert_known($wire, value.to_dict());
            self
        }
        /// Take the roles out: what stays has none, and takes little memory.
        pub fn take_roles(&mut self) -> $crate::RoleFeatures {
            let roles = self.$key();
            self.0.remove($wire);
            self.0.shrink_to_fit();
            roles
        }
    };
    (@accessors [$($doc:tt)*] $key:ident $set:ident matching ($wire:expr)) => {
        $crate::options::options!(@named [$($doc)*] $key $set ($crate::MatchPolicy) ($wire));
    };
    (@accessors [$($doc:tt)*] $key:ident $set:ident invoke ($wire:expr)) => {
        $crate::options::options!(
            @named [$($doc)*] $key $set ($crate::options::InvocationPolicy) ($wire));
    };
    (@accessors [$($doc:tt)*] $key:ident $set:ident cancel ($wire:expr)) => {
        $crate::options::options!(
            @named [$($doc)*] $key $set ($crate::options::CancelMode) ($wire));
    };

    (@copy [$($doc:tt)*] $key:ident $set:ident $Type:ident ($wire:expr) $read:ident) => {
        $($doc)*
        pub fn $key(&self) -> Option<$Type> {
            self.0.get($wire)?.$read()
        }
        #[doc = concat!("Set [`", stringify!($key), "`](Self::", stringify!($key), ").")]
        pub fn $set(&mut self, value: $Type) -> &mut Self {
            self.0.insert_known($wire, value);
            self
        }
    };
    (@id [$($doc:tt)*] $key:ident $set:ident ($Type:ty) ($wire:expr)) => {
        $($doc)*
        pub fn $key(&self) -> Option<$Type> {
            <$Type>::new(self.0.get($wire)?.as_u64()?).ok()
        }
        #[doc = concat!("Set [`", stringify!($key), "`](Self::", stringify!($key), ").")]
        pub fn $set(&mut self, value: $Type) -> &mut Self {
            self.0.insert_known($wire, value.get());
            self
        }
    };
    (@named [$($doc:tt)*] $key:ident $set:ident ($Type:ty) ($wire:expr)) => {
        $($doc)*
        pub fn $key(&self) -> Option<$Type> {
            self.0.get($wire)?.as_str()?.parse().ok()
        }
        #[doc = concat!("Set [`", stringify!($key), "`](Self::", stringify!($key), ").")]
        pub fn $set(&mut self, value: $Type) -> &mut Self {
            self.0.insert_known($wire, value.as_str());
            self
        }
    };
}

use options;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dict, SessionId, Value};

    #[test]
    fn unknown_keys_keep_their_value_and_their_place() {
        let dict = Dict::from([
            ("x_last", Value::from(1)),
            ("acknowledge", true.into()),
            ("_own", "text".into()),
        ]);
        let options = PublishOptions::from_dict(dict.clone()).unwrap();
        assert_eq!(options.acknowledge(), Some(true));
        let keys: Vec<_> = options.as_dict().keys().collect();
        assert_eq!(keys, ["x_last", "acknowledge", "_own"]);
        assert_eq!(options.into_dict(), dict);
    }

    #[test]
    fn a_known_key_with_a_wrong_type_is_an_error_that_names_it() {
        let dict = Dict::from([("acknowledge", Value::from(1))]);
        let error = PublishOptions::from_dict(dict).unwrap_err();
        assert_eq!(
            error.to_string(),
            "PUBLISH.Options: `acknowledge` must be a boolean, not an integer"
        );
    }

    #[test]
    fn null_counts_as_absent() {
        let dict = Dict::from([("acknowledge", Value::Null)]);
        let options = PublishOptions::from_dict(dict).unwrap();
        assert_eq!(options.acknowledge(), None);
    }

    #[test]
    fn elements_of_lists_are_checked() {
        for (key, element) in [
            ("exclude", Value::from("text")),
            ("exclude", 0.into()),
            ("eligible_authid", 1.into()),
        ] {
            let dict = Dict::from([(key, Value::List(vec![element]))]);
            assert!(PublishOptions::from_dict(dict).is_err(), "{key}");
        }
    }

    #[test]
    fn enumerations_are_checked() {
        let dict = Dict::from([("match", "invalid")]);
        let error = SubscribeOptions::from_dict(dict).unwrap_err();
        assert_eq!(
            error.to_string(),
            "SUBSCRIBE.Options: `match` must be \"exact\", \"prefix\" or \"wildcard\", not another string"
        );
    }

    #[test]
    fn setters_and_accessors_agree() {
        let mut options = PublishOptions::new();
        let sessions = [SessionId::MIN, SessionId::MAX];
        options
            .set_acknowledge(true)
            .set_eligible(sessions)
            .set_exclude_authid(["joe"]);
        assert_eq!(options.eligible().unwrap(), sessions);
        assert_eq!(options.exclude_authid().unwrap(), ["joe"]);
        assert_eq!(options.exclude_me(), None);
        assert!(options.set("retain", "yes").is_err());
        assert!(options.set("_vendor", "yes").is_ok());
    }
}
