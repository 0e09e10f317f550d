//! The router's side of the handshake, without IO.

use std::sync::Arc;

use spell_message::{
    Feature, Message, RoleFeatures, RoleName, SessionId, Uri,
    message::{Abort, Challenge, Hello, Welcome},
    options::WelcomeDetails,
    reason,
};

use crate::{
    announced::Announced,
    auth::{Check, Claim, Method, PROVIDER, nonce},
    error::Violation,
    realm::{Principal, abort},
    settings::Access,
};

/// A session that is being established.
///
/// ```text
/// HELLO ──► refused ──► ABORT
///   ├─────► anonymous ──────────────────────────────────► WELCOME
///   └─────► CHALLENGE ──► AUTHENTICATE ──► right ───────► WELCOME
///                              └─────────► wrong ──► ABORT
/// ```
///
/// WAMP spec, "Session Establishment" and "Authentication Methods".
#[derive(Debug)]
pub(crate) struct Handshake {
    session: SessionId,
    state: State,
}

#[derive(Debug)]
enum State {
    Hello,
    Challenged { admission: Admission, check: Check },
}

/// What is to be done after a message.
#[derive(Debug)]
pub(crate) enum Step {
    /// Send it and go on.
    Challenge(Challenge),
    /// Let the session join, then send the WELCOME.
    Admit(Admission),
    /// Send it and close.
    Refuse(Abort),
    /// The client gave up: close.
    Close,
}

/// A session that may join.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) session: SessionId,
    pub(crate) realm: Uri,
    pub(crate) principal: Principal,
    pub(crate) announced: Announced,
    /// Whether the realm keeps a history.
    event_history: bool,
}

impl Admission {
    pub(crate) fn welcome(&self) -> Welcome {
        let mut details = WelcomeDetails::new();
        details
            .set_roles(router_roles(self.event_history))
            .set_agent(AGENT)
            .set_realm(self.realm.as_str())
            .set_authid(self.principal.authid.as_str())
            .set_authrole(self.principal.authrole.as_str())
            .set_authmethod(self.principal.method.name())
            .set_authprovider(PROVIDER);
        Welcome {
            session: self.session,
            details,
        }
    }
}

/// What this router does in this realm, and no more.
///
/// WAMP spec, "Feature Announcement". "Event History" wants the role `callee` announced with it,
/// which is left out: there are clients that take a router with any role but `broker` and `dealer`
/// for none.
fn router_roles(event_history: bool) -> RoleFeatures {
    let mut roles = RoleFeatures::new();
    roles.add(
        RoleName::Broker,
        [
            Feature::EventRetention,
            Feature::PatternBasedSubscription,
            Feature::PayloadPassthruMode,
            Feature::PublicationTrustLevels,
            Feature::PublisherExclusion,
            Feature::PublisherIdentification,
            Feature::SessionMetaApi,
            Feature::SubscriberBlackWhiteListing,
            Feature::SubscriptionMetaApi,
            Feature::SubscriptionRevocation,
        ],
    );
    if event_history {
        roles.add(RoleName::Broker, [Feature::EventHistory]);
    }
    roles.add(
        RoleName::Dealer,
        [
            Feature::CallCanceling,
            Feature::CallReroute,
            Feature::CallTimeout,
            Feature::CallTrustLevels,
            Feature::CallerIdentification,
            Feature::PatternBasedRegistration,
            Feature::PayloadPassthruMode,
            Feature::ProgressiveCallInvocations,
            Feature::ProgressiveCallResults,
            Feature::RegistrationMetaApi,
            Feature::RegistrationRevocation,
            Feature::SessionMetaApi,
            Feature::SharedRegistration,
            Feature::TestamentMetaApi,
        ],
    );
    roles
}

const AGENT: &str = concat!("spell-router/", env!("CARGO_PKG_VERSION"));

impl Handshake {
    /// The session has its id from the beginning, for challenges name it.
    pub(crate) fn new(session: SessionId) -> Self {
        Self {
            session,
            state: State::Hello,
        }
    }

    /// Handles a message; `access` says who may join a realm, `None` that there is none.
    pub(crate) fn handle(
        &mut self,
        message: Message,
        access: impl FnOnce(&Uri) -> Option<Arc<Access>>,
    ) -> Step {
        let state = std::mem::replace(&mut self.state, State::Hello);
        match (state, message) {
            (State::Hello, Message::Hello(hello)) => match access(&hello.realm) {
                Some(access) => self
                    .hello(hello, &access)
                    .unwrap_or_else(|refused| Step::Refuse(*refused)),
                None => Step::Refuse(abort(reason::NO_SUCH_REALM, "there is no such realm")),
            },
            (State::Challenged { admission, check }, Message::Authenticate(answer)) => {
                if check.accepts(&answer.signature) {
                    Step::Admit(admission)
                } else {
                    let explanation = "the credentials are wrong";
                    Step::Refuse(abort(reason::AUTHENTICATION_DENIED, explanation))
                }
            }
            (_, Message::Abort(_)) => Step::Close,
            (_, other) => Step::Refuse(Violation::Unexpected(other.name()).abort()),
        }
    }

    fn hello(&mut self, hello: Hello, access: &Access) -> Result<Step, Box<Abort>> {
        let roles = hello.details.roles();
        if !CLIENT_ROLES.iter().any(|role| roles.has(*role)) {
            return Err(Violation::NoRoles.abort().into());
        }
        let announced = Announced::new(&roles);
        let offered = hello.details.authmethods().unwrap_or_default();
        // The specification does not say how to join anonymously; routers agree that it is by not
        // offering anything else, or by offering this.
        let offered = if offered.is_empty() {
            vec![Method::Anonymous.name()]
        } else {
            offered
        };
        let authid = hello.details.authid();
        for method in offered.iter().filter_map(|name| Method::from_name(name)) {
            if method == Method::Anonymous {
                if let Some(authrole) = access.anonymous() {
                    let authid = nonce().map_err(|_| out_of_entropy())?;
                    let principal = access.principal(authid, authrole, method);
                    let admission = self.admission(hello.realm, announced, principal, access);
                    return Ok(Step::Admit(admission));
                }
            } else if let Some(authid) = authid
                && let Some((authrole, credential)) = access.credential(authid, method)
            {
                let claim = Claim {
                    authid,
                    authrole,
                    session: self.session,
                };
                let challenge = credential.clone().challenge(&claim);
                let (extra, check) = challenge.map_err(|_| out_of_entropy())?;
                let principal = access.principal(authid.to_owned(), authrole, method);
                let admission = self.admission(hello.realm, announced, principal, access);
                self.state = State::Challenged { admission, check };
                return Ok(Step::Challenge(Challenge {
                    method: method.name().to_owned(),
                    extra,
                }));
            }
        }
        Err(refuse_methods(&offered, authid, access).into())
    }

    fn admission(
        &self,
        realm: Uri,
        announced: Announced,
        principal: Principal,
        access: &Access,
    ) -> Admission {
        Admission {
            session: self.session,
            realm,
            principal,
            announced,
            event_history: !access.histories.is_empty(),
        }
    }
}

const CLIENT_ROLES: [RoleName; 4] = [
    RoleName::Publisher,
    RoleName::Subscriber,
    RoleName::Caller,
    RoleName::Callee,
];

/// Why none of the methods offered will do. WAMP spec, "Predefined URIs".
fn refuse_methods(offered: &[&str], authid: Option<&str>, access: &Access) -> Abort {
    if offered.iter().all(|name| *name == Method::Anonymous.name()) {
        let explanation = "this realm takes no anonymous sessions";
        return abort(reason::AUTHENTICATION_REQUIRED, explanation);
    }
    let mut methods = offered.iter().filter_map(|name| Method::from_name(name));
    let usable = methods.any(|method| method != Method::Anonymous && access.uses(method));
    match authid {
        None if usable => abort(reason::NO_SUCH_PRINCIPAL, "the authid is missing"),
        Some(authid) if usable && !access.knows(authid) => {
            abort(reason::NO_SUCH_PRINCIPAL, "there is no such authid")
        }
        _ => {
            let explanation = "none of the authentication methods offered can be used";
            abort(reason::NO_MATCHING_AUTH_METHOD, explanation)
        }
    }
}

fn out_of_entropy() -> Abort {
    let explanation = "the router has no random numbers";
    abort(reason::AUTHENTICATION_FAILED, explanation)
}

#[cfg(test)]
mod tests;
