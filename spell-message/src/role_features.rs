//! Which roles and features a peer announces.

use std::{fmt, mem};

use crate::{Dict, Feature, RoleName, Value};

/// The roles a peer takes, each with its features: what HELLO and WELCOME announce.
///
/// Roles and features that the specification does not name are kept and ignored.
///
/// ```
/// use spell_message::{Feature, RoleFeatures, RoleName};
///
/// let mut announced = RoleFeatures::new();
/// announced.add(RoleName::Caller, [Feature::CallCanceling]);
/// assert!(announced.has(RoleName::Caller));
/// assert!(announced.supports(RoleName::Caller, Feature::CallCanceling));
/// assert!(!announced.supports(RoleName::Caller, Feature::CallTimeout));
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct RoleFeatures {
    /// In the order of [`RoleName::ALL`]; every peer keeps two of these, so they are small.
    named: [Option<Announced>; RoleName::ALL.len()],
    /// What the specification does not name.
    other: Dict,
}

/// The features of a role, a bit for each of the [`keys`].
#[derive(Clone, Copy, Default, PartialEq)]
struct Announced {
    supported: u32,
    /// Announced as not supported.
    withdrawn: u32,
}

impl Announced {
    fn set(&mut self, bits: u32, supported: bool) {
        let (to, from) = if supported {
            (&mut self.supported, &mut self.withdrawn)
        } else {
            (&mut self.withdrawn, &mut self.supported)
        };
        *to |= bits;
        *from &= !bits;
    }

    /// Where both say something of a feature, `other` wins.
    fn merge(&mut self, other: Self) {
        self.set(other.supported, true);
        self.set(other.withdrawn, false);
    }

    fn to_dict(self) -> Dict {
        let told = self.supported | self.withdrawn;
        let mut features = Dict::with_capacity(usize::try_from(told.count_ones()).unwrap_or(0));
        for (key, bit) in keys().filter(|(_, bit)| told & bit != 0) {
            features.insert_known(key, self.supported & bit != 0);
        }
        features
    }
}

impl RoleFeatures {
    /// No roles.
    pub fn new() -> Self {
        Self::default()
    }

    /// Take the `roles` of a HELLO or WELCOME. A role that is no dictionary is one without features.
    pub fn from_dict(roles: &Dict) -> Self {
        let mut announced = Self::new();
        for (role, details) in roles {
            announced.begin(role);
            for (key, detail) in details.as_dict().into_iter().flatten() {
                match detail.as_dict().filter(|_| key == FEATURES) {
                    Some(features) => announced.set_all(role, features),
                    None => {
                        change(&mut announced.other, role, |details| {
                            details.insert(key, detail.clone());
                        });
                    }
                }
            }
        }
        announced
    }

    /// As it stands in HELLO or WELCOME.
    pub fn to_dict(&self) -> Dict {
        let mut roles = Dict::with_capacity(RoleName::ALL.len());
        roles.extend(self.other.clone());
        for (role, announced) in RoleName::ALL.into_iter().zip(self.named) {
            let Some(announced) = announced else {
                continue;
            };
            let features = announced.to_dict();
            let mut details = match roles.get_mut(role.as_str()) {
                Some(Value::Dict(details)) => mem::take(details),
                _ => Dict::new(),
            };
            if details.contains_key(FEATURES) {
                change(&mut details, FEATURES, |known| known.extend(features));
            } else if !features.is_empty() {
                details.insert_known(FEATURES, features);
            }
            roles.insert_known(role.as_str(), details);
        }
        roles
    }

    /// Announce a role with these features; what was announced before stays.
    pub fn add(&mut self, role: RoleName, features: impl IntoIterator<Item = Feature>) {
        let bits = features.into_iter().map(own_bit);
        let bits = bits.fold(0, |bits, bit| bits | bit);
        if let Some(announced) = self.begin(role.as_str()) {
            announced.set(bits, true);
        }
    }

    /// Announce a role and a feature by their names on the wire, as for extensions, or withdraw the
    /// feature.
    pub fn set(&mut self, role: impl Into<String>, feature: impl Into<String>, supported: bool) {
        let feature = Dict::from([(feature, supported)]);
        self.set_all(&role.into(), &feature);
    }

    /// Announce all that `other` does; where both say something of a feature, `other` wins.
    pub fn merge(&mut self, other: &Self) {
        for (role, announced) in RoleName::ALL.into_iter().zip(other.named) {
            if let Some(announced) = announced
                && let Some(own) = self.begin(role.as_str())
            {
                own.merge(announced);
            }
        }
        for (role, details) in &other.other {
            self.begin(role);
            let features = details.as_dict().and_then(|role| role.get(FEATURES));
            if let Some(features) = features.and_then(Value::as_dict) {
                self.set_all(role, features);
            }
        }
    }

    /// Whether the role is announced.
    pub fn has(&self, role: RoleName) -> bool {
        self.named(role).is_some()
    }

    /// Whether no role is announced.
    pub fn is_empty(&self) -> bool {
        self.other.is_empty() && self.named.iter().all(Option::is_none)
    }

    /// Whether the role announced the feature, under its key or one of its aliases.
    pub fn supports(&self, role: RoleName, feature: Feature) -> bool {
        let aliases = aliases().filter(|(known, _, _)| *known == feature);
        let bits = aliases.fold(own_bit(feature), |bits, (_, _, bit)| bits | bit);
        self.named(role).is_some_and(|it| it.supported & bits != 0)
            // WAMP spec, "Procedure and Topic Reflection": this one stands beside `features`.
            || feature == Feature::Reflection
                && is_true(self.other(role), feature.key())
    }

    /// Whether the role announced a feature under this very key, as to tell from which of its
    /// aliases it is known.
    pub fn announces(&self, role: RoleName, key: &str) -> bool {
        match bit(key) {
            0 => is_true(
                self.other(role)
                    .and_then(|role| role.as_dict()?.get(FEATURES)),
                key,
            ),
            bit => self.named(role).is_some_and(|it| it.supported & bit != 0),
        }
    }

    fn named(&self, role: RoleName) -> Option<Announced> {
        let mut named = RoleName::ALL.into_iter().zip(self.named);
        named.find(|(name, _)| *name == role)?.1
    }

    fn other(&self, role: RoleName) -> Option<&Value> {
        self.other.get(role.as_str())
    }

    /// Announce a role; gives its features if the specification names it.
    fn begin(&mut self, role: &str) -> Option<&mut Announced> {
        let mut named = RoleName::ALL.into_iter().zip(&mut self.named);
        if let Some((_, announced)) = named.find(|(name, _)| name.as_str() == role) {
            return Some(announced.get_or_insert_default());
        }
        change(&mut self.other, role, |_| ());
        None
    }

    /// Set features by their names on the wire.
    fn set_all(&mut self, role: &str, features: &Dict) {
        let mut told = Announced::default();
        let mut other = Vec::new();
        let is_named = self.begin(role).is_some();
        for (key, value) in features {
            match (bit(key), value.as_bool()) {
                (bit @ 1.., Some(supported)) if is_named => told.set(bit, supported),
                _ => other.push((key, value)),
            }
        }
        if let Some(announced) = self.begin(role) {
            announced.merge(told);
        }
        if !other.is_empty() {
            change(&mut self.other, role, |details| {
                change(details, FEATURES, |known| {
                    known.extend(other.into_iter().map(|(key, value)| (key, value.clone())));
                });
            });
        }
    }
}

impl fmt::Debug for RoleFeatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RoleFeatures")
            .field(&self.to_dict())
            .finish()
    }
}

const FEATURES: &str = "features";

/// Every key of a feature, then every alias, each with a bit of its own.
fn keys() -> impl Iterator<Item = (&'static str, u32)> {
    let keys = Feature::ALL.iter();
    let keys = keys.map(|feature| (feature.key(), own_bit(*feature)));
    keys.chain(aliases().map(|(_, alias, bit)| (alias, bit)))
}

/// Every alias, with its feature and its bit.
fn aliases() -> impl Iterator<Item = (Feature, &'static str, u32)> {
    let aliases = Feature::ALIASES.iter().zip(Feature::ALL.len()..);
    aliases.map(|((feature, alias), place)| (*feature, *alias, bit_at(place)))
}

/// The bit of a feature's own key.
fn own_bit(feature: Feature) -> u32 {
    bit_at(feature.index())
}

/// There is one for each key, as a test sees.
fn bit_at(place: usize) -> u32 {
    let place = u32::try_from(place).unwrap_or(u32::MAX);
    1_u32.checked_shl(place).unwrap_or(0)
}

/// The bit of a key; 0 if it is none of a feature.
fn bit(key: &str) -> u32 {
    match Feature::of_key(key) {
        Some(feature) => own_bit(feature),
        None => aliases()
            .find(|(_, alias, _)| *alias == key)
            .map_or(0, |(_, _, bit)| bit),
    }
}

/// Change the dictionary under `key`, which is made if there is none.
fn change(dict: &mut Dict, key: &str, change: impl FnOnce(&mut Dict)) {
    if !matches!(dict.get(key), Some(Value::Dict(_))) {
        dict.insert(key, Dict::new());
    }
    if let Some(Value::Dict(inner)) = dict.get_mut(key) {
        change(inner);
    }
}

fn is_true(dict: Option<&Value>, key: &str) -> bool {
    let value = dict.and_then(Value::as_dict).and_then(|dict| dict.get(key));
    value.and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;

    #[test]
    fn features_are_merged_never_overwritten() {
        let mut announced = RoleFeatures::new();
        announced.add(RoleName::Callee, [Feature::CallCanceling]);
        announced.add(RoleName::Callee, [Feature::CallTimeout]);
        announced.add(RoleName::Callee, []);
        let mut other = RoleFeatures::new();
        other.set("callee", "x_own", true);
        other.add(RoleName::Publisher, []);
        announced.merge(&other);
        for feature in [Feature::CallCanceling, Feature::CallTimeout] {
            assert!(announced.supports(RoleName::Callee, feature), "{feature}");
        }
        assert!(announced.has(RoleName::Publisher));
        assert!(!announced.has(RoleName::Caller));
    }

    #[test]
    fn a_role_without_features_is_an_empty_dictionary() {
        let mut announced = RoleFeatures::new();
        announced.add(RoleName::Subscriber, []);
        assert_eq!(
            announced.to_dict(),
            Dict::from([("subscriber", Dict::new())])
        );
    }

    #[test]
    fn aliases_of_features_are_understood() {
        let mut announced = RoleFeatures::new();
        announced.set("dealer", "progressive_calls", true);
        announced.set("dealer", "call_cancelling", true);
        let supports = |feature| announced.supports(RoleName::Dealer, feature);
        assert!(supports(Feature::ProgressiveCallInvocations));
        assert!(supports(Feature::CallCanceling));
        assert!(!supports(Feature::ProgressiveCallResults));
        assert!(announced.announces(RoleName::Dealer, "call_cancelling"));
        assert!(!announced.announces(RoleName::Dealer, "call_canceling"));
    }

    #[test]
    fn null_roles_and_odd_features_are_tolerated() {
        let roles = Dict::from([("broker", Value::Null), ("dealer", Value::from(1))]);
        let mut announced = RoleFeatures::from_dict(&roles);
        assert!(announced.has(RoleName::Broker));
        assert!(!announced.supports(RoleName::Dealer, Feature::CallTimeout));
        announced.add(RoleName::Broker, [Feature::EventHistory]);
        assert!(announced.supports(RoleName::Broker, Feature::EventHistory));
    }

    #[test]
    fn what_the_specification_does_not_name_is_kept() {
        let features = Dict::from([
            ("call_timeout", Value::Bool(true)),
            ("call_canceling", Value::Bool(false)),
            ("event_history", Value::from(1)),
            ("x_own", Value::Bool(true)),
        ]);
        let dealer = Dict::from([("features", features.clone()), ("x_more", Dict::new())]);
        let other = Dict::from([("features", features)]);
        let roles = Dict::from([("dealer", dealer), ("x_role", other)]);
        let mut announced = RoleFeatures::from_dict(&roles);
        assert_eq!(announced.to_dict(), roles);
        assert!(announced.announces(RoleName::Dealer, "x_own"));
        assert!(!announced.announces(RoleName::Dealer, "event_history"));
        let mut merged = RoleFeatures::new();
        merged.set("dealer", "call_timeout", false);
        merged.set("dealer", "call_cancelling", true);
        announced.merge(&merged);
        assert!(!announced.supports(RoleName::Dealer, Feature::CallTimeout));
        assert!(announced.supports(RoleName::Dealer, Feature::CallCanceling));
    }

    #[test]
    fn every_key_has_a_bit() {
        let mut seen = 0;
        for feature in Feature::ALL {
            for key in iter::once(feature.key()).chain(feature.aliases().iter().copied()) {
                assert_eq!(bit(key).count_ones(), 1, "{key}");
                assert_eq!(seen & bit(key), 0, "{key}");
                seen |= bit(key);
            }
        }
        assert_eq!(bit("x_own"), 0);
    }
}
