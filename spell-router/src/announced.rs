//! What of a client's announcement the router goes by.

use spell_message::{Feature, RoleFeatures, RoleName};

/// The features that a client announced and that decide what the router sends it, or takes from it.
///
/// Of all that a client announces only this is kept: in HELLO it has proven nothing yet, so it must
/// not make the router remember much.
///
/// WAMP spec, "Feature Announcement".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Announced(u32);

impl Announced {
    pub(crate) fn new(roles: &RoleFeatures) -> Self {
        let announced = KEPT
            .iter()
            .filter(|(role, feature)| roles.supports(*role, *feature));
        announced.fold(Self::default(), |known, (role, feature)| {
            known.with(*role, *feature)
        })
    }

    /// As far as it decides something: `false` for all else.
    pub(crate) fn supports(self, role: RoleName, feature: Feature) -> bool {
        bit(role, feature).is_some_and(|bit| self.0 & bit != 0)
    }

    /// This, and one feature more.
    pub(crate) fn with(self, role: RoleName, feature: Feature) -> Self {
        Self(self.0 | bit(role, feature).unwrap_or(0))
    }
}

/// Which bit stands for a feature; `None` if the router does not go by it.
fn bit(role: RoleName, feature: Feature) -> Option<u32> {
    let place = KEPT.iter().position(|kept| *kept == (role, feature))?;
    1_u32.checked_shl(u32::try_from(place).ok()?)
}

const KEPT: [(RoleName, Feature); 11] = [
    (RoleName::Callee, Feature::CallCanceling),
    (RoleName::Callee, Feature::ProgressiveCallResults),
    (RoleName::Callee, Feature::ProgressiveCallInvocations),
    (RoleName::Callee, Feature::CallTimeout),
    (RoleName::Callee, Feature::RegistrationRevocation),
    (RoleName::Callee, Feature::PayloadPassthruMode),
    (RoleName::Caller, Feature::ProgressiveCallInvocations),
    (RoleName::Caller, Feature::PayloadPassthruMode),
    (RoleName::Publisher, Feature::PayloadPassthruMode),
    (RoleName::Subscriber, Feature::SubscriptionRevocation),
    (RoleName::Subscriber, Feature::PayloadPassthruMode),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_announced_and_decides_something_is_known() {
        let mut roles = RoleFeatures::new();
        roles.add(
            RoleName::Callee,
            [Feature::CallCanceling, Feature::SharedRegistration],
        );
        roles.set("caller", "progressive_calls", true);
        let announced = Announced::new(&roles);
        assert!(announced.supports(RoleName::Callee, Feature::CallCanceling));
        assert!(!announced.supports(RoleName::Caller, Feature::CallCanceling));
        assert!(announced.supports(RoleName::Caller, Feature::ProgressiveCallInvocations));
        assert!(!announced.supports(RoleName::Callee, Feature::SharedRegistration));
    }

    #[test]
    fn each_feature_has_a_bit_of_its_own() {
        let all = KEPT
            .iter()
            .fold(Announced::default(), |known, (role, feature)| {
                let more = known.with(*role, *feature);
                assert_ne!(known, more, "{role} {feature}");
                more
            });
        assert_eq!(usize::try_from(all.0.count_ones()), Ok(KEPT.len()));
    }
}
