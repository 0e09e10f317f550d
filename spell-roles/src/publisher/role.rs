use std::{ops::ControlFlow, time::Instant};

use spell_message::{
    Feature, Message, Payload, PublicationId, RoleFeatures, RoleName, Uri,
    message::{self, Kind, RequestKind},
    options::PublishOptions,
};
use spell_peer::{Commands, Context, Count, Role, SessionEnd};
use tracing::{debug, trace, warn};

use super::{
    Outbox, OutboxStatistics, PublisherHandle,
    answer::{Answer, Told},
    outbox::Waiting,
};
use crate::{
    error::Failure,
    passthru,
    pending::Pending,
    request::{Key, Reply, Requests},
    started::IdSlot,
};

/// Publishes events.
///
/// A publication is either not acknowledged, and then all that is known is that it was handed to a
/// session, or the broker answers it. Nothing is published twice, unless the user says that it may be: when the
/// connection is lost, what was not answered ends with an error that says whether it was sent.
///
/// Without a session publications fail, unless there is an [`outbox`](Self::outbox).
///
/// WAMP spec, "Publishing and Events".
#[derive(Debug, Default)]
pub struct Publisher {
    pending: Pending<PublishedReply>,
    waiting: Waiting,
}

impl Publisher {
    /// The role.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keep publications while there is no session. Default: they fail at once.
    #[must_use]
    pub fn outbox(mut self, outbox: Outbox) -> Self {
        self.waiting.set_bounds(outbox);
        self
    }

    fn publish(&mut self, publication: Publication, cx: &mut Context<'_, Command>) {
        let is_ahead = matches!(publication.answer, Answer::Ahead(_));
        let is_kept = if cx.is_joined() {
            self.send(publication, cx) != Outcome::Failed
        } else {
            self.waiting.hold(Box::new(publication), cx)
        };
        if is_ahead && !is_kept {
            cx.count(Count::PublicationsLost, 1);
        }
    }

    /// Send it; gives what became of it.
    fn send(&mut self, publication: Publication, cx: &mut Context<'_, Command>) -> Outcome {
        let Publication { draft, answer } = publication;
        let Draft {
            topic,
            mut options,
            payload,
            waits: _,
        } = draft;
        let mut unsupported = unsupported(&options, cx);
        if unsupported.is_none() {
            unsupported = passthru::fit(&mut options, RoleName::Broker, cx).err();
        }
        if let Some(failure) = unsupported {
            answer.fail(failure);
            return Outcome::Failed;
        }
        if !answer.commit() {
            return Outcome::GivenUp;
        }
        let sent = cx.request(|request| {
            Message::Publish(message::Publish {
                request,
                options,
                topic,
                payload,
            })
        });
        match sent {
            Ok(id) => {
                if let Some(reply) = answer.sent(id) {
                    self.pending.insert(id, reply.key(), reply);
                }
                Outcome::Sent
            }
            Err(error) => {
                answer.fail(Failure::not_committed(error, cx));
                Outcome::Failed
            }
        }
    }
}

/// What became of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Sent,
    Failed,
    GivenUp,
}

/// What the publication needs of the broker and the broker did not announce.
///
/// A broker that does not know a list of receivers sends the event to all, which must not happen
/// silently. The key of a shard is not among this: it is only carried.
fn unsupported(options: &PublishOptions, cx: &Context<'_, Command>) -> Option<Failure> {
    let needs = |feature| Failure::unsupported(RoleName::Broker, feature, cx);
    let dict = options.as_dict();
    if dict.is_empty() || (dict.len() == 1 && options.acknowledge() == Some(true)) {
        return needs(None);
    }
    needs(None).or_else(|| needed(options).find_map(|feature| needs(Some(feature))))
}

/// The features that the broker must have for these options, but for sealed arguments.
pub(super) fn needed(options: &PublishOptions) -> impl Iterator<Item = Feature> {
    let has = |key| options.as_dict().contains_key(key);
    let needed = [
        (
            PublishOptions::LISTS.into_iter().any(has),
            Feature::SubscriberBlackWhiteListing,
        ),
        (
            options.exclude_me() == Some(false),
            Feature::PublisherExclusion,
        ),
        (
            options.disclose_me() == Some(true),
            Feature::PublisherIdentification,
        ),
        (options.retain() == Some(true), Feature::EventRetention),
    ];
    let needed = needed.into_iter().filter(|(is_needed, _)| *is_needed);
    needed.map(|(_, feature)| feature)
}

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

    fn is_resuming(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn resume(&mut self, cx: &mut Context<'_, Command>) {
        self.waiting.expire(cx.now());
        let Some(publication) = self.waiting.take() else {
            return;
        };
        let is_awaited = publication.answer.key().is_some();
        match self.send(*publication, cx) {
            Outcome::Sent => self.waiting.count(true),
            Outcome::Failed => {
                self.waiting.count(false);
                if !is_awaited {
                    warn!("a publication of the outbox could not be sent");
                }
            }
            Outcome::GivenUp => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.waiting.deadline()
    }

    fn on_deadline(&mut self, cx: &mut Context<'_, Command>) {
        self.waiting.expire(cx.now());
    }

    fn is_drained(&self) -> bool {
        self.pending.is_empty()
    }

    fn reads(&self, kind: Option<Kind>) -> bool {
        matches!(kind, Some(Kind::Published | Kind::Error))
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
                    .resolve(published.request, Ok(published.publication), cx);
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
            Order::Acknowledged(reply) => {
                if let Some(Acknowledged { draft, id }) = reply.take_order() {
                    let answer = Answer::WhenPublished { reply, id };
                    self.publish(Publication { draft, answer }, cx);
                }
            }
            Order::Statistics(reply) => reply.send(Ok(self.waiting.statistics())),
            Order::GiveUp(key) => {
                self.waiting.give_up(key);
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
    /// A publication to be acknowledged, which is [kept](Reply::keep) in the reply.
    Acknowledged(PublishedReply),
    Statistics(Reply<OutboxStatistics>),
    GiveUp(Key),
}

#[derive(Debug)]
pub(super) struct Publication {
    pub(super) draft: Draft,
    pub(super) answer: Answer,
}

/// A publication of which all that the user gave is right.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) topic: Uri,
    pub(super) options: PublishOptions,
    pub(super) payload: Payload,
    /// Whether it waits for a session if there is none, outbox or not.
    pub(super) waits: bool,
}

/// Where the answer of the broker goes.
pub(super) type PublishedReply = Reply<Told<PublicationId>, Acknowledged>;

/// What is to be published, and answered by the broker.
#[derive(Debug)]
pub(super) struct Acknowledged {
    pub(super) draft: Draft,
    /// Told the id once the publication is committed.
    pub(super) id: Option<IdSlot>,
}
