//! The router alone, between transports in memory.

use std::error::Error;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use spell_benches::frames::{self, PROCEDURE, TOPIC};
use spell_message::{RequestId, RoleName};
use spell_router::Router;
use spell_serializer::AnySerializer;
use spell_transport::{Connector, memory::MemoryTransport};

/// A call, from one session to another, and its result on the way back, where there are so many other sessions, each with
/// a procedure and a topic of its own.
pub(crate) fn call(
    serializer: &AnySerializer,
    ids: &[RequestId],
    done: usize,
    others: usize,
) -> Result<(), Box<dyn Error>> {
    calls_at_once(1, serializer, ids, done, others)
}

/// The same, where many calls are under way.
pub(crate) fn calls(
    serializer: &AnySerializer,
    ids: &[RequestId],
    done: usize,
) -> Result<(), Box<dyn Error>> {
    calls_at_once(AT_ONCE, serializer, ids, done, 0)
}

fn calls_at_once(
    at_once: usize,
    serializer: &AnySerializer,
    ids: &[RequestId],
    done: usize,
    others: usize,
) -> Result<(), Box<dyn Error>> {
    let calls = ids.iter().map(|id| frames::call(serializer, *id));
    let calls: Vec<Bytes> = calls.collect::<Result<_, _>>()?;
    let answers = ids.iter().map(|id| frames::answer(serializer, *id));
    let answers: Vec<Bytes> = answers.collect::<Result<_, _>>()?;
    block_on(async {
        let router = Router::local();
        let _others = sessions(&router, serializer, others).await?;
        let mut callee = join(&router, serializer, &[RoleName::Callee]).await?;
        let register = frames::register(serializer, RequestId::MIN, PROCEDURE)?;
        callee.send(register).await?;
        receive(&mut callee).await?;
        let mut caller = join(&router, serializer, &[RoleName::Caller]).await?;
        let (mut calls, mut answers) = (calls.into_iter().take(done), answers.into_iter());
        while calls.len() > 0 {
            let round = at_once.min(calls.len());
            exchange(&mut caller, &mut callee, calls.by_ref().take(round)).await?;
            exchange(&mut callee, &mut caller, answers.by_ref().take(round)).await?;
        }
        Ok(())
    })
}

/// Publications that are acknowledged and that nobody gets, many at once.
pub(crate) fn publications(
    serializer: &AnySerializer,
    ids: &[RequestId],
    done: usize,
) -> Result<(), Box<dyn Error>> {
    let publications = ids
        .iter()
        .map(|id| frames::acknowledged_publish(serializer, *id));
    let publications: Vec<Bytes> = publications.collect::<Result<_, _>>()?;
    block_on(async {
        let router = Router::local();
        let mut publisher = join(&router, serializer, &[RoleName::Publisher]).await?;
        let mut publications = publications.into_iter().take(done);
        while publications.len() > 0 {
            let round = AT_ONCE.min(publications.len());
            for publication in publications.by_ref().take(round) {
                publisher.feed(publication).await?;
            }
            for _ in 0..round {
                receive(&mut publisher).await?;
            }
        }
        Ok(())
    })
}

/// Sends frames from one session, and waits for as many at another one.
async fn exchange(
    from: &mut MemoryTransport,
    to: &mut MemoryTransport,
    frames: impl ExactSizeIterator<Item = Bytes>,
) -> Result<(), Box<dyn Error>> {
    let count = frames.len();
    for frame in frames {
        from.feed(frame).await?;
    }
    from.flush().await?;
    for _ in 0..count {
        receive(to).await?;
    }
    Ok(())
}

/// A publication, and its event to each of ten subscribers, where there are so many other sessions.
pub(crate) fn event(
    serializer: &AnySerializer,
    ids: &[RequestId],
    done: usize,
    others: usize,
) -> Result<(), Box<dyn Error>> {
    let publications = ids.iter().map(|id| frames::publish(serializer, *id));
    let publications: Vec<Bytes> = publications.collect::<Result<_, _>>()?;
    block_on(async {
        let router = Router::local();
        let _others = sessions(&router, serializer, others).await?;
        let mut subscribers = Vec::new();
        for _ in 0..10 {
            let mut subscriber = join(&router, serializer, &[RoleName::Subscriber]).await?;
            let subscribe = frames::subscribe(serializer, RequestId::MIN, TOPIC)?;
            subscriber.send(subscribe).await?;
            receive(&mut subscriber).await?;
            subscribers.push(subscriber);
        }
        let mut publisher = join(&router, serializer, &[RoleName::Publisher]).await?;
        for publication in publications.into_iter().take(done) {
            publisher.send(publication).await?;
            for subscriber in &mut subscribers {
                receive(subscriber).await?;
            }
        }
        Ok(())
    })
}

fn block_on(work: impl Future<Output = Result<(), Box<dyn Error>>>) -> Result<(), Box<dyn Error>> {
    crate::runtime()?.block_on(work)
}

async fn join(
    router: &Router,
    serializer: &AnySerializer,
    roles: &[RoleName],
) -> Result<MemoryTransport, Box<dyn Error>> {
    let offers = [serializer.serialization()];
    let mut client = router.connector().connect(&offers).await?;
    client.send(frames::hello(serializer, roles)?).await?;
    receive(&mut client).await?;
    Ok(client)
}

/// So many sessions, each with a procedure and a topic of its own.
async fn sessions(
    router: &Router,
    serializer: &AnySerializer,
    count: usize,
) -> Result<Vec<MemoryTransport>, Box<dyn Error>> {
    let mut sessions = Vec::new();
    for number in 0..count {
        let roles = [RoleName::Callee, RoleName::Subscriber];
        let mut session = join(router, serializer, &roles).await?;
        let procedure = format!("{PROCEDURE}.{number}");
        let register = frames::register(serializer, RequestId::MIN, &procedure)?;
        session.send(register).await?;
        receive(&mut session).await?;
        let topic = format!("{TOPIC}.{number}");
        let subscribe = frames::subscribe(serializer, RequestId::new(2)?, &topic)?;
        session.send(subscribe).await?;
        receive(&mut session).await?;
        sessions.push(session);
    }
    Ok(sessions)
}

async fn receive(client: &mut MemoryTransport) -> Result<Bytes, Box<dyn Error>> {
    Ok(client.next().await.ok_or("the router is gone")??)
}

/// So many that the router's tables, which have room for 56 or 112, do not grow on any day in the midst of it.
const AT_ONCE: usize = 48;
