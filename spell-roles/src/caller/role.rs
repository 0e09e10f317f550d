use std::{
    collections::{BTreeMap, HashSet},
    num::NonZeroU64,
    ops::ControlFlow,
};

use spell_message::{
    Feature, Message, Payload, RequestId, RoleFeatures, RoleName, Uri,
    message::{self, Kind, RequestKind},
    options::{CallOptions, CancelMode, CancelOptions},
};
use spell_peer::{Commands, Context, Role, SendError, SessionEnd};
use tracing::{debug, trace};

use super::{
    CallResult, CallerHandle,
    ongoing::{Ongoing, Streams},
};
use crate::{
    error::Failure,
    passthru,
    pending::{Pending, Waiter},
    queue::Offered,
    request::{Key, Reply, Requests},
    span::RequestSpan,
    started::{IdSlot, Started},
};

/// Calls procedures.
///
/// Results come in any order, each to the one who called. A call whose future is dropped, or whose
/// time is up, is given up: the router is asked to cancel it, if it announced that it can, and what
/// still comes of it is dropped.
///
/// A call is sent once, unless the user says that it may be sent again, and only in a session that
/// there is, unless the user says that it may wait for one.
///
/// WAMP spec, "Calling and Invocations", "Call Canceling", "Call Timeouts", "Progressive Call
/// Results" and "Progressive Call Invocations".
#[derive(Debug, Default)]
pub struct Caller {
    pub(super) pending: Pending<Ongoing>,
    /// Calls that wait for a session, in their order.
    waiting: BTreeMap<Key, CallReply>,
    /// Whose queue of results is full and loses nothing: until there is room, nothing more may come.
    filled: HashSet<Key>,
}

impl Caller {
    /// The role.
    pub fn new() -> Self {
        Self::default()
    }

    fn call(&mut self, reply: CallReply, cx: &mut Context<'_, Command>) {
        let Some(mut call) = reply.take_order() else {
            return;
        };
        if call.waits && !cx.is_joined() {
            // If it was given up, the order to do so came, and found nothing.
            if !reply.is_given_up() {
                reply.keep(call);
                self.waiting.insert(reply.key(), reply);
            }
            return;
        }
        let mut unsupported = unsupported(&call, cx);
        if unsupported.is_none() {
            unsupported = passthru::fit(&mut call.options, RoleName::Dealer, cx).err();
        }
        let NewCall {
            procedure,
            mut options,
            payload,
            limit,
            needs: _,
            waits: _,
            mode,
            streams,
            span,
            started,
        } = call;
        let ongoing = Ongoing {
            reply,
            mode,
            streams,
            span,
        };
        if let Some(failure) = unsupported {
            return ongoing.answer(Err(failure));
        }
        if let Some(limit) = limit
            && options.timeout().is_none()
            && announced(Feature::CallTimeout, cx)
        {
            options.set_timeout(limit.get());
        }
        let id = self.pending.request(cx, ongoing, |request| {
            Message::Call(message::Call {
                request,
                options,
                procedure,
                payload,
            })
        });
        if let (Some(id), Some(started)) = (id, started) {
            // Nobody may be waiting any more.
            let _ = started.send(id);
        }
    }

    /// Send more arguments of a call, with the id of its first ones.
    fn proceed(&mut self, more: MoreArguments, cx: &mut Context<'_, Command>) {
        let MoreArguments {
            call,
            payload,
            is_last,
            reply,
        } = more;
        if !reply.commit() {
            return;
        }
        let Some((request, ongoing)) = self.pending.find(call) else {
            return reply.send(Ok(Proceeded::IsOver));
        };
        let Some(arguments) = ongoing.arguments() else {
            return reply.send(Ok(Proceeded::IsOver));
        };
        // WAMP spec, "Freezing of Options in Progressive Call Invocations": the others are those of
        // the first CALL.
        let mut options = CallOptions::new();
        if !is_last {
            options.set_progress(true);
        }
        let sent = cx.send(message::Call {
            request,
            options,
            procedure: arguments.procedure.clone(),
            payload,
        });
        if sent.is_ok() && is_last {
            ongoing.finish();
        }
        let sent = sent.map(|()| Proceeded::Sent);
        reply.send(sent.map_err(|error| Failure::not_committed(error, cx)));
    }

    fn progress(&mut self, id: RequestId, result: CallResult, cx: &mut Context<'_, Command>) {
        let ongoing = self.pending.get(id);
        let Some(ongoing) = ongoing.filter(|ongoing| !ongoing.reply.is_given_up()) else {
            return trace!(request = %id, "a progressive result for no call");
        };
        let mode = ongoing.mode;
        let Some(results) = ongoing.results() else {
            return trace!(request = %id, "a progressive result was not asked for");
        };
        let offered = results.offer(id, result, cx);
        let key = ongoing.reply.key();
        match offered {
            Offered::Taken => {}
            Offered::Filled => _ = self.filled.insert(key),
            Offered::Lagging => {
                // Dropping it ends the stream.
                let _ = self.pending.take(id);
                give_up(id, mode, cx);
            }
        }
    }

    fn cancel(&mut self, order: Cancel, cx: &mut Context<'_, Command>) {
        let Cancel { call, mode, reply } = order;
        let feature = Some(Feature::CallCanceling);
        if let Some(failure) = Failure::unsupported(RoleName::Dealer, feature, cx) {
            return reply.send(Err(failure));
        }
        if !reply.commit() {
            return;
        }
        let canceled = match self.pending.find(call) {
            // What comes first ends the call: its result, its error, or that it was cancelled.
            Some((request, _)) => cancel(request, mode, cx),
            None => Ok(()),
        };
        reply.send(canceled.map_err(|error| Failure::not_committed(error, cx)));
    }
}

/// What the call needs of the dealer and the dealer did not announce.
fn unsupported(call: &NewCall, cx: &Context<'_, Command>) -> Option<Failure> {
    let needs = |feature| Failure::unsupported(RoleName::Dealer, feature, cx);
    let mut failure = needs(None);
    if let Some((role, feature)) = call.needs {
        failure = failure.or_else(|| Failure::unsupported(role, Some(feature), cx));
    }
    if call.options.disclose_me() == Some(true) {
        failure = failure.or_else(|| needs(Some(Feature::CallerIdentification)));
    }
    let Some(streams) = &call.streams else {
        return failure;
    };
    if streams.results.is_some() {
        failure = failure.or_else(|| needs(Some(Feature::ProgressiveCallResults)));
    }
    if streams.arguments.is_some() {
        // WAMP spec, "Progressive Call Invocations": without these, it is a protocol error.
        failure = failure.or_else(|| needs(Some(Feature::ProgressiveCallInvocations)));
        failure = failure.or_else(|| needs(Some(Feature::CallCanceling)));
    }
    failure
}

/// Whether the dealer announced a feature that a call can do without.
fn announced(feature: Feature, cx: &Context<'_, Command>) -> bool {
    let session = cx.session();
    session.is_some_and(|router| router.supports(RoleName::Dealer, feature))
}

/// Cancel a call that nobody waits for any more, if the router can do so.
fn give_up(request: RequestId, mode: CancelMode, cx: &mut Context<'_, Command>) {
    if announced(Feature::CallCanceling, cx)
        && let Err(error) = cancel(request, mode, cx)
    {
        debug!(%request, %error, "a call could not be cancelled");
    }
}

fn cancel(
    request: RequestId,
    mode: CancelMode,
    cx: &mut Context<'_, Command>,
) -> Result<(), SendError> {
    // The specification has no default mode.
    let mut options = CancelOptions::new();
    options.set_mode(mode);
    cx.send(message::Cancel { request, options })
}

impl Role for Caller {
    type Command = Command;
    type Handle = CallerHandle;

    fn handle(commands: Commands<Command>) -> CallerHandle {
        CallerHandle::new(Requests::new(commands, |key| Command(Order::GiveUp(key))))
    }

    fn features(&self, announced: &mut RoleFeatures) {
        announced.add(
            RoleName::Caller,
            [
                Feature::CallCanceling,
                Feature::CallerIdentification,
                Feature::PayloadPassthruMode,
                Feature::ProgressiveCallInvocations,
                Feature::ProgressiveCallResults,
            ],
        );
    }

    fn is_resuming(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn resume(&mut self, cx: &mut Context<'_, Command>) {
        if let Some((_, call)) = self.waiting.pop_first() {
            self.call(call, cx);
        }
    }

    fn reads(&self, kind: Option<Kind>) -> bool {
        matches!(kind, Some(Kind::Result | Kind::Error))
    }

    fn on_message(
        &mut self,
        message: Message,
        cx: &mut Context<'_, Command>,
    ) -> ControlFlow<(), Message> {
        match message {
            Message::Result(result) => {
                let id = result.request;
                let result = CallResult::new(result.details, result.payload);
                if result.is_progress() {
                    self.progress(id, result, cx);
                } else {
                    self.pending.resolve(id, result, cx);
                }
            }
            Message::Error(error) if error.request_kind == RequestKind::Call => {
                self.pending.refuse(error, cx);
            }
            other => return ControlFlow::Continue(other),
        }
        ControlFlow::Break(())
    }

    fn handle_call(&mut self, command: Command, cx: &mut Context<'_, Command>) {
        match command.0 {
            Order::Call(call) => self.call(call, cx),
            Order::Proceed(more) => self.proceed(*more, cx),
            Order::Cancel(order) => self.cancel(*order, cx),
            Order::GiveUp(key) => {
                self.waiting.remove(&key);
                self.filled.remove(&key);
                if let Some((request, ongoing)) = self.pending.give_up(key) {
                    give_up(request, ongoing.mode, cx);
                }
            }
            Order::Abandon(key) => match self.pending.find(key) {
                // Whoever waits for the result gets what the router answers.
                Some((request, ongoing)) if ongoing.arguments().is_some() => {
                    let mode = ongoing.mode;
                    give_up(request, mode, cx);
                }
                _ => {}
            },
            Order::Resume(key) => _ = self.filled.remove(&key),
        }
    }

    fn pending(&self) -> usize {
        self.pending.len()
    }

    fn pauses_reading(&self) -> bool {
        !self.filled.is_empty()
    }

    fn on_close(&mut self, end: &SessionEnd) {
        self.filled.clear();
        self.pending.close(end);
    }
}

/// What [`CallerHandle`] asks of [`Caller`].
#[derive(Debug)]
#[expect(unnameable_types, reason = "private to the role and its handle")]
pub struct Command(pub(super) Order);

#[derive(Debug)]
pub(super) enum Order {
    /// The [`NewCall`] is [kept](Reply::keep) in the reply.
    Call(CallReply),
    Proceed(Box<MoreArguments>),
    Cancel(Box<Cancel>),
    /// Nobody waits for the answer of this request.
    GiveUp(Key),
    /// The last arguments of this call will never come.
    Abandon(Key),
    /// There is room again in the queue of results.
    Resume(Key),
}

/// Where the result of a call goes.
pub(super) type CallReply = Reply<CallResult, NewCall>;

/// A call that has its id.
pub(super) type StartedCall = Started<CallResult, Command, NewCall>;

/// What [`Caller`] is to call.
#[derive(Debug)]
pub(super) struct NewCall {
    pub(super) procedure: Uri,
    pub(super) options: CallOptions,
    pub(super) payload: Payload,
    /// What the router is told of the time limit, in milliseconds, if it knows what to do with it.
    pub(super) limit: Option<NonZeroU64>,
    /// What the router must have announced besides.
    pub(super) needs: Option<(RoleName, Feature)>,
    /// Whether it waits for a session if there is none.
    pub(super) waits: bool,
    pub(super) mode: CancelMode,
    /// Boxed, as few calls have any.
    pub(super) streams: Option<Box<Streams>>,
    pub(super) span: RequestSpan,
    /// Told the id once the call is committed.
    pub(super) started: Option<IdSlot>,
}

#[derive(Debug)]
pub(super) struct MoreArguments {
    pub(super) call: Key,
    pub(super) payload: Payload,
    pub(super) is_last: bool,
    pub(super) reply: Reply<Proceeded>,
}

/// What became of more arguments.
#[derive(Debug)]
pub(super) enum Proceeded {
    Sent,
    /// The call takes none any more.
    IsOver,
}

#[derive(Debug)]
pub(super) struct Cancel {
    pub(super) call: Key,
    pub(super) mode: CancelMode,
    pub(super) reply: Reply<()>,
}
