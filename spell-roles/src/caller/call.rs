use std::{num::NonZeroU64, pin::Pin, sync::Arc, time::Duration};

use spell_message::{
    Feature, InvalidUri, Payload, RequestId, RoleName, Uri, Value,
    options::{CallOptions, CancelMode, InvalidOption},
};
use spell_serializer::PayloadBuilder;
use tracing::{debug_span, field::Empty};

use super::{
    CallArguments, CallResult, IdempotentCall, PendingCall, ProgressiveCall,
    ongoing::{Arguments, Results, Streams},
    role::{CallReply, Command, NewCall, Order, StartedCall},
    sealing::{Sealing, open},
};
use crate::{
    CallError, methods::argument_methods, passthru::Passthru, repeat::Budget, request::Requests,
    span::RequestSpan, started::IdSlot,
};

/// A call in the making; `.await` sends it and waits for the result.
///
/// # Errors
///
/// What was given is checked when it is awaited: a bad name, arguments that cannot be encoded and
/// an invalid option all end the call before anything is sent. Without a session it fails with
/// [`CallError::Closed`], unless it is told to [wait for one](Self::wait_for_session). See
/// [`CallError`] for the rest. A call is sent once; if its session ends before the result came, the
/// error says whether it was sent, and only an [idempotent](Self::idempotent) one is sent again.
///
/// # Cancel safety
///
/// Dropped before it was committed, a call is never sent. Dropped later, it is given up: if the
/// router announced `call_canceling`, it is asked to cancel the call and to interrupt the callee
/// ([`cancel_mode`](Self::cancel_mode)); the result is dropped when it comes. The same happens when
/// the time is up.
///
/// # Examples
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Callee, Caller, Session};
/// use spell_roles::prelude::*;
/// use spell_message::reason;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
/// # let peer = peer.role(Caller::new()).role(Callee::new());
/// # let peer = peer.connect(router.connector()).await?;
/// let _add2 = peer
///     .register("com.example.add2")
///     .handler(|(a, b): (i64, i64)| async move { Ok(a + b) })
///     .await?;
///
/// let sum: i64 = peer.call("com.example.add2").args((2, 3)).await?.value()?;
/// assert_eq!(sum, 5);
///
/// let error = peer.call("com.example.sub2").args((2, 3)).await.unwrap_err();
/// assert_eq!(error.uri().map(|uri| uri.as_str()), Some(reason::NO_SUCH_PROCEDURE));
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "CALL".
#[derive(Debug)]
#[must_use = "a call is sent only when it is awaited"]
pub struct Call<'a> {
    requests: &'a Requests<Command>,
    procedure: Result<Uri, InvalidUri>,
    options: Result<CallOptions, InvalidOption>,
    arguments: PayloadBuilder,
    limit: Option<Duration>,
    /// Whether the user set the limit, and not only the peer's configuration.
    is_limit_own: bool,
    mode: CancelMode,
    codec: Option<Passthru>,
    needs: Option<(RoleName, Feature)>,
    waits: bool,
}

impl<'a> Call<'a> {
    pub(super) fn new(requests: &'a Requests<Command>, procedure: Result<Uri, InvalidUri>) -> Self {
        Self {
            requests,
            procedure,
            options: Ok(CallOptions::new()),
            arguments: requests.arguments(),
            limit: requests.commands().request_timeout(),
            is_limit_own: false,
            mode: CancelMode::KillNoWait,
            codec: None,
            needs: None,
            waits: false,
        }
    }

    argument_methods!();

    /// How long it may take, from the `.await` to the result; with
    /// [progressive results](Self::receive_progress), to the first of them and then to each next
    /// one; with [progressive arguments](Self::progressive), from those that were sent last.
    ///
    /// Default: [`PeerConfig::request_timeout`](spell_peer::PeerConfig::request_timeout), which is
    /// the handle's own clock. What is set here the router is told too, in whole milliseconds and
    /// rounded up, if it announced `call_timeout`: so the callee is stopped even if this peer dies.
    /// Only of progressive arguments it is not told, as it would count from the first ones. The
    /// clock that is first decides: this one gives [`CallError::Timeout`], the other one
    /// `wamp.error.timeout`, and [`CallError::is_timeout`] is true for both.
    ///
    /// WAMP spec, "Call Timeouts".
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self.is_limit_own = true;
        self
    }

    /// Wait for ever.
    pub fn no_timeout(mut self) -> Self {
        self.limit = None;
        self
    }

    /// How the call is cancelled when it is given up: when its future, or what it gave, is dropped,
    /// when its time is up, and when the queue of its progressive results is full. Default:
    /// [`CancelMode::KillNoWait`].
    ///
    /// It counts only if the router announced `call_canceling`.
    ///
    /// WAMP spec, "Call Canceling".
    pub fn cancel_mode(mut self, mode: CancelMode) -> Self {
        self.mode = mode;
        self
    }

    /// Whether the callee may learn who calls; default no. The router must have announced
    /// `caller_identification` for this.
    ///
    /// WAMP spec, "Caller Identification".
    pub fn disclose_me(self, disclose_me: bool) -> Self {
        self.set(|options| options.set_disclose_me(disclose_me))
    }

    /// Seal the arguments by this codec, so that the router does not look into them, and open the
    /// result, or the arguments of the error, by the same. The router must have announced
    /// `payload_passthru_mode` for this; a callee that did not is told of by the error
    /// `wamp.error.feature_not_supported`.
    ///
    /// What cannot be sealed is [`CallError::Encode`]; what cannot be opened gives its error when
    /// its arguments are read, and [`CallResult::payload`] then is as it came. See
    /// [`passthru`](crate::passthru).
    ///
    /// WAMP spec, "Payload Passthru Mode".
    pub fn passthru(mut self, codec: impl Into<Passthru>) -> Self {
        self.codec = Some(codec.into());
        self
    }

    /// The key that decides which shard of the procedure is called.
    ///
    /// The router is told, and nothing more is done.
    ///
    /// WAMP spec, "Sharded Registration".
    pub fn rkey(self, rkey: impl Into<String>) -> Self {
        self.set(|options| options.set_rkey(rkey))
    }

    /// Which shards of the procedure are called, such as `partition`, which needs an
    /// [`rkey`](Self::rkey).
    ///
    /// The router is told, and nothing more is done.
    ///
    /// WAMP spec, "Sharded Registration".
    pub fn runmode(self, runmode: impl Into<String>) -> Self {
        self.set(|options| options.set_runmode(runmode))
    }

    /// Where the call belongs in a distributed trace, as in the HTTP header of that name:
    /// `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`. The callee reads it by
    /// [`InvocationInfo::traceparent`](crate::InvocationInfo::traceparent).
    ///
    /// Not in the specification: it goes as the option `_traceparent`, which routers such as Bondy,
    /// and the one of this library, hand on; others may not.
    ///
    /// W3C, "Trace Context".
    pub fn traceparent(mut self, text: impl Into<String>) -> Self {
        self.options = self.options.and_then(|mut options| {
            options.set_traceparent(text)?;
            Ok(options)
        });
        self
    }

    /// What the systems of a trace add to its [`traceparent`](Self::traceparent), as in the HTTP
    /// header of that name; goes as the option `_tracestate`.
    ///
    /// W3C, "Trace Context".
    pub fn tracestate(mut self, text: impl Into<String>) -> Self {
        self.options = self.options.and_then(|mut options| {
            options.set_tracestate(text)?;
            Ok(options)
        });
        self
    }

    /// Set one option of CALL: one that has no method here, or an extension of the router.
    pub fn option(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.options = self.options.and_then(|mut options| {
            options.set(key, value)?;
            Ok(options)
        });
        self
    }

    /// Replace all options of CALL.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = Ok(options);
        self
    }

    /// Should there be no session, wait for one, as long as the time limit allows. Calls that wait
    /// are sent in their order, after subscriptions and registrations were asked for again. Default:
    /// without a session it fails at once.
    ///
    /// Once it was sent, the end of the session is an error as ever; see
    /// [`idempotent`](Self::idempotent).
    pub fn wait_for_session(mut self) -> Self {
        self.waits = true;
        self
    }

    /// Allow that it is sent again when the session ends before the result came, as it does no harm
    /// to call the procedure twice; `.await` the returned builder to send it. Default: a call is
    /// sent once.
    pub fn idempotent(self) -> IdempotentCall<'a> {
        IdempotentCall::new(self)
    }

    fn set(mut self, set: impl FnOnce(&mut CallOptions) -> &mut CallOptions) -> Self {
        if let Ok(options) = &mut self.options {
            set(options);
        }
        self
    }

    /// Take results as they come; `.await` the returned builder to send the call.
    ///
    /// WAMP spec, "Progressive Call Results".
    pub fn receive_progress(self) -> ProgressiveCall<'a> {
        ProgressiveCall::new(self)
    }

    /// Call only if the router announced this feature of one of its roles.
    pub(crate) fn needs(mut self, needs: (RoleName, Feature)) -> Self {
        self.needs = Some(needs);
        self
    }

    /// Send it and wait for the result: what `.await` does, without the box.
    pub async fn send(self) -> Result<CallResult, CallError> {
        let (requests, limit) = (self.requests, self.limit);
        let (draft, sealing) = self.draft(None)?;
        let (reply, mut waiting) = requests.open();
        let answer = waiting.ask(limit, draft.command(reply, None, None));
        open(answer.await, sealing.as_deref())
    }

    /// Send it, and again when sessions end, and wait for the result.
    pub(super) async fn repeat(mut self, budget: Budget) -> Result<CallResult, CallError> {
        self.waits = true;
        let (requests, limit) = (self.requests, self.limit);
        let (draft, sealing) = self.draft(None)?;
        let answer = requests.repeat(budget, limit, |reply, left| {
            let mut draft = draft.clone();
            draft.limit = draft.limit.map(|limit| limit.min(left));
            draft.command(reply, None, None)
        });
        open(answer.await, sealing.as_deref())
    }

    /// Send it, and wait only until it has its id. The result can be waited for later.
    ///
    /// # Errors
    ///
    /// What kept the call from being sent.
    ///
    /// # Cancel safety
    ///
    /// As for the call itself.
    pub async fn start(self) -> Result<PendingCall, CallError> {
        let (started, sealing) = self.begin(None).await?;
        Ok(PendingCall::new(started, sealing))
    }

    /// Send it with its first arguments, to send more of them; gives one half for that, and one
    /// that waits for the result.
    ///
    /// It is done when the call has its id. The options and settings are those of the whole call.
    ///
    /// # Errors
    ///
    /// What kept the call from being sent; [`CallError::Unsupported`] if the router did not
    /// announce `progressive_call_invocations` and `call_canceling`. A callee that lacks them is
    /// told of by the result: `wamp.error.feature_not_supported`.
    ///
    /// # Cancel safety
    ///
    /// As for the call itself.
    ///
    /// WAMP spec, "Progressive Call Invocations".
    pub async fn progressive(self) -> Result<(CallArguments, PendingCall), CallError> {
        let (arguments, started, sealing) = self.begin_progressive(None).await?;
        Ok((arguments, PendingCall::new(started, sealing)))
    }

    /// Send it, and wait until it has its id.
    pub(super) async fn begin(
        self,
        streams: Option<Box<Streams>>,
    ) -> Result<(StartedCall, Option<Box<Sealing>>), CallError> {
        let (requests, limit) = (self.requests, self.limit);
        let (draft, sealing) = self.draft(streams.as_deref())?;
        let started = requests.start(limit, |reply, slot| {
            draft.command(reply, streams, Some(slot))
        });
        Ok((started.await?, sealing))
    }

    /// Send it with its first arguments, and wait until it has its id.
    pub(super) async fn begin_progressive(
        mut self,
        results: Option<Results>,
    ) -> Result<(CallArguments, StartedCall, Option<Box<Sealing>>), CallError> {
        // The router's clock would begin with the first arguments.
        self.is_limit_own = false;
        let limit = self.limit;
        let failure = Arc::default();
        let arguments = Arguments {
            procedure: self.procedure.clone()?,
            failure: Arc::clone(&failure),
        };
        let streams = Streams {
            results,
            arguments: Some(arguments),
        };
        let (mut started, sealing) = self.begin(Some(Box::new(streams))).await?;
        let arguments = CallArguments::new(&mut started, limit, failure, sealing.clone());
        Ok((arguments, started, sealing))
    }

    /// All that can fail because of the user, and what is left.
    fn draft(self, streams: Option<&Streams>) -> Result<(Draft, Option<Box<Sealing>>), CallError> {
        let procedure = self.procedure?;
        let mut options = self.options?;
        if let Some(streams) = streams {
            streams.announce(&mut options);
        }
        let sealed_for = self.codec.as_ref().map(|codec| (codec, procedure.as_str()));
        let payload = self
            .requests
            .finish(self.arguments, sealed_for, &mut options)?;
        let sealing = self.codec;
        let sealing = sealing.map(|codec| Box::new(Sealing::new(codec, &procedure, &options)));
        let draft = Draft {
            procedure,
            options,
            payload,
            limit: self.limit.filter(|_| self.is_limit_own),
            needs: self.needs,
            mode: self.mode,
            waits: self.waits,
        };
        Ok((draft, sealing))
    }
}

/// A call of which all that the user gave is right.
#[derive(Clone, Debug)]
struct Draft {
    procedure: Uri,
    options: CallOptions,
    payload: Payload,
    /// What the router is told of the time limit, if it knows what to do with it.
    limit: Option<Duration>,
    needs: Option<(RoleName, Feature)>,
    mode: CancelMode,
    waits: bool,
}

impl Draft {
    fn command(
        self,
        reply: CallReply,
        streams: Option<Box<Streams>>,
        started: Option<IdSlot>,
    ) -> Command {
        let span = || {
            debug_span!(
                "call",
                procedure = self.procedure.as_str(),
                realm = Empty,
                session = Empty,
                request = Empty,
                traceparent = self.options.traceparent(),
                outcome = Empty
            )
        };
        let span = RequestSpan::open(span, "given up");
        reply.keep(NewCall {
            procedure: self.procedure,
            options: self.options,
            payload: self.payload,
            limit: self.limit.and_then(milliseconds),
            needs: self.needs,
            waits: self.waits,
            mode: self.mode,
            streams,
            span,
            started,
        });
        Command(Order::Call(reply))
    }
}

/// The limit for the router: never less than what was meant, and never 0, which is none.
///
/// WAMP spec, "Call Timeouts".
fn milliseconds(limit: Duration) -> Option<NonZeroU64> {
    let limit = limit.as_nanos().div_ceil(NANOS_PER_MILLISECOND);
    let limit = u64::try_from(limit).ok().and_then(NonZeroU64::new);
    limit.filter(|limit| limit.get() <= RequestId::MAX.get())
}

const NANOS_PER_MILLISECOND: u128 = 1_000_000;

impl<'a> IntoFuture for Call<'a> {
    type Output = Result<CallResult, CallError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
