use std::{
    fmt,
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, Instant},
};

use spell_message::{
    Dict, IntoUri, InvalidUri, Message, Payload, Uri,
    message::{Abort, Challenge, Goodbye, Hello, Kind, Sender, Welcome},
    options::{AbortDetails, GoodbyeDetails, HelloDetails},
    reason,
};
use spell_peer::{
    CloseReason, Commands, Context, Drain, InitError, PeerConfig, Role, SessionEnd, SessionInfo,
    Violation,
};
use tokio::sync::oneshot;
use tracing::debug;

use super::{
    LeaveError, SessionHandle,
    handle::{Ask, Command},
    offers::Offers,
    state::State,
};
use crate::auth::{AuthError, Authenticator};

/// Joins a realm, proves who the peer is, and leaves: HELLO, CHALLENGE, WELCOME, ABORT and GOODBYE.
///
/// The first role of every peer. Without an authenticator the session is anonymous.
///
/// A router that does what the protocol does not allow gets an ABORT, and the session ends. One
/// that wants a method which was not offered, or opens the session without the proof that was
/// offered, is refused with [`CloseReason::Authentication`] before any secret is sent.
///
/// WAMP spec, "Sessions" and "Authentication".
///
/// ```
/// use spell_peer::PeerBuilder;
/// use spell_roles::{Session, auth::{Cra, Ticket}};
///
/// let session = Session::new("com.example.realm")
///     .authenticator(Cra::new("joe", "secret"))
///     .authenticator(Ticket::new("joe", "secret"));
/// let peer = PeerBuilder::new(session);
/// # let _ = peer;
/// ```
pub struct Session {
    realm: Result<Uri, InvalidUri>,
    offers: Offers,
    require_challenge: bool,
    details: HelloDetails,
    leave_timeout: Duration,
    state: State,
    /// Who waits for the router's GOODBYE.
    leaving: Vec<oneshot::Sender<Result<(), LeaveError>>>,
}

impl Session {
    /// A session of `realm`. A realm that is no URI is an error when the peer is built.
    pub fn new(realm: impl IntoUri) -> Self {
        let mut details = HelloDetails::new();
        details.set_agent(concat!("spell/", env!("CARGO_PKG_VERSION")));
        Self {
            realm: realm.into_uri(),
            offers: Offers::default(),
            require_challenge: true,
            details,
            leave_timeout: Duration::from_secs(5),
            state: State::Closed,
            leaving: Vec::new(),
        }
    }

    /// Offer an authentication method. Several are offered in the order they are added; each can
    /// be offered once, and all must name the same `authid`, or none.
    #[must_use]
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Self {
        self.offers.push(authenticator);
        self
    }

    /// Whether a router must ask for the proof that was offered. Default: yes.
    ///
    /// If not, a router, or who passes for one, can open the session without having seen a proof.
    #[must_use]
    pub fn require_challenge(mut self, required: bool) -> Self {
        self.require_challenge = required;
        self
    }

    /// Who the peer says it is. Default: what the authenticators say.
    #[must_use]
    pub fn authid(mut self, authid: impl Into<String>) -> Self {
        self.details.set_authid(authid);
        self
    }

    /// The role to ask for. Not in the specification, but some routers understand it.
    #[must_use]
    pub fn authrole(mut self, authrole: impl Into<String>) -> Self {
        self.details.set_authrole(authrole);
        self
    }

    /// What HELLO says besides, for authentication. A key that an authenticator sets is the
    /// authenticator's.
    #[must_use]
    pub fn authextra(mut self, authextra: Dict) -> Self {
        self.details.set_authextra(authextra);
        self
    }

    /// The software of the client, as HELLO names it. Default: `spell/` and the version.
    #[must_use]
    pub fn agent(mut self, agent: impl Into<String>) -> Self {
        self.details.set_agent(agent);
        self
    }

    /// What HELLO says of the transport, such as a cookie that authenticates.
    #[must_use]
    pub fn transport(mut self, details: Dict) -> Self {
        self.details.set_transport(details);
        self
    }

    /// How long the router may take to answer a GOODBYE. Default: 5 s.
    #[must_use]
    pub fn leave_timeout(mut self, limit: Duration) -> Self {
        self.leave_timeout = limit;
        self
    }

    /// Send HELLO; `authextra` is what the authenticators want in it.
    fn hello(&mut self, authextra: Dict, cx: &mut Context<'_, Command>) {
        // A realm that is none was an error in `init`.
        let Ok(realm) = self.realm.clone() else {
            return;
        };
        let mut details = self.details.clone();
        details.set_roles(cx.announced().clone());
        if !self.offers.is_empty() {
            details.set_authmethods(self.offers.methods());
        }
        if details.authid().is_none()
            && let Some(authid) = self.offers.authid()
        {
            details.set_authid(authid);
        }
        if !authextra.is_empty() {
            let mut extra = details.authextra().cloned().unwrap_or_default();
            extra.extend(authextra);
            details.set_authextra(extra);
        }
        match cx.send(Hello { realm, details }) {
            Ok(()) => self.state = State::HelloSent,
            Err(source) => {
                let message = "HELLO";
                cx.close(authentication(AuthError::Send { message, source }));
            }
        }
    }

    fn challenge(&mut self, challenge: Challenge, cx: &mut Context<'_, Command>) {
        debug!(method = ?challenge.method, "challenged");
        match self.offers.challenge(challenge) {
            Ok(answer) => {
                self.state = State::Challenged;
                cx.spawn(async { Command(Ask::Answer(answer.await)) });
            }
            Err(error) => refuse(error, cx),
        }
    }

    fn welcome(&mut self, welcome: Welcome, cx: &mut Context<'_, Command>) {
        match self.offers.welcome(&welcome, self.require_challenge) {
            Ok(None) => self.join(welcome, cx),
            Ok(Some(check)) => {
                self.state = State::Checking(Box::new(welcome));
                cx.spawn(async { Command(Ask::Checked(check.await)) });
            }
            Err(error) => refuse(error, cx),
        }
    }

    fn join(&mut self, welcome: Welcome, cx: &mut Context<'_, Command>) {
        if let Ok(realm) = self.realm.clone() {
            self.state = State::Established;
            cx.join(SessionInfo::new(welcome.session, realm, welcome.details));
        }
    }

    fn leave(
        &mut self,
        goodbye: Goodbye,
        drain: Option<Duration>,
        reply: oneshot::Sender<Result<(), LeaveError>>,
        cx: &mut Context<'_, Command>,
    ) {
        match (&self.state, drain) {
            (State::Established, None) => {
                self.leaving.push(reply);
                self.farewell(goodbye, None, cx);
            }
            (State::Established, Some(limit)) => {
                self.leaving.push(reply);
                self.state = State::Draining {
                    goodbye: Box::new(goodbye),
                    limit,
                    by: cx.now().checked_add(limit),
                    is_overdue: false,
                };
                cx.drain();
            }
            (State::Draining { .. }, Some(_)) | (State::Leaving { .. }, _) => {
                self.leaving.push(reply);
            }
            (State::Draining { .. }, None) => {
                self.leaving.push(reply);
                self.overdue(cx);
            }
            // WAMP spec, "GOODBYE": a session that is not open has none.
            _ => {
                if let State::Checking(_) = self.state {
                    // As far as it can be told; there is nothing to wait for.
                    let _ = cx.send(goodbye);
                }
                cx.finish(CloseReason::Left);
                cx.close(CloseReason::Left);
                let _ = reply.send(Ok(()));
            }
        }
    }

    /// Say GOODBYE, and wait for the router's; `overdue` is the time in which what was under way
    /// should have been finished, if it was not.
    fn farewell(
        &mut self,
        goodbye: Goodbye,
        overdue: Option<Duration>,
        cx: &mut Context<'_, Command>,
    ) {
        match cx.send(goodbye) {
            Ok(()) => {
                let by = cx.now().checked_add(self.leave_timeout);
                self.state = State::Leaving { by, overdue };
                cx.finish(CloseReason::Left);
            }
            Err(error) => {
                self.state = State::Established;
                self.tell_leaving(&Err(LeaveError::Send(Arc::new(error))));
            }
        }
    }

    /// What is under way is not waited for any longer.
    fn overdue(&mut self, cx: &mut Context<'_, Command>) {
        if let State::Draining { is_overdue, .. } = &mut self.state {
            *is_overdue = true;
            cx.overdue();
        }
    }

    /// The wait for the router's GOODBYE is over.
    fn left(&mut self, answer: &Result<(), LeaveError>, cx: &mut Context<'_, Command>) {
        self.tell_leaving(answer);
        cx.close(CloseReason::Left);
    }

    fn tell_leaving(&mut self, answer: &Result<(), LeaveError>) {
        for reply in self.leaving.drain(..) {
            // Who asked may have stopped waiting.
            let _ = reply.send(answer.clone());
        }
    }
}

impl Role for Session {
    fn realm(&self) -> Option<&Uri> {
        self.realm.as_ref().ok()
    }

    type Command = Command;
    type Handle = SessionHandle;

    fn handle(commands: Commands<Command>) -> SessionHandle {
        SessionHandle::new(commands)
    }

    fn init(&mut self, _: &PeerConfig) -> Result<(), InitError> {
        if let Err(error) = &self.realm {
            return Err(InitError::because("the realm is not valid", error.clone()));
        }
        self.offers.check()
    }

    fn on_open(&mut self, cx: &mut Context<'_, Command>) {
        if self.offers.is_empty() {
            return self.hello(Dict::new(), cx);
        }
        self.state = State::Preparing;
        let prepared = self.offers.prepare();
        cx.spawn(async { Command(Ask::Prepared(prepared.await)) });
    }

    fn reads(&self, kind: Option<Kind>) -> bool {
        let is_open = matches!(self.state, State::Established | State::Draining { .. });
        !is_open || matches!(kind, Some(Kind::Abort | Kind::Goodbye))
    }

    fn on_message(
        &mut self,
        message: Message,
        cx: &mut Context<'_, Command>,
    ) -> ControlFlow<(), Message> {
        match (&self.state, message) {
            // WAMP spec, "ABORT": ends what there is, at any time, and is never answered.
            (State::Leaving { .. }, Message::Abort(_)) => {
                self.left(&Err(LeaveError::Interrupted), cx);
            }
            (_, Message::Abort(abort)) => cx.close(CloseReason::Aborted(Arc::new(abort))),

            // Both sides may say goodbye at once: either one answers the other.
            (State::Leaving { overdue, .. }, Message::Goodbye(_)) => {
                let answer = overdue.map_or(Ok(()), |limit| Err(LeaveError::Overdue(limit)));
                self.left(&answer, cx);
            }
            (State::Leaving { .. }, _) => {}
            (
                State::Established | State::Draining { .. } | State::Checking(_),
                Message::Goodbye(goodbye),
            ) => {
                send_goodbye(reason::GOODBYE_AND_OUT, cx);
                cx.close(CloseReason::Goodbye(Arc::new(goodbye)));
            }
            // The engine judges what none of the other roles claims.
            (State::Established | State::Draining { .. }, other) => {
                return ControlFlow::Continue(other);
            }

            (State::HelloSent | State::Authenticating, Message::Welcome(welcome)) => {
                self.welcome(welcome, cx);
            }
            (State::HelloSent | State::Authenticating, Message::Challenge(challenge)) => {
                self.challenge(challenge, cx);
            }
            // The router's session is open, but nothing was asked for in it yet.
            (State::Checking(_), other) if is_of_a_session(&other) => {}

            (_, unknown @ Message::Unknown(_)) => return ControlFlow::Continue(unknown),
            (state, other) => cx.violation(Violation::Unexpected {
                message: other.name(),
                when: state.when(),
            }),
        }
        ControlFlow::Break(())
    }

    fn handle_call(&mut self, Command(ask): Command, cx: &mut Context<'_, Command>) {
        match (ask, &mut self.state) {
            (
                Ask::Leave {
                    goodbye,
                    drain,
                    reply,
                },
                _,
            ) => self.leave(goodbye, drain, reply, cx),
            (Ask::Prepared(Ok(authextra)), State::Preparing) => self.hello(authextra, cx),
            // Nothing was said to the router yet, so it is told nothing.
            (Ask::Prepared(Err(error)), State::Preparing) => cx.close(authentication(error)),
            (Ask::Answer(Ok(answer)), State::Challenged) => match cx.send(answer) {
                Ok(()) => self.state = State::Authenticating,
                Err(source) => {
                    let message = "AUTHENTICATE";
                    refuse(AuthError::Send { message, source }, cx);
                }
            },
            (Ask::Checked(Ok(())), State::Checking(welcome)) => {
                let welcome = (**welcome).clone();
                self.join(welcome, cx);
            }
            (Ask::Answer(Err(error)), State::Challenged)
            | (Ask::Checked(Err(error)), State::Checking(_)) => refuse(error, cx),
            // The attempt it was for is over.
            (Ask::Prepared(_) | Ask::Answer(_) | Ask::Checked(_), _) => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Leaving { by, .. } | State::Draining { by, .. } => by,
            _ => None,
        }
    }

    fn on_deadline(&mut self, cx: &mut Context<'_, Command>) {
        match self.state {
            State::Leaving { .. } => {
                self.left(&Err(LeaveError::Unanswered(self.leave_timeout)), cx);
            }
            State::Draining { .. } => self.overdue(cx),
            _ => {}
        }
    }

    fn on_drain(&mut self, step: Drain, cx: &mut Context<'_, Command>) {
        if step != Drain::Done {
            return;
        }
        if let State::Draining {
            goodbye,
            limit,
            is_overdue,
            ..
        } = &self.state
        {
            let (goodbye, overdue) = ((**goodbye).clone(), is_overdue.then_some(*limit));
            self.farewell(goodbye, overdue, cx);
        }
    }

    fn on_stop(&mut self, cx: &mut Context<'_, Command>) {
        if let State::Established | State::Draining { .. } | State::Checking(_) = self.state {
            send_goodbye(reason::CLOSE_REALM, cx);
        }
    }

    fn on_close(&mut self, _: &SessionEnd) {
        self.state = State::Closed;
        self.tell_leaving(&Err(LeaveError::Interrupted));
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // HELLO's details can hold tokens.
        f.debug_struct("Session")
            .field("realm", &self.realm)
            .field("authenticators", &self.offers)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Whether a router may send it in a session.
fn is_of_a_session(message: &Message) -> bool {
    let opens = matches!(message, Message::Welcome(_) | Message::Challenge(_));
    !opens
        && message
            .kind()
            .is_some_and(|kind| kind.sender() != Sender::Client)
}

/// Break the join off.
fn refuse(error: AuthError, cx: &mut Context<'_, Command>) {
    debug!(%error, "the join is broken off");
    if let Ok(reason) = Uri::new(error.reason()) {
        let mut details = AbortDetails::new();
        details.set_message(error.to_string());
        let abort = Abort {
            details,
            reason,
            payload: Payload::default(),
        };
        // What cannot be told is not told; the connection ends all the same.
        let _ = cx.send(abort);
    }
    cx.close(authentication(error));
}

fn authentication(error: AuthError) -> CloseReason {
    match error {
        AuthError::Unavailable(_) => CloseReason::CredentialsUnavailable(Arc::new(error)),
        _ => CloseReason::Authentication(Arc::new(error)),
    }
}

/// Say goodbye without waiting for an answer.
fn send_goodbye(reason: &str, cx: &mut Context<'_, Command>) {
    if let Ok(reason) = Uri::new(reason) {
        let details = GoodbyeDetails::new();
        // As above.
        let _ = cx.send(Goodbye { details, reason });
    }
}
