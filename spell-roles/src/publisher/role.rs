use std::ops::ControlFlow;

use spell_message::{
    Feature, Message, Payload, PublicationId, RequestId, RoleFeatures, RoleName, Uri,
    message::{self, RequestKind},
    options::PublishOptions,
};
use spell_peer::{Commands, Context, Role, SendError, SessionEnd};
use tracing::{debug, trace};

use super::PublisherHandle;
use crate::{
    error::Failure,
    passthru,
    pending::Pending,
    request::{Key, Reply, Requests},
    started::IdSlot,
};

/// Publishes events.
///
/// A publication is either not acknowledged, and then all that is known is that it was sent, or the
/// broker answers it. Nothing is published twice: when the connection is lost, what was not answered
/// ends with an error that says whether it was sent.
///
/// WAMP spec, "Publishing and Events".
#[derive(Debug, Default)]
pub struct Publisher {
    pending: Pending<Reply<PublicationId>>,
}

impl Publisher {
    /// The role.
    pub fn new() -> Self {
        Self::default()
    }

    fn publish(&mut self, publication: Publication, cx: &mut Context<'_, Command>) {
        let Publication {
            topic,
            mut options,
            payload,
            answer,
        } = publication;
        let mut unsupported = unsupported(&options, cx);
        if unsupported.is_none() {
            unsupported = passthru::fit(&mut options, RoleName::Broker, cx).err();
        }
        let message = |request| {
            Message::Publish(message::Publish {
                request,
                options,
                topic,
                payload,
            })
        };
        match answer {
            Answer::WhenSent(reply) => {
                let sent = match unsupported {
                    Some(failure) => Err(failure),
                    None if !reply.commit() => return,
                    None => send(cx, message),
                };
                reply.send(sent);
            }
            Answer::WhenPublished { reply, id: slot } => {
                if let Some(failure) = unsupported {
                    return reply.send(Err(failure));
                }
                let id = self.pending.request(cx, reply, message);
                if let (Some(id), Some(slot)) = (id, slot) {
                    // Nobody may be waiting any more.
                    let _ = slot.send(id);
                }
            }
        }
    }
}

/// Commit a publication that nobody answers.
fn send(
    cx: &mut Context<'_, Command>,
    message: impl FnOnce(RequestId) -> Message,
) -> Result<(), Failure> {
    let sent: Result<_, SendError> = cx.request(message);
    sent.map(|_| ())
        .map_err(|error| Failure::not_committed(error, cx))
}

/// What the publication needs of the broker and the broker did not announce.
///
/// A broker that does not know a list of receivers sends the event to all, which must not happen
/// silently. The key of a shard is not among this: it is only carried.
fn unsupported(options: &PublishOptions, cx: &Context<'_, Command>) -> Option<Failure> {
    let needs = |feature| Failure::unsupported(RoleName::Broker, feature, cx);
    let has = |key| options.as_dict().contains_key(key);
    let mut failure = needs(None);
    if LISTS.into_iter().any(has) {
        failure = failure.or_else(|| needs(Some(Feature::SubscriberBlackWhiteListing)));
    }
    if options.exclude_me() == Some(false) {
        failure = failure.or_else(|| needs(Some(Feature::PublisherExclusion)));
    }
    if options.disclose_me() == Some(true) {
        failure = failure.or_else(|| needs(Some(Feature::PublisherIdentification)));
    }
    if options.retain() == Some(true) {
        failure = failure.or_else(|| needs(Some(Feature::EventRetention)));
    }
    failure
}

/// The options that limit who gets an event.
const LISTS: [&str; 6] = [
    "exclude",
    "exclude_authid",
    "exclude_authrole",
    "eligible",
    "eligible_authid",
    "eligible_authrole",
];

impl Role for Publisher {
    type Command = Command;
    type Handle = PublisherHandle;

    fn handle(commands: Commands<Command>) -> PublisherHandle {
        PublisherHandle::new(Requests::new(commands, |key| Command(Order::GiveUp(key))))
    }

    fn features(&self, announced: &mut RoleFeatures) {
        announced.add(
            RoleName::Publisher,
            [
                Feature::PayloadPassthruMode,
                Feature::PublisherExclusion,
                Feature::PublisherIdentification,
                Feature::SubscriberBlackWhiteListing,
            ],
        );
    }

    fn on_message(
        &mut self,
        message: Message,
        cx: &mut Context<'_, Command>,
    ) -> ControlFlow<(), Message> {
        if cx.session().is_none() {
            return ControlFlow::Continue(message);
        }
        match message {
            Message::Published(published) => {
                trace!(request = %published.request, publication = %published.publication);
                self.pending
                    .resolve(published.request, published.publication, cx);
            }
            Message::Error(error) if error.request_kind == RequestKind::Publish => {
                debug!(request = %error.request, error = %error.error, "not published");
                self.pending.refuse(error, cx);
            }
            other => return ControlFlow::Continue(other),
        }
        ControlFlow::Break(())
    }

    fn handle_call(&mut self, command: Command, cx: &mut Context<'_, Command>) {
        match command.0 {
            Order::Publish(publication) => self.publish(*publication, cx),
            Order::GiveUp(key) => {
                // The answer that may still come is late, and dropped.
                let _ = self.pending.give_up(key);
            }
        }
    }

    fn pending(&self) -> usize {
        self.pending.len()
    }

    fn on_close(&mut self, end: &SessionEnd) {
        self.pending.close(end);
    }
}

/// What [`PublisherHandle`] asks of [`Publisher`].
#[derive(Debug)]
#[expect(unnameable_types, reason = "private to the role and its handle")]
pub struct Command(pub(super) Order);

#[derive(Debug)]
pub(super) enum Order {
    Publish(Box<Publication>),
    GiveUp(Key),
}

#[derive(Debug)]
pub(super) struct Publication {
    pub(super) topic: Uri,
    pub(super) options: PublishOptions,
    pub(super) payload: Payload,
    pub(super) answer: Answer,
}

/// What the handle waits for.
#[derive(Debug)]
pub(super) enum Answer {
    WhenSent(Reply<()>),
    WhenPublished {
        reply: Reply<PublicationId>,
        id: Option<IdSlot>,
    },
}
