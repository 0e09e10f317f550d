use std::{collections::VecDeque, ops::ControlFlow};

use spell_message::{
    Feature, MatchPolicy, Message, Pattern, RequestId, RoleFeatures, RoleName, SubscriptionId,
    message::{self, ErrorMessage, Kind, RequestKind, Subscribed, Unsubscribed},
    reason,
};
use spell_peer::{Commands, Context, Role, SendError, SessionEnd, SessionInfo};
use tracing::{debug, trace};

use super::{
    SubscriberHandle, SubscriptionEnd,
    drains::{Drain, Drains},
    routes::Routes,
    shared::Shared,
    wanted::Wanted,
};
use crate::{
    error::Failure,
    id_map::{IdMap, IdSet},
    pending::Pending,
    queue::Offered,
    request::{Key, Reply, Requests},
    weight::weight,
};

/// Subscribes to topics and hands out their events.
///
/// Subscriptions outlive connections: they are made again, with all their options and in their
/// order, in every session that the peer joins, before anything new is asked of it and before
/// [`PeerState::Joined`](spell_peer::PeerState::Joined) is told. That means that SUBSCRIBE was sent
/// by then; [`Subscription::id`](super::Subscription::id) tells when it was answered. One that the
/// router refuses ends alone. What was missed in between each subscription tells as a
/// [`Gap`](super::Gap).
///
/// WAMP spec, "Subscribing and Unsubscribing" and "Pattern-based Subscriptions".
#[derive(Debug, Default)]
pub struct Subscriber {
    /// What the user wants, with or without a session.
    wanted: IdMap<Key, Wanted>,
    /// What is yet to be asked for in this session, in order.
    restoring: VecDeque<Key>,
    /// Whose queue is full and loses nothing: until there is room, nothing more may come.
    filled: IdSet<Key>,
    routes: Routes,
    subscribing: Pending<Asked>,
    unsubscribing: Pending<Reply<()>>,
    drains: Drains,
    /// How many events came for an id that nobody has, or has any more.
    strays: u64,
}

/// A SUBSCRIBE that is under way.
#[derive(Debug)]
struct Asked {
    key: Key,
    pattern: Pattern,
}

impl Subscriber {
    /// The role.
    pub fn new() -> Self {
        Self::default()
    }

    fn subscribe(&mut self, wanted: Wanted, cx: &mut Context<'_, Command>) {
        let Some(reply) = wanted.reply.as_ref().filter(|reply| !reply.is_given_up()) else {
            return;
        };
        let key = reply.key();
        self.wanted.insert(key, wanted);
        if !self.restoring.is_empty() {
            self.restoring.push_back(key);
        } else if cx.session().is_some() {
            self.ask(key, cx);
        }
    }

    /// It is wanted no more.
    fn forget(&mut self, key: Key) -> Option<Wanted> {
        self.filled.remove(&key);
        self.wanted.remove(&key)
    }

    /// Send SUBSCRIBE, the first time or in a new session.
    fn ask(&mut self, key: Key, cx: &mut Context<'_, Command>) {
        let Some(wanted) = self.wanted.get_mut(&key) else {
            return;
        };
        if let Some(failure) = unsupported(wanted, cx) {
            return self.fail(key, failure, cx);
        }
        if wanted.reply.as_ref().is_some_and(|reply| !reply.commit()) {
            self.wanted.remove(&key);
            return;
        }
        let (options, topic) = (wanted.options(cx), wanted.pattern.clone());
        let sent = cx.request(|request| {
            Message::Subscribe(message::Subscribe {
                request,
                options,
                topic,
            })
        });
        match sent {
            Ok(id) => {
                if let Some(slot) = wanted.started.take() {
                    // Nobody may be waiting any more.
                    let _ = slot.send(id);
                }
                let pattern = wanted.pattern.clone();
                self.routes.asked(&pattern);
                self.subscribing.insert(id, key, Asked { key, pattern });
            }
            // The session is ending; there may be another one.
            Err(SendError::NotJoined) => {
                if let Some(reply) = &wanted.reply {
                    reply.revert();
                }
            }
            Err(error) => {
                let failure = Failure::not_committed(error, cx);
                self.fail(key, failure, cx);
            }
        }
    }

    /// It cannot be made; others are not touched.
    fn fail(&mut self, key: Key, failure: Failure, cx: &mut Context<'_, Command>) {
        if let Some(wanted) = self.forget(key) {
            wanted.fail(failure, cx);
        }
    }

    fn subscribed(&mut self, message: Subscribed, cx: &mut Context<'_, Command>) {
        let Some(Asked { key, pattern }) = self.subscribing.take(message.request) else {
            debug!(request = %message.request, "SUBSCRIBED for no request");
            return;
        };
        let id = message.subscription;
        // The route stands before the next message is read: an event may be right behind.
        let wanted = self.wanted.get_mut(&key);
        self.routes
            .install(id, &pattern, wanted.is_some().then_some(key));
        if let Some(wanted) = wanted {
            let session = cx.session();
            let session = session.map(|session| (session.realm().clone(), session.id()));
            wanted.status.send_modify(|status| {
                status.id = Some(id);
                status.session = session;
                status.sessions = status.sessions.saturating_add(1);
            });
            wanted.made(cx.now());
            if let Some(reply) = wanted.reply.take() {
                reply.send(Ok(key));
            }
        }
        self.answered(&pattern, cx);
    }

    fn refused(&mut self, error: ErrorMessage, cx: &mut Context<'_, Command>) {
        if let Some(Asked { key, pattern }) = self.subscribing.take(error.request) {
            debug!(topic = pattern.as_str(), error = %error.error, "not subscribed");
            self.fail(key, error.into(), cx);
            self.answered(&pattern, cx);
        }
    }

    /// A SUBSCRIBE was answered: end what waited for it to be ended.
    fn answered(&mut self, pattern: &Pattern, cx: &mut Context<'_, Command>) {
        for id in self.routes.answered(pattern) {
            unsubscribe(id, cx);
        }
    }

    fn event(&mut self, message: message::Event, cx: &mut Context<'_, Command>) {
        let Some((last, others)) = self.routes.keys(message.subscription).split_last() else {
            // WAMP spec, "Protocol Errors": not among them. It is late, after an UNSUBSCRIBE.
            self.strays = self.strays.saturating_add(1);
            let (id, count) = (message.subscription, self.strays);
            trace!(subscription = %id, count, "an event for no subscription");
            return;
        };
        let bytes = weight(message.details.as_dict(), &message.payload);
        let publication = message.publication;
        let message = Shared::new(message, others.len().saturating_add(1));
        let mut full = Vec::new();
        let mut offer = |key: &Key, message| {
            if let Some(wanted) = self.wanted.get_mut(key) {
                match wanted.offer(message, publication, bytes, cx) {
                    Offered::Taken => {}
                    offered => full.push((*key, offered)),
                }
            }
        };
        for key in others {
            offer(key, message.clone());
        }
        offer(last, message);
        for (key, offered) in full {
            self.full(key, offered, cx);
        }
    }

    /// The queue of a subscription has no more room.
    fn full(&mut self, key: Key, offered: Offered, cx: &mut Context<'_, Command>) {
        match offered {
            Offered::Taken => {}
            // Who drains it may wait for the router, which must be heard then.
            Offered::Filled if self.cut(key) => {}
            Offered::Filled => _ = self.filled.insert(key),
            Offered::Lagging => {
                let missed = self
                    .wanted
                    .get(&key)
                    .map_or(0, |wanted| wanted.events.lost());
                self.remove(key, Some(SubscriptionEnd::Lagged { missed }), None, cx);
            }
        }
    }

    fn revoked(&mut self, id: SubscriptionId, reason: Option<&str>) {
        for key in self.routes.revoke(id) {
            if let Some(wanted) = self.forget(key) {
                debug!(topic = wanted.pattern.as_str(), "revoked");
                let reason = reason.map(Into::into);
                wanted.end(SubscriptionEnd::Revoked { reason });
            }
        }
    }

    /// A local subscription is to be drained: the last one of its id takes events until the router
    /// has taken the id.
    fn drain(&mut self, key: Key, reply: Reply<()>, cx: &mut Context<'_, Command>) {
        let wanted = self.wanted.get(&key);
        let id = wanted.and_then(|wanted| wanted.status.borrow().id);
        let is_last = |id: &SubscriptionId| self.routes.is_last(*id, key);
        match id.filter(is_last).filter(|_| !self.filled.contains(&key)) {
            Some(id) if let Some(request) = unsubscribe(id, cx) => {
                // It went out whether somebody waits or not.
                let _ = reply.commit();
                let id = Some(id);
                self.drains.begin(request, Drain { key, id, reply });
            }
            _ => self.remove(key, None, Some(reply), cx),
        }
    }

    /// The router took the id of a subscription, or refused to do so.
    fn unsubscribed(
        &mut self,
        request: RequestId,
        refusal: Option<ErrorMessage>,
        cx: &mut Context<'_, Command>,
    ) {
        if let Some(drain) = self.drains.take(request) {
            self.finish(&drain);
            let refusal = refusal.map(Failure::from);
            return drain.reply.send(refusal.map_or(Ok(()), Err));
        }
        match refusal {
            Some(refusal) => self.unsubscribing.refuse(refusal, cx),
            None => self.unsubscribing.resolve(request, (), cx),
        }
    }

    /// No more events are taken for a subscription that is being drained; `false` if it is not.
    fn cut(&mut self, key: Key) -> bool {
        let Some(id) = self.drains.cut(key) else {
            return false;
        };
        self.routes.revoke(id);
        // Whoever reads it gets what waits.
        self.forget(key);
        true
    }

    fn finish(&mut self, drain: &Drain) {
        if let Some(id) = drain.id {
            self.routes.revoke(id);
            self.forget(drain.key);
        }
    }

    /// A local subscription goes; the last one of its id takes the id with it.
    fn remove(
        &mut self,
        key: Key,
        end: Option<SubscriptionEnd>,
        reply: Option<Reply<()>>,
        cx: &mut Context<'_, Command>,
    ) {
        let wanted = self.forget(key);
        let id = wanted.as_ref().and_then(|wanted| wanted.status.borrow().id);
        let sent = match id {
            Some(id) if self.routes.leave(id, key) => unsubscribe(id, cx),
            _ => None,
        };
        if let (Some(wanted), Some(end)) = (wanted, end) {
            wanted.end(end);
        }
        match (reply, sent) {
            (Some(reply), Some(request)) => {
                // It went out whether somebody waits or not.
                let _ = reply.commit();
                self.unsubscribing.insert(request, reply.key(), reply);
            }
            (Some(reply), None) => reply.send(Ok(())),
            (None, _) => {}
        }
    }
}

/// What the subscription needs of the broker and the broker did not announce.
fn unsupported(wanted: &Wanted, cx: &Context<'_, Command>) -> Option<Failure> {
    let needs = |feature| Failure::unsupported(RoleName::Broker, feature, cx);
    let mut failure = needs(None);
    if wanted.pattern.policy() != MatchPolicy::Exact {
        failure = failure.or_else(|| needs(Some(Feature::PatternBasedSubscription)));
    }
    if wanted.options.get_retained() == Some(true) {
        failure = failure.or_else(|| needs(Some(Feature::EventRetention)));
    }
    if let Some((role, feature)) = wanted.needs {
        failure = failure.or_else(|| Failure::unsupported(role, Some(feature), cx));
    }
    failure
}

/// Send UNSUBSCRIBE. `None` if there is no session to do it in, and so nothing to end.
fn unsubscribe(subscription: SubscriptionId, cx: &mut Context<'_, Command>) -> Option<RequestId> {
    let sent = cx.request(|request| {
        Message::Unsubscribe(message::Unsubscribe {
            request,
            subscription,
        })
    });
    sent.inspect_err(|error| debug!(%subscription, %error, "UNSUBSCRIBE not sent"))
        .ok()
}

impl Role for Subscriber {
    type Command = Command;
    type Handle = SubscriberHandle;

    fn handle(commands: Commands<Command>) -> SubscriberHandle {
        SubscriberHandle::new(Requests::new(commands, |key| Command(Order::Release(key))))
    }

    fn features(&self, announced: &mut RoleFeatures) {
        announced.add(
            RoleName::Subscriber,
            [
                Feature::PatternBasedSubscription,
                Feature::PayloadPassthruMode,
                Feature::PublicationTrustLevels,
                Feature::PublisherIdentification,
                Feature::SubscriptionRevocation,
            ],
        );
    }

    fn on_join(&mut self, _session: &SessionInfo, _: &mut Context<'_, Command>) {
        let mut keys: Vec<_> = self.wanted.keys().copied().collect();
        keys.sort_unstable();
        self.restoring = keys.into();
    }

    fn is_restoring(&self) -> bool {
        !self.restoring.is_empty()
    }

    fn restore(&mut self, cx: &mut Context<'_, Command>) {
        if let Some(key) = self.restoring.pop_front() {
            self.ask(key, cx);
        }
    }

    fn pauses_reading(&self) -> bool {
        !self.filled.is_empty()
    }

    fn reads(&self, kind: Option<Kind>) -> bool {
        use Kind::{Error, Event, Subscribed, Unsubscribed};
        matches!(kind, Some(Event | Subscribed | Unsubscribed | Error))
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
            Message::Event(event) => self.event(event, cx),
            Message::Subscribed(subscribed) => self.subscribed(subscribed, cx),
            Message::Unsubscribed(Unsubscribed::Reply { request }) => {
                self.unsubscribed(request, None, cx);
            }
            Message::Unsubscribed(Unsubscribed::Revocation { details }) => {
                if let Some(id) = details.subscription() {
                    self.revoked(id, details.reason());
                } else {
                    debug!("a revocation of no subscription");
                }
            }
            Message::Error(error) => match error.request_kind {
                RequestKind::Subscribe => self.refused(error, cx),
                // It is gone, as was wished.
                RequestKind::Unsubscribe if error.error == reason::NO_SUCH_SUBSCRIPTION => {
                    self.unsubscribed(error.request, None, cx);
                }
                RequestKind::Unsubscribe => self.unsubscribed(error.request, Some(error), cx),
                _ => return ControlFlow::Continue(Message::Error(error)),
            },
            other => return ControlFlow::Continue(other),
        }
        ControlFlow::Break(())
    }

    fn handle_call(&mut self, command: Command, cx: &mut Context<'_, Command>) {
        match command.0 {
            Order::Subscribe(wanted) => self.subscribe(*wanted, cx),
            Order::Drain { key, reply } => self.drain(key, reply, cx),
            Order::Unsubscribe { key, reply } => self.remove(key, None, Some(reply), cx),
            Order::Release(key) => {
                // Of a subscription, or of an UNSUBSCRIBE that nobody waits for any more.
                let _ = self.unsubscribing.give_up(key);
                if !self.cut(key) {
                    self.remove(key, None, None, cx);
                }
            }
            Order::Resume(key) => _ = self.filled.remove(&key),
        }
    }

    fn pending(&self) -> usize {
        let unsubscribing = self.unsubscribing.len();
        self.subscribing.len().saturating_add(unsubscribing)
    }

    fn on_close(&mut self, end: &SessionEnd) {
        for (request, Asked { key, .. }) in self.subscribing.drain() {
            let wanted = self.wanted.get_mut(&key);
            if let Some(reply) = wanted.and_then(|wanted| wanted.reply.take()) {
                self.filled.remove(&key);
                self.wanted.remove(&key);
                reply.send(Err(Failure::Closed {
                    reason: end.reason().clone(),
                    delivery: end.delivery(request),
                }));
            }
        }
        let drains: Vec<_> = self.drains.drain().collect();
        for drain in drains {
            self.finish(&drain);
            drain.reply.send(Ok(()));
        }
        for (_, reply) in self.unsubscribing.drain() {
            // No session, no subscription.
            reply.send(Ok(()));
        }
        for wanted in self.wanted.values_mut() {
            wanted.lose(end);
        }
        self.routes.clear();
    }
}

/// What [`SubscriberHandle`] asks of [`Subscriber`].
#[derive(Debug)]
#[expect(unnameable_types, reason = "private to the role and its handle")]
pub struct Command(pub(super) Order);

#[derive(Debug)]
pub(super) enum Order {
    Subscribe(Box<Wanted>),
    Unsubscribe {
        key: Key,
        reply: Reply<()>,
    },
    Drain {
        key: Key,
        reply: Reply<()>,
    },
    Release(Key),
    /// There is room again in the queue.
    Resume(Key),
}
