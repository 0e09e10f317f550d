//! Ids, one type for each kind, and the sequence of request ids.

use std::fmt;
use std::num::NonZeroU64;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::InvalidId;

/// The largest id, 2^53: the last integer before floats, JavaScript's numbers, begin to skip some.
const LARGEST: NonZeroU64 = NonZeroU64::MIN.saturating_add((1 << 53) - 1);

macro_rules! id {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        ///
        /// A number from 1 to 2^53, so that it survives a peer whose numbers are floats. WAMP
        /// spec, "IDs".
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU64);

        impl $name {
            /// The smallest id: 1.
            pub const MIN: Self = Self(NonZeroU64::MIN);
            /// The largest id: 2^53, or 9007199254740992.
            pub const MAX: Self = Self(LARGEST);

            /// The id with this number.
            ///
            /// # Errors
            ///
            /// [`InvalidId`] for 0 and for numbers above 2^53.
            pub const fn new(value: u64) -> Result<Self, InvalidId> {
                match NonZeroU64::new(value) {
                    Some(number) if value <= LARGEST.get() => Ok(Self(number)),
                    _ => Err(InvalidId::new(value)),
                }
            }

            /// The number.
            pub const fn get(self) -> u64 {
                self.0.get()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl TryFrom<u64> for $name {
            type Error = InvalidId;

            fn try_from(value: u64) -> Result<Self, InvalidId> {
                Self::new(value)
            }
        }

        impl From<$name> for u64 {
            fn from(id: $name) -> Self {
                id.get()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u64(self.get())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(u64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

macro_rules! random_id {
    ($name:ident) => {
        impl $name {
            /// The id that these 64 random bits select, each of the 2^53 ids being as likely as
            /// any other.
            ///
            /// Ids of the global scope must be drawn so. Use a generator that nobody can predict.
            /// WAMP spec, "IDs".
            ///
            /// ```
            #[doc = concat!("use spell_message::", stringify!($name), ";")]
            ///
            #[doc = concat!("assert_eq!(", stringify!($name), "::from_random(0), ", stringify!($name), "::MIN);")]
            #[doc = concat!("assert_eq!(", stringify!($name), "::from_random(u64::MAX), ", stringify!($name), "::MAX);")]
            /// ```
            pub const fn from_random(bits: u64) -> Self {
                // The upper 53 bits are 0 to 2^53 - 1.
                Self(NonZeroU64::MIN.saturating_add(bits >> 11))
            }
        }
    };
}

id! {
    /// The id of a session, given by the router in WELCOME; global scope.
    ///
    /// ```
    /// use spell_message::SessionId;
    ///
    /// let id = SessionId::new(7)?;
    /// assert_eq!(id.to_string(), "7");
    /// assert!(SessionId::new(0).is_err());
    /// assert!(SessionId::new((1 << 53) + 1).is_err());
    /// # Ok::<(), spell_message::InvalidId>(())
    /// ```
    SessionId
}
random_id!(SessionId);

id! {
    /// The id of a publication, the same in PUBLISHED and in every EVENT of it; global scope.
    PublicationId
}
random_id!(PublicationId);

id! {
    /// The id of a subscription, chosen by the router; router scope.
    ///
    /// Several sessions, and several subscriptions of one session to the same topic, may share it.
    SubscriptionId
}

id! {
    /// The id of a registration, chosen by the router; router scope.
    ///
    /// The callees of a shared registration have the same one.
    RegistrationId
}

id! {
    /// The id of a request, by which its answer is known; session scope.
    ///
    /// Each direction of a session counts its own, see [`RequestIds`].
    RequestId
}

/// The sequence of request ids that one side of a session uses.
///
/// Starts at 1 and goes up by 1; 1 follows 2^53. All kinds of requests share it. A gap or a
/// repetition is a violation of the protocol, so an id is first looked at and only spent when its
/// message is certain to be sent:
///
/// ```
/// use spell_message::RequestIds;
///
/// let mut ids = RequestIds::default();
/// assert_eq!(ids.next().get(), 1);
/// assert_eq!(ids.next().get(), 1); // the message could not be encoded: nothing is lost
/// ids.advance();
/// assert_eq!(ids.next().get(), 2);
/// assert_eq!(ids.last().map(u64::from), Some(1));
/// ```
///
/// WAMP spec, "IDs".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestIds {
    next: RequestId,
    last: Option<RequestId>,
}

impl RequestIds {
    /// A sequence whose first id is this one.
    ///
    /// Sessions start at 1, as [`RequestIds::default`] does; this is for tests of what follows
    /// 2^53.
    pub fn starting_at(first: RequestId) -> Self {
        Self {
            next: first,
            last: None,
        }
    }

    /// The id that the next message gets. Calling it again gives the same one.
    pub fn next(&self) -> RequestId {
        self.next
    }

    /// Spends the id that [`next`](Self::next) gives.
    pub fn advance(&mut self) {
        let spent = self.next;
        self.next = RequestId::new(spent.get().saturating_add(1)).unwrap_or(RequestId::MIN);
        self.last = Some(spent);
    }

    /// The id spent last; `None` before the first one.
    pub fn last(&self) -> Option<RequestId> {
        self.last
    }
}

impl Default for RequestIds {
    fn default() -> Self {
        Self::starting_at(RequestId::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_POW_53: u64 = 9_007_199_254_740_992;

    #[test]
    fn ids_are_1_to_two_pow_53() {
        assert_eq!(RequestId::new(1), Ok(RequestId::MIN));
        assert_eq!(RequestId::new(TWO_POW_53), Ok(RequestId::MAX));
        assert_eq!(RequestId::MAX.get(), TWO_POW_53);
        for bad in [0, TWO_POW_53 + 1, u64::MAX] {
            assert_eq!(RequestId::new(bad), Err(InvalidId::new(bad)));
            assert_eq!(RequestId::try_from(bad).unwrap_err().value(), bad);
        }
    }

    #[test]
    fn an_optional_id_is_as_small_as_an_id() {
        assert_eq!(size_of::<Option<SessionId>>(), size_of::<SessionId>());
    }

    #[test]
    fn random_ids_reach_both_ends_and_leave_no_gap_there() {
        let id = |bits| SessionId::from_random(bits).get();
        assert_eq!(id(0), 1);
        assert_eq!(id((1 << 11) - 1), 1);
        assert_eq!(id(1 << 11), 2);
        assert_eq!(id(u64::MAX - (1 << 11)), TWO_POW_53 - 1);
        assert_eq!(id(u64::MAX - (1 << 11) + 1), TWO_POW_53);
        assert_eq!(id(u64::MAX), TWO_POW_53);
        assert_eq!(PublicationId::from_random(u64::MAX), PublicationId::MAX);
    }

    #[test]
    fn the_request_id_after_the_largest_is_1() {
        let mut ids = RequestIds::starting_at(RequestId::new(TWO_POW_53 - 1).unwrap());
        assert_eq!(ids.last(), None);
        ids.advance();
        assert_eq!(ids.next(), RequestId::MAX);
        ids.advance();
        assert_eq!(ids.next(), RequestId::MIN);
        assert_eq!(ids.last(), Some(RequestId::MAX));
        ids.advance();
        assert_eq!(ids.next().get(), 2);
    }

    #[test]
    fn looking_at_the_next_request_id_spends_none() {
        let mut ids = RequestIds::default();
        for expected in 1..=5 {
            assert_eq!(ids.next().get(), expected);
            assert_eq!(ids.next().get(), expected);
            ids.advance();
            assert_eq!(ids.last().map(RequestId::get), Some(expected));
        }
    }

    #[test]
    fn ids_travel_as_plain_numbers_and_are_checked_when_read() {
        assert_eq!(
            serde_json::to_string(&SessionId::MAX).unwrap(),
            "9007199254740992"
        );
        let read = |text| serde_json::from_str::<SessionId>(text);
        assert_eq!(read("9007199254740992").unwrap(), SessionId::MAX);
        for bad in [
            "0",
            "-1",
            "9007199254740993",
            "1.0",
            "\"1\"",
            "null",
            "true",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(
            read("0")
                .unwrap_err()
                .to_string()
                .starts_with("0 is not a WAMP id")
        );
    }
}
