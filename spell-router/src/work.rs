//! What takes long, and so is done without the lock of the realm.

use spell_message::{
    Format, Payload, RequestId, SessionId,
    message::{Call, Publish},
};

use crate::{
    carrier::{Line, Undeliverable},
    outbound::{FanOut, Outgoing},
};

/// What is to be done before a message can be routed, without the lock; the core then goes on with
/// what comes of it.
///
/// The task of the session that sent the message does it, before it handles another one: so the
/// order of its messages stays, and nobody else waits.
#[derive(Debug)]
pub(crate) enum Work {
    /// The arguments of a call are to be brought into its callee's format, or measured.
    Call(CallWork),
    /// The arguments of a publication are to be brought into its subscribers' formats.
    Publish(PublishWork),
}

/// What came of the work.
#[derive(Debug)]
pub(crate) enum Finished {
    Call(Call, PreparedCall),
    Publish(Publish, FanOut),
}

impl Work {
    pub(crate) fn finish(self) -> Finished {
        match self {
            Self::Call(work) => work.finish(),
            Self::Publish(work) => work.finish(),
        }
    }
}

/// A call, and the invocation it would be if nothing changed meanwhile.
#[derive(Debug)]
pub(crate) struct CallWork {
    pub(crate) call: Call,
    pub(crate) callee: SessionId,
    pub(crate) line: Line,
    pub(crate) invocation: RequestId,
    pub(crate) named: bool,
    pub(crate) draft: Outgoing,
    /// How often this was done already for this call.
    pub(crate) done: usize,
}

impl CallWork {
    fn finish(self) -> Finished {
        let (mut message, _) = self.draft.into_parts();
        let carried = self.line.prepare(&mut message).map(|size| {
            let payload = message.payload().cloned();
            (payload.unwrap_or_default(), size)
        });
        let prepared = PreparedCall {
            callee: self.callee,
            line: self.line,
            invocation: self.invocation,
            named: self.named,
            carried,
            done: self.done.saturating_add(1),
        };
        Finished::Call(self.call, prepared)
    }
}

/// How a line carries a call.
#[derive(Debug)]
pub(crate) struct PreparedCall {
    pub(crate) callee: SessionId,
    line: Line,
    invocation: RequestId,
    named: bool,
    carried: Result<(Payload, usize), Undeliverable>,
    pub(crate) done: usize,
}

impl PreparedCall {
    /// Whether it was prepared for such a line, and for naming the procedure or not.
    pub(crate) fn is_for(&self, line: &Line, named: bool) -> bool {
        self.line.is_like(line) && self.named == named
    }

    /// The arguments in the format of the line.
    pub(crate) fn payload(self, invocation: RequestId) -> Result<Payload, Undeliverable> {
        let (payload, size) = self.carried?;
        // With another id than it was measured with, it may be a bit larger.
        let more = if invocation == self.invocation {
            0
        } else {
            LONGEST_ID
        };
        if self.line.takes(size.saturating_add(more)) {
            Ok(payload)
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

/// The most bytes that an id takes in any format.
const LONGEST_ID: usize = 16;
