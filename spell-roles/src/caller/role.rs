use std::ops::ControlFlow;

use spell_message::{
    Feature, Message, Payload, RoleFeatures, RoleName, Uri,
    message::{self, Cancel, RequestKind},
    options::{CallOptions, CancelMode, CancelOptions},
};
use spell_peer::{Commands, Context, Role, SessionEnd, SessionInfo};
use tracing::{debug, trace};

use super::{CallResult, CallerHandle};
use crate::{
    error::Failure,
    pending::Pending,
    request::{Key, Reply, Requests},
    started::IdSlot,
};

/// Calls procedures.
///
/// Results come in any order, each to the one who called. A call whose future is dropped, or whose
/// time is up, is given up: the router is asked to cancel it, if it announced that it can, and what
/// still comes of it is dropped.
///
/// WAMP spec, "Calling and Invocations" and "Call Canceling".
#[derive(Debug, Default)]
pub struct Caller {
    pending: Pending<Reply<CallResult>>,
}

impl Caller {
    /// The role.
    pub fn new() -> Self {
        Self::default()
    }

    fn call(&mut self, call: NewCall, cx: &mut Context<'_, Command>) {
        let mut unsupported = Failure::unsupported(RoleName::Dealer, None, cx);
        if let Some((role, feature)) = call.needs {
            unsupported = unsupported.or_else(|| Failure::unsupported(role, Some(feature), cx));
        }
        if let Some(failure) = unsupported {
            return call.reply.send(Err(failure));
        }
        let NewCall {
            procedure,
            options,
            payload,
            needs: _,
            reply,
            started,
        } = call;
        let id = self.pending.request(cx, reply, |request| {
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

    fn give_up(&mut self, key: Key, cx: &mut Context<'_, Command>) {
        let Some((request, _)) = self.pending.give_up(key) else {
            return;
        };
        let can_cancel = |router: &SessionInfo| {
            let (role, feature) = (RoleName::Dealer, Feature::CallCanceling);
            router.supports(role, feature)
        };
        if !cx.session().is_some_and(can_cancel) {
            return;
        }
        // The specification has no default mode, and nobody waits for what the callee would answer.
        let mut options = CancelOptions::new();
        options.set_mode(CancelMode::KillNoWait);
        if let Err(error) = cx.send(Cancel { request, options }) {
            debug!(%request, %error, "a call could not be cancelled");
        }
    }
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
            [Feature::CallCanceling, Feature::CallerIdentification],
        );
    }

    fn on_message(
        &mut self,
        message: Message,
        _cx: &mut Context<'_, Command>,
    ) -> ControlFlow<(), Message> {
        match message {
            Message::Result(result) if result.details.progress() == Some(true) => {
                trace!(request = %result.request, "a result in parts was not asked for");
            }
            Message::Result(result) => {
                let answer = CallResult::new(result.details, result.payload);
                self.pending.resolve(result.request, answer);
            }
            Message::Error(error) if error.request_kind == RequestKind::Call => {
                self.pending.refuse(error);
            }
            other => return ControlFlow::Continue(other),
        }
        ControlFlow::Break(())
    }

    fn handle_call(&mut self, command: Command, cx: &mut Context<'_, Command>) {
        match command.0 {
            Order::Call(call) => self.call(*call, cx),
            Order::GiveUp(key) => self.give_up(key, cx),
        }
    }

    fn on_close(&mut self, end: &SessionEnd) {
        self.pending.close(end);
    }
}

/// What [`CallerHandle`] asks of [`Caller`].
#[derive(Debug)]
#[expect(unnameable_types, reason = "private to the role and its handle")]
pub struct Command(pub(super) Order);

#[derive(Debug)]
pub(super) enum Order {
    Call(Box<NewCall>),
    GiveUp(Key),
}

#[derive(Debug)]
pub(super) struct NewCall {
    pub(super) procedure: Uri,
    pub(super) options: CallOptions,
    pub(super) payload: Payload,
    /// What the router must have announced.
    pub(super) needs: Option<(RoleName, Feature)>,
    pub(super) reply: Reply<CallResult>,
    /// Told the id once the call is committed.
    pub(super) started: Option<IdSlot>,
}
