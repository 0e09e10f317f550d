use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::{broadcast, mpsc, oneshot},
    task::{AbortHandle, Id, JoinError, JoinSet},
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{
    ChildEnd, Intensity, Report, Restart, StartError, SupervisionEnd,
    child::{Life, Slot},
    intensity::Restarts,
    lock,
};

/// What is asked of the keeper.
pub(super) enum Order {
    Start(Box<Kept>),
    Stop(Arc<str>, oneshot::Sender<bool>),
    StopAll,
}

/// A child, whatever its roles.
pub(super) struct Kept {
    slot: Arc<Slot>,
    life: Life,
    restart: Restart,
    deadline: Duration,
    running: Option<Running>,
}

/// The present life of a child.
struct Running {
    task: AbortHandle,
    stop: CancellationToken,
    /// Cancelled when the task is gone, however that came.
    gone: CancellationToken,
}

impl Kept {
    pub(super) fn new(slot: Arc<Slot>, life: Life, restart: Restart, deadline: Duration) -> Self {
        Self {
            slot,
            life,
            restart,
            deadline,
            running: None,
        }
    }

    fn begin(&mut self, tasks: &mut JoinSet<ChildEnd>) {
        let (stop, gone) = (CancellationToken::new(), CancellationToken::new());
        let (life, guard) = ((self.life)(stop.clone()), gone.clone().drop_guard());
        let task = tasks.spawn(async move {
            let _guard = guard;
            life.await
        });
        self.running = Some(Running { task, stop, gone });
    }

    fn is(&self, id: Id) -> bool {
        let running = self.running.as_ref();
        running.is_some_and(|running| running.task.id() == id)
    }

    async fn stop(mut self) {
        if let Some(waiting) = self.slot.take_waiting() {
            // Nobody may be waiting any more.
            let _ = waiting.send(Err(StartError::Stopped));
        }
        let Some(running) = self.running.take() else {
            return;
        };
        running.stop.cancel();
        let name = &*self.slot.name;
        if timeout(self.deadline, running.gone.cancelled())
            .await
            .is_err()
        {
            warn!(child = name, "a child did not end in time, and is dropped");
            running.task.abort();
            running.gone.cancelled().await;
        }
        info!(child = name, "a child was stopped");
    }
}

/// What others see of the children.
pub(super) struct Outlet {
    pub(super) slots: Arc<Mutex<Vec<Arc<Slot>>>>,
    pub(super) reports: broadcast::Sender<Report>,
}

/// Keeps the children: the task of a supervision.
pub(super) struct Keeper {
    restarts: Restarts,
    orders: mpsc::Receiver<Order>,
    outlet: Outlet,
    /// In the order they were started.
    children: Vec<Kept>,
    tasks: JoinSet<ChildEnd>,
}

impl Keeper {
    pub(super) fn new(intensity: Intensity, orders: mpsc::Receiver<Order>, outlet: Outlet) -> Self {
        Self {
            restarts: Restarts::new(intensity),
            orders,
            outlet,
            children: Vec::new(),
            tasks: JoinSet::new(),
        }
    }

    pub(super) async fn run(mut self) -> SupervisionEnd {
        let end = loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(Order::Start(child)) => self.start(*child),
                    Some(Order::Stop(name, reply)) => {
                        let is_stopped = self.stop(&name).await;
                        // Nobody may be waiting any more.
                        let _ = reply.send(is_stopped);
                    }
                    Some(Order::StopAll) | None => break SupervisionEnd::Stopped,
                },
                Some(ended) = self.tasks.join_next_with_id() => {
                    if let Some(end) = self.ended(ended) {
                        break end;
                    }
                }
            }
        };
        self.orders.close();
        while let Some(child) = self.children.pop() {
            lock(&self.outlet.slots).pop();
            child.stop().await;
        }
        self.report(Report::Finished(end.clone()));
        end
    }

    fn start(&mut self, mut child: Kept) {
        let mut slots = lock(&self.outlet.slots);
        if slots.iter().any(|slot| slot.name == child.slot.name) {
            if let Some(waiting) = child.slot.take_waiting() {
                // Nobody may be waiting any more.
                let _ = waiting.send(Err(StartError::NameTaken));
            }
            return;
        }
        slots.push(child.slot.clone());
        child.begin(&mut self.tasks);
        self.children.push(child);
    }

    async fn stop(&mut self, name: &str) -> bool {
        let mut children = self.children.iter();
        let Some(place) = children.position(|child| &*child.slot.name == name) else {
            return false;
        };
        self.remove(place).stop().await;
        true
    }

    /// A child ended, or was stopped before. Gives the end of the supervision, if this is one.
    fn ended(&mut self, ended: Result<(Id, ChildEnd), JoinError>) -> Option<SupervisionEnd> {
        let (id, end) = ended.unwrap_or_else(|error| (error.id(), ChildEnd::Panicked));
        let place = self.children.iter().position(|child| child.is(id))?;
        let child = self.children.get(place)?;
        let name = child.slot.name.clone();
        if let Some(waiting) = child.slot.take_waiting() {
            self.remove(place);
            // Nobody may be waiting any more.
            let _ = waiting.send(Err(StartError::Failed(end)));
            return None;
        }
        let is_wished = match child.restart {
            Restart::Permanent => true,
            Restart::Transient => !end.is_normal(),
            Restart::Temporary => false,
        };
        let restarts = is_wished && self.restarts.allow(Instant::now());
        self.report(Report::Ended {
            name: name.clone(),
            end: end.clone(),
            restarts,
        });
        let name_shown = &*name;
        if restarts {
            warn!(child = name_shown, %end, "a child ended, and is started anew");
            self.children.get_mut(place)?.begin(&mut self.tasks);
            return None;
        }
        self.remove(place);
        if !is_wished {
            info!(child = name_shown, %end, "a child ended");
            return None;
        }
        error!(child = name_shown, %end, "children end too often; all are stopped");
        Some(SupervisionEnd::TooManyRestarts { name, end })
    }

    fn remove(&mut self, place: usize) -> Kept {
        lock(&self.outlet.slots).remove(place);
        self.children.remove(place)
    }

    fn report(&self, report: Report) {
        // Nobody may be listening.
        let _ = self.outlet.reports.send(report);
    }
}
