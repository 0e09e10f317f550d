use std::sync::Arc;

use spell_message::{Feature, RoleFeatures, RoleName, SessionId, Uri, options::WelcomeDetails};

/// The session that a peer joined: what the router granted and what it can do.
///
/// Read it rather than assume: realm, `authid` and `authrole` may differ from what was asked for.
///
/// WAMP spec, "WELCOME".
#[derive(Clone, Debug, PartialEq)]
pub struct SessionInfo {
    id: SessionId,
    realm: Uri,
    details: WelcomeDetails,
    roles: RoleFeatures,
    endpoint: Option<Arc<str>>,
}

impl SessionInfo {
    /// A session of `realm`, as WELCOME granted it. A realm that the router names wins.
    pub fn new(id: SessionId, realm: Uri, mut details: WelcomeDetails) -> Self {
        let granted = details.realm().and_then(|realm| Uri::new(realm).ok());
        Self {
            id,
            realm: granted.unwrap_or(realm),
            // Twice they would be most of what an idle session keeps.
            roles: details.take_roles(),
            details,
            endpoint: None,
        }
    }

    pub(crate) fn set_endpoint(&mut self, endpoint: Arc<str>) {
        self.endpoint = Some(endpoint);
    }

    /// The session's id.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The realm that was joined.
    pub fn realm(&self) -> &Uri {
        &self.realm
    }

    /// The router it is with, for people: its address, without what may be secret in its URL. Of
    /// a session without a connection, as in a test, `None`.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// Who the router takes this peer for.
    pub fn authid(&self) -> Option<&str> {
        self.details.authid()
    }

    /// The role the router gave this peer.
    pub fn authrole(&self) -> Option<&str> {
        self.details.authrole()
    }

    /// How this peer was authenticated.
    pub fn authmethod(&self) -> Option<&str> {
        self.details.authmethod()
    }

    /// The software of the router.
    pub fn agent(&self) -> Option<&str> {
        self.details.agent()
    }

    /// The roles and features the router announced.
    pub fn roles(&self) -> &RoleFeatures {
        &self.roles
    }

    /// Whether a role of the router announced a feature.
    pub fn supports(&self, role: RoleName, feature: Feature) -> bool {
        self.roles.supports(role, feature)
    }

    /// The details of WELCOME, without the [roles](Self::roles).
    pub fn details(&self) -> &WelcomeDetails {
        &self.details
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_kept_once_and_other_details_as_they_came() {
        let mut roles = RoleFeatures::new();
        roles.add(RoleName::Broker, [Feature::EventHistory]);
        let mut details = WelcomeDetails::new();
        details.set_agent("a router").set_roles(roles.clone());
        let info = SessionInfo::new(SessionId::MIN, Uri::new("com.example").unwrap(), details);
        assert_eq!(info.roles(), &roles);
        assert!(info.details().as_dict().keys().eq(["agent"]));
    }
}
