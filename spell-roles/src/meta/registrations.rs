use spell_message::{
    Dict, Feature, IntoUri, MatchPolicy, RegistrationId, RoleName, SessionId,
    options::{InvocationPolicy, RegisterOptions},
};

use super::{
    IdsByMatch, Meta, MetaCall,
    details::{details_methods, policy},
};

const NEEDS: (RoleName, Feature) = (RoleName::Dealer, Feature::RegistrationMetaApi);

/// The registration meta API.
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Callee, Caller, Session};
/// use spell_roles::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
/// # let peer = peer.role(Caller::new()).role(Callee::new());
/// # let peer = peer.connect(router.connector()).await?;
/// let add2 = peer
///     .register("com.example.add2")
///     .handler(|(a, b): (i64, i64)| async move { Ok(a + b) })
///     .await?;
///
/// let meta = peer.meta();
/// let id = meta.registration_match("com.example.add2").await?;
/// assert_eq!(id, add2.id());
/// let id = id.ok_or("nobody registered it")?;
/// assert_eq!(meta.registration_get(id).await?.uri(), "com.example.add2");
/// assert_eq!(meta.registration_count_callees(id).await?, 1);
/// assert_eq!(meta.registration_match("com.example.sub2").await?, None);
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "Registration Meta API".
impl<'a> Meta<'a> {
    /// All registrations of the realm.
    ///
    /// `wamp.registration.list`
    pub fn registration_list(self) -> MetaCall<'a, IdsByMatch<RegistrationId>> {
        self.call("wamp.registration.list", NEEDS, [], |args| {
            IdsByMatch::read("registration_ids", args)
        })
    }

    /// The registration of exactly this procedure or pattern, if there is one.
    ///
    /// `wamp.registration.lookup`
    pub fn registration_lookup(
        self,
        procedure: impl Into<String>,
    ) -> MetaCall<'a, Option<RegistrationId>, LookupRegistration> {
        let args = [procedure.into().into()];
        self.call("wamp.registration.lookup", NEEDS, args, |args| {
            args.next("registration").optional_id()
        })
    }

    /// The registration that a call of the procedure would be routed to, if there is one.
    ///
    /// `wamp.registration.match`
    pub fn registration_match(
        self,
        procedure: impl IntoUri,
    ) -> MetaCall<'a, Option<RegistrationId>> {
        let call = self.call("wamp.registration.match", NEEDS, [], |args| {
            args.next("registration").optional_id()
        });
        call.uri_arg(procedure.into_uri())
    }

    /// What the router tells of a registration. One that is not there, here and below, is refused
    /// with [`NO_SUCH_REGISTRATION`](spell_message::reason::NO_SUCH_REGISTRATION).
    ///
    /// `wamp.registration.get`
    pub fn registration_get(
        self,
        registration: RegistrationId,
    ) -> MetaCall<'a, RegistrationDetails> {
        let args = [registration.into()];
        self.call("wamp.registration.get", NEEDS, args, |args| {
            RegistrationDetails::read("registration", args)
        })
    }

    /// The sessions that have this registration.
    ///
    /// `wamp.registration.list_callees`
    pub fn registration_list_callees(
        self,
        registration: RegistrationId,
    ) -> MetaCall<'a, Vec<SessionId>> {
        let args = [registration.into()];
        self.call("wamp.registration.list_callees", NEEDS, args, |args| {
            args.next("callee_ids").ids()
        })
    }

    /// How many sessions have this registration.
    ///
    /// `wamp.registration.count_callees`
    pub fn registration_count_callees(self, registration: RegistrationId) -> MetaCall<'a, u64> {
        let args = [registration.into()];
        self.call("wamp.registration.count_callees", NEEDS, args, |args| {
            args.next("count").count()
        })
    }

    /// Take a registration from a session that has it. A session that is not there, or does not
    /// have it, is refused.
    ///
    /// Not in the specification but in its catalog of the meta API; Crossbar.io has it.
    ///
    /// `wamp.registration.remove_callee`
    pub fn registration_remove_callee(
        self,
        registration: RegistrationId,
        callee: SessionId,
    ) -> MetaCall<'a, (), Remove> {
        let args = [registration.into(), callee.into()];
        self.call("wamp.registration.remove_callee", NEEDS, args, |_| Ok(()))
    }
}

/// Marks a [`MetaCall`] that takes a registration or a subscription from a session.
#[derive(Debug)]
#[non_exhaustive]
pub struct Remove;

impl<T> MetaCall<'_, T, Remove> {
    /// A text for the session that loses it; default none.
    pub fn reason(self, reason: impl Into<String>) -> Self {
        self.option("reason", reason.into())
    }
}

/// Marks a [`MetaCall`] that looks for a registration.
#[derive(Debug)]
#[non_exhaustive]
pub struct LookupRegistration;

impl<T> MetaCall<'_, T, LookupRegistration> {
    /// How the registration matches procedures; default exactly.
    pub fn match_policy(self, policy: MatchPolicy) -> Self {
        self.lookup_option("match", policy.as_str())
    }

    /// The options that the registration would be made with.
    pub fn options(self, options: RegisterOptions) -> Self {
        self.lookup_options(options.into_dict())
    }
}

/// What a router tells of a registration: by [`Meta::registration_get`], and when it is created.
///
/// WAMP spec, "Registration Meta API".
#[derive(Clone, Debug, PartialEq)]
pub struct RegistrationDetails {
    id: RegistrationId,
    uri: String,
    details: Dict,
}

impl RegistrationDetails {
    details_methods!(RegistrationId);

    /// How its callees take turns; `None` if that is none of the specification's ways.
    pub fn invoke(&self) -> Option<InvocationPolicy> {
        policy(&self.details, "invoke")
    }
}
