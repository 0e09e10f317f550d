use std::{pin::Pin, time::Duration};

use spell_message::{
    IntoUri, InvalidUri, MatchPolicy, Pattern, Uri, Value,
    options::{InvalidOption, InvocationPolicy, RegisterOptions},
    reason,
};

use super::{
    Conflict, Handled, Invocation, InvocationHandler, PendingRegister, Registration,
    handler::Handler, prepared::Prepared, registration::Shared, role::Command,
};
use crate::{
    RegisterError,
    methods::limit_methods,
    passthru::Passthru,
    queue::{Bounds, Consumer, Overflow},
    request::Requests,
};

/// A registration in the making; `.await` registers the procedure and gives a stream of its
/// invocations, unless [`handler`](Self::handler) is given one.
///
/// If there is no session, it waits for one.
///
/// # Errors
///
/// What was given is checked when it is awaited. A router that has the procedure already answers
/// `wamp.error.procedure_already_exists` ([`RegisterError::Refused`]); one that cannot match
/// patterns, share procedures, disclose callers or forward time-outs is not asked for it
/// ([`RegisterError::Unsupported`]).
/// [`RegisterError::Closed`] if the session ends before the answer came.
///
/// Registering a *shared* procedure twice on one peer is refused here
/// ([`RegisterError::AlreadyRegistered`]): its invocations could not be told apart.
///
/// # Cancel safety
///
/// Dropped early, the registration is given up: what the router granted is unregistered. When the
/// same procedure is registered again at once, that waits until it is.
///
/// WAMP spec, "REGISTER".
#[derive(Debug)]
#[must_use = "a procedure is registered only when this is awaited"]
pub struct Register<'a> {
    requests: &'a Requests<Command>,
    procedure: String,
    options: Result<RegisterOptions, InvalidOption>,
    error_uri: Option<Result<Uri, InvalidUri>>,
    bounds: Bounds,
    parts: Bounds,
    concurrency: usize,
    limit: Option<Duration>,
    codec: Option<Passthru>,
    conflict: Conflict,
}

impl<'a> Register<'a> {
    pub(super) fn new(requests: &'a Requests<Command>, procedure: &str) -> Self {
        Self {
            requests,
            procedure: procedure.to_owned(),
            options: Ok(RegisterOptions::new()),
            error_uri: None,
            bounds: Bounds {
                count: QUEUE_COUNT,
                bytes: QUEUE_BYTES,
                overflow: Overflow::DropNewest,
            },
            parts: Bounds {
                count: PARTS_COUNT,
                bytes: PARTS_BYTES,
                overflow: Overflow::DropNewest,
            },
            concurrency: CONCURRENCY,
            limit: requests.commands().request_timeout(),
            codec: None,
            conflict: Conflict::default(),
        }
    }

    limit_methods!();

    /// Register all procedures that begin with the text, character by character.
    pub fn prefix(self) -> Self {
        self.match_policy(MatchPolicy::Prefix)
    }

    /// Register all procedures with as many components, where an empty one in the text stands for
    /// any.
    pub fn wildcard(self) -> Self {
        self.match_policy(MatchPolicy::Wildcard)
    }

    /// How procedures are matched; default exactly.
    ///
    /// WAMP spec, "Pattern-based Registrations".
    pub fn match_policy(self, policy: MatchPolicy) -> Self {
        self.with(|options| _ = options.set_match_policy(policy))
    }

    /// Share the procedure with other callees. Default: it has one callee only.
    ///
    /// WAMP spec, "Shared Registration".
    pub fn invoke(self, policy: InvocationPolicy) -> Self {
        self.with(|options| _ = options.set_invoke(policy))
    }

    /// Ask the router to disclose who calls; see
    /// [`InvocationInfo::caller`](super::InvocationInfo::caller). The router must have announced
    /// `caller_identification`.
    ///
    /// WAMP spec, "Caller Identification".
    pub fn disclose_caller(self) -> Self {
        self.with(|options| _ = options.set_disclose_caller(true))
    }

    /// Leave it to this peer to keep the time-outs of callers, rather than to the router, which
    /// must have announced `call_timeout`.
    ///
    /// When the time is up, whatever the user does, the caller gets an ERROR `wamp.error.timeout`
    /// and the invocation is [interrupted](super::Interruption::TimedOut). The time begins with the
    /// INVOCATION, and anew with each progressive result.
    ///
    /// ```
    /// # use spell_peer::PeerBuilder;
    /// # use spell_roles::{Callee, Caller, Session};
    /// use spell_message::reason;
    /// use spell_roles::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let router = spell_router::Router::local();
    /// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
    /// # let peer = peer.role(Caller::new()).role(Callee::new());
    /// # let peer = peer.connect(router.connector()).await?;
    /// let sleep = peer.register("com.example.sleep").forward_timeout();
    /// let sleep = sleep.handler(|(): ()| async move {
    ///     std::future::pending::<()>().await;
    ///     Ok(())
    /// });
    /// let _sleep = sleep.await?;
    ///
    /// // In milliseconds.
    /// let error = peer.call("com.example.sleep").option("timeout", 20).await.unwrap_err();
    /// assert_eq!(error.uri().map(|uri| uri.as_str()), Some(reason::TIMEOUT));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// WAMP spec, "Call Timeouts".
    pub fn forward_timeout(self) -> Self {
        self.with(|options| _ = options.set_forward_timeout(true))
    }

    /// Open the arguments of invocations that come sealed, by this codec, when they are read; their
    /// answers, errors among them, are sealed by the same. Invocations that are not sealed are taken
    /// if the codec takes such.
    ///
    /// Arguments that cannot be opened are an error where they are read, which a handler answers
    /// with `wamp.error.invalid_argument`. See [`passthru`](crate::passthru).
    ///
    /// WAMP spec, "Payload Passthru Mode".
    pub fn passthru(mut self, codec: impl Into<Passthru>) -> Self {
        self.codec = Some(codec.into());
        self
    }

    /// Set one option of REGISTER: one that has no method here, or an extension of the router.
    pub fn option(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.options = self.options.and_then(|mut options| {
            options.set(key, value)?;
            Ok(options)
        });
        self
    }

    /// Replace all options of REGISTER.
    pub fn options(mut self, options: RegisterOptions) -> Self {
        self.options = Ok(options);
        self
    }

    /// How many invocations may wait to be read; more are answered with an ERROR
    /// `wamp.error.unavailable`. Default: 256.
    pub fn queue_count(mut self, count: usize) -> Self {
        self.bounds.count = count;
        self
    }

    /// How many bytes all waiting invocations may have, details and arguments counted; more are
    /// answered with an ERROR `wamp.error.unavailable`. Default: 8 MiB.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.bounds.bytes = bytes;
        self
    }

    /// How many parts of one progressive invocation may wait to be read; with more, the invocation
    /// is over: see [`Parts`](super::Parts). Default: 256.
    pub fn parts_count(mut self, count: usize) -> Self {
        self.parts.count = count;
        self
    }

    /// How many bytes all waiting parts of one progressive invocation may have, details and
    /// arguments counted; with more, the invocation is over: see [`Parts`](super::Parts). Default:
    /// 4 MiB.
    pub fn parts_bytes(mut self, bytes: usize) -> Self {
        self.parts.bytes = bytes;
        self
    }

    /// How many invocations a handler may work on at a time, at least 1; the others wait in the
    /// queue, and when that is full, more are answered with an ERROR `wamp.error.unavailable`. So no
    /// more than both together are kept, however many come, and each is answered. Default: 64.
    ///
    /// They begin in the order in which they came, and end as they like; with 1, each begins after
    /// the one before has ended.
    pub fn concurrency(mut self, limit: usize) -> Self {
        self.concurrency = limit;
        self
    }

    /// What to do when another session has the procedure as it is restored after a reconnect; most
    /// often that is this peer's own last session, which the router did not see end. Default: wait
    /// for up to 60 s.
    ///
    /// Other registrations and subscriptions are restored meanwhile.
    /// [`Registration::is_in_conflict`] tells of it.
    pub fn on_conflict(mut self, conflict: Conflict) -> Self {
        self.conflict = conflict;
        self
    }

    /// The ERROR that answers what is dropped unanswered, by a panic too, or cannot be encoded.
    /// Default: `wamp.error.runtime_error`.
    pub fn error_uri(mut self, uri: impl IntoUri) -> Self {
        self.error_uri = Some(uri.into_uri());
        self
    }

    /// Answer invocations by an async closure, beside each other and on all threads of the runtime, as
    /// many at a time as [`concurrency`](Self::concurrency) says.
    ///
    /// See [`FromInvocation`](super::FromInvocation) for what it can be called with, up to four of
    /// these at once, [`IntoResult`](super::IntoResult) for what it can give, and
    /// [`InvocationError`](super::InvocationError) for how it fails. When the caller gives up, the
    /// time is up, or the session ends, the closure's future is dropped where it stands, unless it
    /// takes an [`Interrupt`](super::Interrupt); spawn a task for what must be finished.
    ///
    /// ```
    /// # use spell_peer::PeerBuilder;
    /// # use spell_roles::{Callee, Caller, Session};
    /// use spell_roles::prelude::*;
    /// use spell_roles::InvocationError;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let router = spell_router::Router::local();
    /// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
    /// # let peer = peer.role(Caller::new()).role(Callee::new());
    /// # let peer = peer.connect(router.connector()).await?;
    /// let _divide = peer
    ///     .register("com.example.divide")
    ///     .handler(|(a, b): (i64, i64)| async move {
    ///         let by_zero = || InvocationError::new("com.example.error.by_zero").arg(a);
    ///         a.checked_div(b).ok_or_else(by_zero)
    ///     })
    ///     .await?;
    ///
    /// let half: i64 = peer.call("com.example.divide").args((6, 2)).await?.value()?;
    /// assert_eq!(half, 3);
    /// let error = peer.call("com.example.divide").args((6, 0)).await.unwrap_err();
    /// assert_eq!(error.uri().map(|uri| uri.as_str()), Some("com.example.error.by_zero"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// The future it gives must be awaited on a tokio runtime. A panic of the closure is answered
    /// with an ERROR, see [`error_uri`](Self::error_uri).
    pub fn handler<A: 'static>(self, handler: impl InvocationHandler<A>) -> RegisterHandler<'a> {
        RegisterHandler {
            register: self,
            handler: Handler::new(handler),
        }
    }

    /// Register: what `.await` does, without the box.
    pub async fn send(mut self) -> Result<Registration, RegisterError> {
        let finish = stream(self.codec.take());
        self.prepare()?.send(finish).await
    }

    /// Send REGISTER, and wait only until it has its id. The answer can be waited for later.
    ///
    /// ```
    /// # use spell_peer::PeerBuilder;
    /// # use spell_roles::{Callee, Session};
    /// use spell_roles::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let router = spell_router::Router::local();
    /// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
    /// # let peer = peer.role(Callee::new());
    /// # let peer = peer.connect(router.connector()).await?;
    /// let first = peer.register("com.example.first").start().await?;
    /// let second = peer.register("com.example.second").start().await?;
    /// assert!(first.id() < second.id());
    /// let (first, second) = (first.await?, second.await?);
    /// assert_ne!(first.id(), second.id());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// What kept it from being sent.
    ///
    /// # Cancel safety
    ///
    /// As for the registration itself.
    pub async fn start(mut self) -> Result<PendingRegister, RegisterError> {
        let finish = stream(self.codec.take());
        self.prepare()?.start(finish).await
    }

    /// All that can fail because of the user.
    fn prepare(self) -> Result<Prepared, RegisterError> {
        let options = self.options?;
        let policy = options.match_policy().unwrap_or_default();
        let procedure = Pattern::new(&self.procedure, policy)?;
        let error_uri = match self.error_uri {
            Some(uri) => uri?,
            None => Uri::new(reason::RUNTIME_ERROR)?,
        };
        Ok(Prepared {
            requests: self.requests.clone(),
            procedure,
            options,
            error_uri,
            bounds: self.bounds,
            parts: self.parts,
            limit: self.limit,
            conflict: self.conflict,
        })
    }

    fn with(mut self, set: impl FnOnce(&mut RegisterOptions)) -> Self {
        if let Ok(options) = &mut self.options {
            set(options);
        }
        self
    }
}

impl<'a> IntoFuture for Register<'a> {
    type Output = Result<Registration, RegisterError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// A registration with a handler, in the making; `.await` registers the procedure.
///
/// Cancel safety and errors are those of [`Register`].
#[derive(Debug)]
#[must_use = "a procedure is registered only when this is awaited"]
pub struct RegisterHandler<'a> {
    register: Register<'a>,
    handler: Handler,
}

impl<'a> RegisterHandler<'a> {
    /// Register: what `.await` does, without the box.
    pub async fn send(self) -> Result<Registration<Handled>, RegisterError> {
        let (register, finish) = self.split();
        register.prepare()?.send(finish).await
    }

    /// Send REGISTER, and wait only until it has its id; see [`Register::start`].
    ///
    /// # Errors
    ///
    /// What kept it from being sent.
    ///
    /// # Cancel safety
    ///
    /// As for the registration itself.
    pub async fn start(self) -> Result<PendingRegister<Handled>, RegisterError> {
        let (register, finish) = self.split();
        register.prepare()?.start(finish).await
    }

    /// The registration itself, and what makes one with a handler of it.
    fn split(
        self,
    ) -> (
        Register<'a>,
        impl FnOnce(Shared, Consumer<Invocation>) -> Registration<Handled> + Send + 'static,
    ) {
        let Self {
            mut register,
            handler,
        } = self;
        let (codec, concurrency) = (register.codec.take(), register.concurrency);
        let finish = move |shared, invocations| {
            handler.serve(invocations, codec, concurrency);
            Registration::handled(shared)
        };
        (register, finish)
    }
}

/// What makes a stream of a registration.
fn stream(codec: Option<Passthru>) -> impl FnOnce(Shared, Consumer<Invocation>) -> Registration {
    move |shared, invocations| Registration::stream(shared, invocations, codec)
}

impl<'a> IntoFuture for RegisterHandler<'a> {
    type Output = Result<Registration<Handled>, RegisterError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

const QUEUE_COUNT: usize = 256;
const QUEUE_BYTES: usize = 8 << 20;
const PARTS_COUNT: usize = 256;
const PARTS_BYTES: usize = 4 << 20;
const CONCURRENCY: usize = 64;
