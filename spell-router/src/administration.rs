//! What the program around a router may do in its realms.

use std::{fmt, sync::Arc};

use spell_message::{IntoUri, InvalidUri, Pattern, RegistrationId, SessionId, SubscriptionId, Uri};

use crate::{
    Router,
    meta::{Farewell, Revocation, Victims},
    outgoing::Outputs,
    realm::RealmState,
    shared::Shared,
};

/// What the program around a router may do in one of its realms, whoever else [may](crate::MetaApi).
///
/// Each method does what it says before it returns, and takes no longer than a message does. Where
/// nobody is in the realm, there is nothing to see or to take away. It does not keep the router
/// alive.
///
/// ```
/// use bytes::Bytes;
/// use futures_util::{SinkExt, StreamExt};
/// use spell_router::{Farewell, Router};
/// use spell_transport::{Connector, Serialization};
///
/// # #[cfg(feature = "json")]
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let router = Router::local();
/// let mut client = router.connector().connect(&[Serialization::JSON]).await?;
/// client.send(Bytes::from(r#"[1,"realm1",{"roles":{"caller":{}}}]"#)).await?;
/// client.next().await.unwrap()?; // WELCOME
///
/// let realm = router.administration("realm1")?;
/// for session in realm.sessions() {
///     realm.kill(session.id, &Farewell::new().message("good night"));
/// }
/// let goodbye = client.next().await.unwrap()?;
/// assert_eq!(goodbye, r#"[6,{"message":"good night"},"wamp.close.killed"]"#);
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Administration {
    shared: Arc<Shared>,
    realm: Uri,
}

/// A session, as the router knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionDetails {
    /// The id that WELCOME gave it.
    pub id: SessionId,
    /// Whom the router takes it for.
    pub authid: String,
    /// The role the router gave it.
    pub authrole: String,
    /// How it proved who it is, such as `ticket`.
    pub authmethod: &'static str,
}

impl Router {
    /// To look after one of the realms from inside the program.
    ///
    /// # Errors
    ///
    /// [`InvalidUri`] if that is no name of a realm.
    pub fn administration(&self, realm: impl IntoUri) -> Result<Administration, InvalidUri> {
        let realm = realm.into_uri()?;
        let shared = Arc::clone(self.shared());
        Ok(Administration { shared, realm })
    }
}

impl Administration {
    /// The sessions that are in the realm, in no order.
    pub fn sessions(&self) -> Vec<SessionDetails> {
        self.step(|state, _| state.sessions()).unwrap_or_default()
    }

    /// Ends a session: it is told GOODBYE, its testaments are published, and the others are told
    /// that it left. `false` if there is no such session in the realm.
    ///
    /// WAMP spec, "Session Meta API".
    pub fn kill(&self, session: SessionId, farewell: &Farewell) -> bool {
        let victim = Victims::Session(session);
        let killed = self.step(|state, out| state.kill(&victim, None, farewell, out));
        killed.is_some_and(|killed| !killed.is_empty())
    }

    /// The registration of this very pattern, if there is one.
    pub fn registration(&self, procedure: &Pattern) -> Option<RegistrationId> {
        self.step(|state, _| state.registration(procedure))?
    }

    /// The subscription to this very pattern, if there is one.
    pub fn subscription(&self, topic: &Pattern) -> Option<SubscriptionId> {
        self.step(|state, _| state.subscription(topic))?
    }

    /// Takes a registration away. `false` if there is no such registration, or not of that session.
    ///
    /// Calls under way go on.
    ///
    /// WAMP spec, "Registration Revocation".
    pub fn revoke_registration(
        &self,
        registration: RegistrationId,
        revocation: &Revocation,
    ) -> bool {
        let revoked =
            self.step(|state, out| state.revoke_registration(registration, revocation, out));
        revoked.unwrap_or(false)
    }

    /// Takes a subscription away. `false` if there is no such subscription, or not of that session.
    ///
    /// WAMP spec, "Subscription Revocation".
    pub fn revoke_subscription(
        &self,
        subscription: SubscriptionId,
        revocation: &Revocation,
    ) -> bool {
        let revoked =
            self.step(|state, out| state.revoke_subscription(subscription, revocation, out));
        revoked.unwrap_or(false)
    }

    /// `None` if nobody is in the realm.
    fn step<T>(&self, step: impl FnOnce(&mut RealmState, &mut Outputs) -> T) -> Option<T> {
        let realm = self.shared.live(&self.realm)?;
        Some(realm.step(step))
    }
}

impl fmt::Debug for Administration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Administration")
            .field("realm", &self.realm)
            .finish_non_exhaustive()
    }
}
