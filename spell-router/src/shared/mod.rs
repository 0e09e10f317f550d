//! What the tasks of a router share.

mod alarm;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, Weak},
    time::{Duration, Instant},
};

use spell_message::{Message, RequestId, Serialization, SessionId, Uri, message::RequestKind};
use spell_serializer::AnySerializer;
use spell_transport::KeepAlive;
#[cfg(any(feature = "websocket", feature = "rawsocket"))]
use spell_transport::TcpOptions;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use crate::{
    carrier::{Line, Undeliverable},
    environment::Environment,
    error::Violation,
    id_map::IdMap,
    ids::{RandomBits, random_bits},
    occasion::Occasion,
    outbound::{Outbound, QueueLimits, lock},
    outgoing::Outputs,
    quotas::Quotas,
    realm::{Flow, Handled, RealmState},
    session::Admission,
    settings::Access,
    statistics::Counters,
};

/// What the tasks of a router share.
pub(crate) struct Shared {
    access: HashMap<Uri, Arc<Access>>,
    /// Who may join a realm that is not listed; `None` if nobody, for there are no others.
    unlisted: Option<Arc<Access>>,
    /// The realms that someone is in, and those listed that someone was in.
    realms: Mutex<HashMap<Uri, Arc<LiveRealm>>>,
    sessions: Mutex<SessionIds>,
    pub(crate) serializers: Vec<AnySerializer>,
    pub(crate) limits: Limits,
    pub(crate) counters: Arc<Counters>,
    /// Where it listens.
    pub(crate) addresses: Mutex<Vec<String>>,
    /// A permit for each connection that there may be.
    pub(crate) connections: Arc<Semaphore>,
    pub(crate) tasks: TaskTracker,
    /// Sessions shall leave.
    pub(crate) closing: Occasion,
    /// Everything shall end at once.
    pub(crate) force: Occasion,
}

/// What a router bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) queue: QueueLimits,
    /// The largest message to take, in bytes.
    pub(crate) message: usize,
    pub(crate) handshake: Duration,
    pub(crate) goodbye: Duration,
    /// When silent clients are asked whether they are there, if ever.
    pub(crate) keep_alive: Option<KeepAlive>,
    #[cfg(any(feature = "websocket", feature = "rawsocket"))]
    pub(crate) tcp: TcpOptions,
    /// The most connections at a time.
    pub(crate) connections: usize,
    pub(crate) quotas: Quotas,
}

/// The ids of all connections, so that none is given twice.
struct SessionIds {
    taken: HashSet<SessionId>,
    random: RandomBits,
}

/// A realm and the queues of its sessions, behind one lock.
///
/// The lock is held for a step of the routing core and to put what came out of it into the queues:
/// for no IO, and never across an `await`. Encoding, decoding and transcoding happen outside of it.
pub(crate) struct LiveRealm {
    routing: Mutex<Routing>,
    /// Wakes the task that keeps time.
    earlier: Notify,
    shared: Weak<Shared>,
}

struct Routing {
    state: RealmState,
    queues: IdMap<SessionId, Arc<Outbound>>,
    outputs: Outputs,
    counters: Arc<Counters>,
    /// Until when the task that keeps time sleeps; `None` if there is no such task.
    alarm: Option<Instant>,
}

impl Shared {
    pub(crate) fn new(
        access: HashMap<Uri, Access>,
        unlisted: Option<Access>,
        serializers: Vec<AnySerializer>,
        limits: Limits,
    ) -> Self {
        let access = access.into_iter();
        Self {
            access: access
                .map(|(name, access)| (name, Arc::new(access)))
                .collect(),
            unlisted: unlisted.map(Arc::new),
            realms: Mutex::default(),
            sessions: Mutex::new(SessionIds {
                taken: HashSet::new(),
                random: random_bits(),
            }),
            serializers,
            limits,
            counters: Arc::default(),
            addresses: Mutex::default(),
            connections: Arc::new(Semaphore::new(
                limits.connections.min(Semaphore::MAX_PERMITS),
            )),
            tasks: TaskTracker::new(),
            closing: Occasion::default(),
            force: Occasion::default(),
        }
    }

    /// Who may join a realm; `None` if there is no such realm.
    pub(crate) fn access(&self, realm: &Uri) -> Option<Arc<Access>> {
        self.access.get(realm).or(self.unlisted.as_ref()).cloned()
    }

    pub(crate) fn serializations(&self) -> Vec<Serialization> {
        let serializers = self.serializers.iter();
        serializers
            .map(|serializer| serializer.serialization())
            .collect()
    }

    pub(crate) fn serializer(&self, serialization: Serialization) -> Option<AnySerializer> {
        let mut serializers = self.serializers.iter();
        serializers
            .find(|serializer| serializer.serialization() == serialization)
            .cloned()
    }

    /// Room for one more connection, for as long as the permit lives; `None`, which is counted, if
    /// there is none.
    pub(crate) fn admit(&self) -> Option<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.connections).try_acquire_owned().ok();
        if permit.is_none() {
            self.counters.refused.up();
            tracing::debug!("refused, as there are as many connections as may be");
        }
        permit
    }

    /// An id that no other connection has. WAMP spec, "IDs".
    pub(crate) fn reserve_session_id(self: &Arc<Self>) -> ReservedId {
        let mut ids = lock(&self.sessions);
        loop {
            let id = SessionId::from_random((ids.random)());
            if ids.taken.insert(id) {
                let shared = Arc::clone(self);
                return ReservedId { id, shared };
            }
        }
    }

    /// Lets a session join its realm, which comes into being with its first session. The WELCOME
    /// is queued before anything the realm may have for the session.
    pub(crate) fn join(
        self: &Arc<Self>,
        reserved: ReservedId,
        admission: Admission,
        queue: &Arc<Outbound>,
        line: Line,
    ) -> Membership {
        queue.push(admission.welcome());
        let session = admission.session;
        let mut realms = lock(&self.realms);
        let realm = Arc::clone(
            realms
                .entry(admission.realm.clone())
                .or_insert_with(|| Arc::new(self.new_realm(&admission.realm))),
        );
        // From now on the realm stays. What takes longer holds up this realm only.
        lock(&realm.routing)
            .queues
            .insert(session, Arc::clone(queue));
        drop(realms);
        let (principal, announced) = (admission.principal, admission.announced);
        realm.step(|state, out| state.join(session, principal, announced, line, out));
        self.counters.sessions.up();
        self.counters.joined.up();
        tracing::debug!(realm = ?admission.realm.as_str(), "session joined");
        Membership {
            reserved,
            name: admission.realm,
            realm,
        }
    }

    /// A realm that someone is in, or may have been in.
    pub(crate) fn live(&self, realm: &Uri) -> Option<Arc<LiveRealm>> {
        lock(&self.realms).get(realm).cloned()
    }

    fn new_realm(self: &Arc<Self>, name: &Uri) -> LiveRealm {
        let access = self.access(name).unwrap_or_default();
        LiveRealm::new(self, &access)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl LiveRealm {
    fn new(shared: &Arc<Shared>, access: &Access) -> Self {
        let state = RealmState::new(Environment::real(), shared.limits.quotas)
            .with_meta_api(access.meta_api().clone())
            .with_disclosure(access.disclosure)
            .with_reregistration(access.reregistration)
            .with_histories(&access.histories);
        Self {
            routing: Mutex::new(Routing {
                state,
                queues: IdMap::default(),
                outputs: Outputs::default(),
                counters: Arc::clone(&shared.counters),
                alarm: None,
            }),
            earlier: Notify::new(),
            shared: Arc::downgrade(shared),
        }
    }

    /// One step of the core, whose outputs go into the queues before anyone else's.
    pub(crate) fn step<T>(
        self: &Arc<Self>,
        step: impl FnOnce(&mut RealmState, &mut Outputs) -> T,
    ) -> T {
        let mut routing = lock(&self.routing);
        let result = routing.step(step);
        self.set_alarm(&mut routing);
        result
    }
}

impl Routing {
    fn step<T>(&mut self, step: impl FnOnce(&mut RealmState, &mut Outputs) -> T) -> T {
        let result = step(&mut self.state, &mut self.outputs);
        let events_not_kept = self.outputs.take_events_not_kept();
        if events_not_kept > 0 {
            self.counters.events_not_kept.add(events_not_kept);
        }
        for (to, message) in self.outputs.drain() {
            if let Some(queue) = self.queues.get(&to) {
                queue.push(message);
            }
        }
        result
    }
}

/// The id of a connection, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct ReservedId {
    id: SessionId,
    shared: Arc<Shared>,
}

impl ReservedId {
    pub(crate) fn id(&self) -> SessionId {
        self.id
    }
}

impl Drop for ReservedId {
    fn drop(&mut self) {
        lock(&self.shared.sessions).taken.remove(&self.id);
    }
}

/// A session's place in its realm. Dropping it is leaving.
pub(crate) struct Membership {
    reserved: ReservedId,
    name: Uri,
    realm: Arc<LiveRealm>,
}

impl Membership {
    pub(crate) fn session(&self) -> SessionId {
        self.reserved.id
    }

    pub(crate) fn handle(&self, message: Message) -> Flow {
        let session = self.session();
        let mut handled = self
            .realm
            .step(|state, out| state.handle(session, message, out));
        loop {
            match handled {
                Handled::Now(flow) => return flow,
                Handled::After(work) => {
                    let finished = work.finish();
                    handled = self
                        .realm
                        .step(|state, out| state.resume(session, finished, out));
                }
            }
        }
    }

    pub(crate) fn refuse_uri(
        &self,
        answer: Option<RequestKind>,
        request: RequestId,
        explanation: &str,
    ) -> Flow {
        let session = self.session();
        self.realm
            .step(|state, out| state.refuse_uri(session, answer, request, explanation, out))
    }

    pub(crate) fn violated(&self, violation: Violation) {
        self.realm
            .step(|state, out| state.violated(self.session(), violation, out));
    }

    pub(crate) fn undelivered(&self, invocation: RequestId, why: Undeliverable) {
        self.realm
            .step(|state, out| state.undelivered(self.session(), invocation, why, out));
    }

    pub(crate) fn undelivered_progress(&self, call: RequestId, why: Undeliverable) {
        self.realm
            .step(|state, out| state.undelivered_progress(self.session(), call, why, out));
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let session = self.session();
        let shared = &self.reserved.shared;
        // What takes long comes first: it holds up this realm only.
        self.realm.step(|state, out| state.leave(session, out));
        // A realm that comes into being while its namesake goes would be another one, so both
        // happen under this lock.
        let mut realms = lock(&shared.realms);
        let mut routing = lock(&self.realm.routing);
        routing.queues.remove(&session);
        if routing.queues.is_empty() {
            self.realm.stop_alarm(&routing);
        }
        // What a listed realm keeps outlasts its sessions. Of others there may be any number.
        if routing.queues.is_empty() && !shared.access.contains_key(&self.name) {
            realms.remove(&self.name);
        }
        drop((routing, realms));
        shared.counters.sessions.down();
        tracing::debug!(id = %session, realm = ?self.name.as_str(), "session left");
    }
}

#[cfg(test)]
mod tests;
