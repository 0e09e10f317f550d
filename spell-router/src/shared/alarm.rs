//! The task that keeps the time of a realm.

use std::sync::Arc;

use tokio::time::sleep_until;

use super::{LiveRealm, Routing, Shared};
use crate::{outbound::lock, realm::RealmState, serve};

impl LiveRealm {
    /// Lets the realm do in time what is due: by a task, which there is only while there are
    /// deadlines, and which wakes only for them.
    pub(super) fn set_alarm(self: &Arc<Self>, routing: &mut Routing, shared: &Arc<Shared>) {
        let Some(deadline) = routing.state.next_deadline() else {
            // A task that sleeps for nothing finds out when it wakes, so that calls that are
            // answered in time, as most are, need not wake it.
            return;
        };
        match routing.alarm {
            None => serve::spawn(shared, Arc::clone(self).keep_time()),
            Some(alarm) if deadline < alarm => self.earlier.notify_one(),
            Some(_) => return,
        }
        routing.alarm = Some(deadline);
    }

    /// The realm is over, and so is its time.
    pub(super) fn stop_alarm(&self, routing: &mut Routing) {
        if routing.alarm.take().is_some() {
            self.earlier.notify_one();
        }
    }

    async fn keep_time(self: Arc<Self>) {
        loop {
            let alarm = lock(&self.routing).alarm;
            let Some(alarm) = alarm else {
                return;
            };
            tokio::select! {
                () = self.earlier.notified() => {}
                () = sleep_until(alarm.into()) => {
                    let mut routing = lock(&self.routing);
                    routing.step(RealmState::expire);
                    routing.alarm = routing.state.next_deadline();
                }
            }
        }
    }
}
