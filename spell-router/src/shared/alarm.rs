//! The task that keeps the time of a realm.

use std::{sync::Arc, time::Instant};

use tokio::time::sleep_until;

use super::{LiveRealm, Routing};
use crate::{outbound::lock, realm::RealmState, serve};

impl LiveRealm {
    /// Lets the realm do in time what is due: by a task, which there is only while there are
    /// deadlines, and which wakes only for them.
    ///
    /// That a deadline is gone does not wake it: most calls are answered in time.
    pub(super) fn set_alarm(self: &Arc<Self>, routing: &mut Routing) {
        let Some(deadline) = routing.state.next_deadline() else {
            return;
        };
        match routing.alarm {
            Some(alarm) if alarm <= deadline => return,
            Some(_) => self.earlier.notify_one(),
            None => {
                let Some(shared) = self.shared.upgrade() else {
                    return;
                };
                serve::spawn(&shared, Arc::clone(self).keep_time());
            }
        }
        routing.alarm = Some(deadline);
    }

    /// Nobody is in the realm, so that there are no deadlines.
    pub(super) fn stop_alarm(&self, routing: &Routing) {
        if routing.alarm.is_some() {
            self.earlier.notify_one();
        }
    }

    async fn keep_time(self: Arc<Self>) {
        while let Some(alarm) = self.do_what_is_due() {
            tokio::select! {
                () = self.earlier.notified() => {}
                () = sleep_until(alarm.into()) => {}
            }
        }
    }

    /// Gives the next deadline.
    fn do_what_is_due(&self) -> Option<Instant> {
        let mut routing = lock(&self.routing);
        routing.step(RealmState::expire);
        routing.alarm = routing.state.next_deadline();
        routing.alarm
    }
}
