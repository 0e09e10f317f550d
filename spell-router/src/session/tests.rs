//! The rules of the handshake, by plain calls.

use spell_message::{Dict, Pattern, message::Authenticate, options::HelloDetails};

use super::*;
use crate::{CraSecret, Realm};

/// HELLO for realm1 by a caller.
fn hello(set: impl FnOnce(&mut HelloDetails)) -> Message {
    let mut details = HelloDetails::new();
    let mut roles = RoleFeatures::new();
    roles.add(RoleName::Caller, []);
    details.set_roles(roles);
    set(&mut details);
    let realm = Uri::new("realm1").unwrap();
    Hello { realm, details }.into()
}

fn answer(signature: &str) -> Message {
    let message = Authenticate {
        signature: signature.to_owned(),
        extra: Dict::new(),
    };
    message.into()
}

/// A handshake with a router that has this realm only.
struct Client {
    handshake: Handshake,
    name: Uri,
    access: Arc<Access>,
}

impl Client {
    fn new(realm: Realm) -> Self {
        let (name, access) = realm.into_parts().unwrap();
        Self {
            handshake: Handshake::new(SessionId::new(7).unwrap()),
            name,
            access: Arc::new(access),
        }
    }

    fn send(&mut self, message: Message) -> Step {
        self.handshake.handle(message, |realm| {
            (*realm == self.name).then(|| Arc::clone(&self.access))
        })
    }

    fn refused(&mut self, message: Message) -> String {
        match self.send(message) {
            Step::Refuse(abort) => abort.reason.to_string(),
            other => panic!("{other:?}"),
        }
    }

    fn admitted(&mut self, message: Message) -> Admission {
        match self.send(message) {
            Step::Admit(admission) => admission,
            other => panic!("{other:?}"),
        }
    }

    fn challenged(&mut self, message: Message) -> Challenge {
        match self.send(message) {
            Step::Challenge(challenge) => challenge,
            other => panic!("{other:?}"),
        }
    }
}

/// A realm that takes no anonymous sessions, but Joe's ticket and Ann's signature.
fn private() -> Realm {
    Realm::new("realm1")
        .refuse_anonymous()
        .ticket("joe", "joe's ticket", "user")
        .cra("ann", "ann's secret", "admin")
}

fn by<'a>(methods: &'a [&str], authid: &'a str) -> Message {
    hello(|details| _ = details.set_authmethods(methods.to_vec()).set_authid(authid))
}

#[test]
fn a_hello_without_methods_joins_anonymously() {
    let welcome = Client::new("realm1".into())
        .admitted(hello(|_| ()))
        .welcome();
    assert_eq!(welcome.session.get(), 7);
    let details = welcome.details;
    assert_eq!(details.realm(), Some("realm1"));
    assert_eq!(details.authmethod(), Some("anonymous"));
    assert_eq!(details.authrole(), Some("anonymous"));
    assert!(details.authid().is_some_and(|authid| !authid.is_empty()));
}

#[test]
fn anonymous_among_the_methods_joins_anonymously_with_a_name_of_the_routers_choice() {
    let message = by(&["cookie", "anonymous"], "root");
    let admission = Client::new("realm1".into()).admitted(message);
    assert_ne!(admission.principal.authid, "root");
}

#[test]
fn the_role_of_anonymous_sessions_can_be_set() {
    let realm = Realm::new("realm1").anonymous_role("guest");
    let admission = Client::new(realm).admitted(hello(|_| ()));
    assert_eq!(admission.principal.authrole, "guest");
}

#[test]
fn exactly_what_is_implemented_is_announced() {
    let welcome = Client::new("realm1".into())
        .admitted(hello(|_| ()))
        .welcome();
    let roles = welcome.details.roles();
    let announced = |role| {
        let all = Feature::ALL.iter();
        all.filter(|feature| roles.supports(role, **feature))
            .copied()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        announced(RoleName::Broker),
        [
            Feature::SubscriberBlackWhiteListing,
            Feature::PublisherExclusion,
            Feature::PublisherIdentification,
            Feature::PublicationTrustLevels,
            Feature::SubscriptionMetaApi,
            Feature::PatternBasedSubscription,
            Feature::EventRetention,
            Feature::SubscriptionRevocation,
            Feature::SessionMetaApi,
            Feature::PayloadPassthruMode,
        ]
    );
    assert_eq!(
        announced(RoleName::Dealer),
        [
            Feature::ProgressiveCallResults,
            Feature::ProgressiveCallInvocations,
            Feature::CallTimeout,
            Feature::CallCanceling,
            Feature::CallerIdentification,
            Feature::CallTrustLevels,
            Feature::RegistrationMetaApi,
            Feature::PatternBasedRegistration,
            Feature::SharedRegistration,
            Feature::RegistrationRevocation,
            Feature::CallReroute,
            Feature::TestamentMetaApi,
            Feature::SessionMetaApi,
            Feature::PayloadPassthruMode,
        ]
    );
    assert!(!roles.has(RoleName::Caller));
}

#[test]
fn a_history_is_announced_only_where_one_is_kept() {
    let log = Pattern::prefix("com.log").unwrap();
    for (realm, announced) in [
        (Realm::new("realm1"), false),
        (Realm::new("realm1").history(log, 10, 1_000), true),
    ] {
        let welcome = Client::new(realm).admitted(hello(|_| ())).welcome();
        let roles = welcome.details.roles();
        assert_eq!(
            roles.supports(RoleName::Broker, Feature::EventHistory),
            announced
        );
    }
}

#[test]
fn an_unknown_realm_is_refused() {
    let reason = Client::new("realm2".into()).refused(hello(|_| ()));
    assert_eq!(reason, reason::NO_SUCH_REALM);
}

#[test]
fn a_hello_without_a_client_role_is_a_violation() {
    for roles in [Dict::new(), Dict::from([("broker", Dict::new())])] {
        let message = hello(|details| _ = details.set_roles(RoleFeatures::from_dict(&roles)));
        let reason = Client::new("realm1".into()).refused(message);
        assert_eq!(reason, reason::PROTOCOL_VIOLATION);
    }
}

#[test]
fn anything_but_hello_is_a_violation_before_it() {
    let reason = Client::new("realm1".into()).refused(answer("x"));
    assert_eq!(reason, reason::PROTOCOL_VIOLATION);
}

#[test]
fn anything_but_authenticate_is_a_violation_after_a_challenge() {
    let mut client = Client::new(private());
    client.challenged(by(&["ticket"], "joe"));
    assert_eq!(client.refused(hello(|_| ())), reason::PROTOCOL_VIOLATION);
}

#[test]
fn an_abort_is_not_answered() {
    let mut client = Client::new(private());
    client.challenged(by(&["ticket"], "joe"));
    let abort = abort(reason::AUTHENTICATION_FAILED, "changed my mind");
    assert!(matches!(client.send(abort.into()), Step::Close));
}

#[test]
fn the_right_ticket_is_welcome_with_the_role_of_its_owner() {
    let mut client = Client::new(private());
    let challenge = client.challenged(by(&["ticket"], "joe"));
    assert_eq!(challenge.method, "ticket");
    assert!(challenge.extra.is_empty());
    let welcome = client.admitted(answer("joe's ticket")).welcome();
    assert_eq!(welcome.details.authid(), Some("joe"));
    assert_eq!(welcome.details.authrole(), Some("user"));
    assert_eq!(welcome.details.authmethod(), Some("ticket"));
    assert_eq!(welcome.details.authprovider(), Some("static"));
}

#[test]
fn a_principal_is_trusted_as_far_as_its_role() {
    let mut client = Client::new(private().trustlevel("user", 3));
    client.challenged(by(&["ticket"], "joe"));
    let admission = client.admitted(answer("joe's ticket"));
    assert_eq!(admission.principal.trustlevel, Some(3));
    let admission = Client::new("realm1".into()).admitted(hello(|_| ()));
    assert_eq!(admission.principal.trustlevel, None);
}

#[test]
fn a_wrong_ticket_is_denied() {
    for wrong in ["", "joe's ticke", "ann's secret"] {
        let mut client = Client::new(private());
        client.challenged(by(&["ticket"], "joe"));
        assert_eq!(client.refused(answer(wrong)), reason::AUTHENTICATION_DENIED);
    }
}

#[test]
fn a_signed_challenge_is_welcome() {
    use data_encoding::BASE64;
    use hmac::{Hmac, KeyInit, Mac};

    let mut client = Client::new(private());
    let challenge = client.challenged(by(&["wampcra"], "ann"));
    assert_eq!(challenge.method, "wampcra");
    assert!(!challenge.extra.contains_key("salt"));
    let text = challenge.extra.get("challenge").unwrap().as_str().unwrap();
    assert!(text.contains(r#""session":7"#));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"ann's secret").unwrap();
    mac.update(text.as_bytes());
    let signature = BASE64.encode(&mac.finalize().into_bytes());
    assert_eq!(
        client.admitted(answer(&signature)).principal.authrole,
        "admin"
    );
}

#[test]
fn a_wrong_signature_is_denied() {
    let mut client = Client::new(private());
    client.challenged(by(&["wampcra"], "ann"));
    let reason = client.refused(answer("GM5FeMYsAwxQNsrVu+Tm5Hnp75yvpsYjJyW3hIHaOf0="));
    assert_eq!(reason, reason::AUTHENTICATION_DENIED);
}

#[test]
fn a_salted_secret_tells_the_client_how_to_derive_the_key() {
    let secret = CraSecret::salted("secret", "salt")
        .iterations(5)
        .key_length(16);
    let mut client = Client::new(Realm::new("realm1").cra("ann", secret, "user"));
    let challenge = client.challenged(by(&["wampcra"], "ann"));
    assert_eq!(challenge.extra.get("salt").unwrap().as_str(), Some("salt"));
    assert_eq!(challenge.extra.get("iterations").unwrap().as_u64(), Some(5));
    assert_eq!(challenge.extra.get("keylen").unwrap().as_u64(), Some(16));
}

#[test]
fn the_first_method_offered_that_can_be_used_is() {
    let realm = private().cra("joe", "joe's secret", "user");
    for (methods, chosen) in [
        (["wampcra", "ticket"], "wampcra"),
        (["ticket", "wampcra"], "ticket"),
        (["cryptosign", "ticket"], "ticket"),
    ] {
        let challenge = Client::new(realm.clone()).challenged(by(&methods, "joe"));
        assert_eq!(challenge.method, chosen);
    }
}

#[test]
fn the_reason_says_why_no_method_will_do() {
    for (message, expected) in [
        (hello(|_| ()), reason::AUTHENTICATION_REQUIRED),
        (by(&["anonymous"], "joe"), reason::AUTHENTICATION_REQUIRED),
        (by(&["cryptosign"], "joe"), reason::NO_MATCHING_AUTH_METHOD),
        (by(&["wampcra"], "joe"), reason::NO_MATCHING_AUTH_METHOD),
        (
            by(&["ticket", "wampcra"], "nobody"),
            reason::NO_SUCH_PRINCIPAL,
        ),
        (
            hello(|details| _ = details.set_authmethods(["ticket"])),
            reason::NO_SUCH_PRINCIPAL,
        ),
    ] {
        assert_eq!(Client::new(private()).refused(message), expected);
    }
}

#[test]
fn a_challenge_is_answered_once() {
    let mut client = Client::new(private());
    client.challenged(by(&["ticket"], "joe"));
    client.refused(answer("wrong"));
    assert_eq!(
        client.refused(answer("joe's ticket")),
        reason::PROTOCOL_VIOLATION
    );
}
