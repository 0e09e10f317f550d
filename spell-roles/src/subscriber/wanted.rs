use std::{mem, sync::Arc};

use spell_message::{Feature, Pattern, RoleName, message, options::SubscribeOptions};
use spell_peer::{Context, Count};
use tokio::sync::watch;
use tracing::warn;

use super::{
    Event, SubscriptionEnd,
    role::{Command, Order},
    subscription::Status,
};
use crate::{
    queue::{Overflow, Producer, Pushed},
    request::{Key, Reply},
    started::IdSlot,
};

/// A local subscription.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) pattern: Pattern,
    pub(super) options: SubscribeOptions,
    /// What the router must have announced, beside what the options need.
    pub(super) needs: Option<(RoleName, Feature)>,
    pub(super) overflow: Overflow,
    pub(super) events: Producer<Event>,
    pub(super) status: watch::Sender<Status>,
    /// Who waits for it to be made the first time.
    pub(super) reply: Option<Reply<Key>>,
    pub(super) started: Option<IdSlot>,
    pub(super) has_warned: bool,
}

impl Wanted {
    /// Ask the role for it; `started` is told the id of the SUBSCRIBE.
    pub(super) fn command(mut self, reply: Reply<Key>, started: Option<IdSlot>) -> Command {
        self.reply = Some(reply);
        self.started = started;
        Command(Order::Subscribe(Box::new(self)))
    }

    /// Queue an event; `false` if that ends the subscription.
    pub(super) fn offer(
        &mut self,
        message: &Arc<message::Event>,
        bytes: usize,
        cx: &mut Context<'_, Command>,
    ) -> bool {
        let event = Event::new(message.clone(), self.pattern.clone());
        let (lost, is_refused) = match self.events.push(event, bytes) {
            Pushed::Queued => return true,
            Pushed::Displaced(count) => (count, false),
            Pushed::Refused(_) => (1, true),
        };
        cx.count(Count::EventsDropped, lost);
        if !mem::replace(&mut self.has_warned, true) {
            let topic = self.pattern.as_str();
            warn!(
                topic,
                lost, "a subscription is read too slowly: it begins to lose events"
            );
        }
        !(is_refused && self.overflow == Overflow::End)
    }

    pub(super) fn end(self, end: SubscriptionEnd) {
        self.status.send_modify(|status| {
            status.id = None;
            status.end = Some(end);
        });
        self.events.close();
    }
}
