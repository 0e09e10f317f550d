//! What takes long, and so is done without the lock of the realm.

use spell_message::{
    Format, Payload, RequestId,
    message::{Call, Publish},
};

use crate::{
    carrier::{Line, Undeliverable},
    dealer::Assignment,
    fan_out::FanOut,
    meta::{EventsWork, Procedure, Refused, Request},
    outgoing::Outgoing,
};

/// What is to be done before a message can be routed, without the lock; the core then goes on with
/// what comes of it.
///
/// The task of the session that sent the message does it, before it handles another one: so the
/// order of its messages stays, and nobody else waits.
#[derive(Debug)]
pub(crate) enum Work {
    /// The arguments of a call are to be brought into its callee's format, or measured.
    Invocation(Box<InvocationWork>),
    /// The arguments of a publication are to be brought into its subscribers' formats.
    Publish(PublishWork),
    /// The arguments of a procedure of the router are to be understood.
    Procedure(ProcedureWork),
    /// Events of the past are to be written.
    Events(EventsWork),
}

/// What came of the work.
#[derive(Debug)]
pub(crate) enum Finished {
    Invocation(Cause, Prepared),
    Publish(Publish, FanOut),
    Procedure(RequestId, Result<Request, Refused>),
    /// The arguments of a result of the router.
    Result(RequestId, Result<Payload, Refused>),
}

impl Work {
    pub(crate) fn finish(self) -> Finished {
        match self {
            Self::Invocation(work) => work.finish(),
            Self::Publish(work) => work.finish(),
            Self::Procedure(work) => work.finish(),
            Self::Events(work) => Finished::Result(work.request, work.finish()),
        }
    }
}

/// Why a callee is to be invoked.
#[derive(Debug)]
pub(crate) enum Cause {
    /// A call.
    Call(Call),
    /// Another part of the arguments of a call that is under way.
    Part(Call),
    /// Whoever had this invocation is unavailable.
    Unavailable(RequestId),
}

/// An invocation to be prepared.
#[derive(Debug)]
pub(crate) struct InvocationWork {
    cause: Cause,
    draft: Draft,
}

/// An invocation as it would be if nothing changed meanwhile.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) assignment: Assignment,
    pub(crate) line: Line,
    pub(crate) invocation: RequestId,
    pub(crate) message: Outgoing,
    /// How often this was done already for this call.
    pub(crate) done: usize,
}

impl InvocationWork {
    pub(crate) fn new(cause: Cause, draft: Draft) -> Box<Self> {
        Box::new(Self { cause, draft })
    }

    fn finish(self) -> Finished {
        let Draft {
            assignment,
            line,
            invocation,
            message,
            done,
        } = self.draft;
        let mut message = message.into_message();
        let carried = line.prepare(&mut message).map(|size| {
            let payload = message.payload().cloned();
            (payload.unwrap_or_default(), size)
        });
        let prepared = Prepared {
            assignment,
            line,
            invocation,
            carried,
            done: done.saturating_add(1),
        };
        Finished::Invocation(self.cause, prepared)
    }
}

/// How a line carries an invocation.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) assignment: Assignment,
    line: Line,
    invocation: RequestId,
    carried: Result<(Payload, usize), Undeliverable>,
    pub(crate) done: usize,
}

impl Prepared {
    /// The callee, and the arguments in its format.
    pub(crate) fn into_parts(
        self,
        invocation: Option<RequestId>,
    ) -> Result<(Assignment, Payload), Undeliverable> {
        let (payload, size) = self.carried?;
        // With another id than it was measured with, it may be a bit larger.
        let more = if invocation == Some(self.invocation) {
            0
        } else {
            LONGEST_ID
        };
        if self.line.takes(size.saturating_add(more)) {
            Ok((self.assignment, payload))
        } else {
            Err(Undeliverable::TooLarge)
        }
    }
}

/// A publication, and the formats of its subscribers that are not its own.
#[derive(Debug)]
pub(crate) struct PublishWork {
    pub(crate) message: Publish,
    pub(crate) formats: Vec<Format>,
}

impl PublishWork {
    fn finish(self) -> Finished {
        let fan_out = FanOut::default();
        for format in self.formats {
            let _in_the_fan_out = fan_out.transcode(&self.message.payload, format);
        }
        Finished::Publish(self.message, fan_out)
    }
}

/// A call of one of the router's own procedures, which the caller may call.
#[derive(Debug)]
pub(crate) struct ProcedureWork {
    pub(crate) procedure: &'static Procedure,
    pub(crate) request: RequestId,
    pub(crate) arguments: Payload,
}

impl ProcedureWork {
    fn finish(self) -> Finished {
        Finished::Procedure(self.request, self.procedure.read(&self.arguments))
    }
}

/// The most bytes that an id takes in any format.
const LONGEST_ID: usize = 16;
