//! A client without IO: its roles, their engine, and the handles that the user has.

use std::error::Error;

use bytes::Bytes;
use spell_benches::{
    Joined,
    frames::{self, TOPIC},
};
use spell_message::RequestId;
use spell_serializer::AnySerializer;

/// A call, from the user's arguments to the user's result, while so many others wait for theirs.
pub(crate) fn call(
    serializer: &AnySerializer,
    ids: &[RequestId],
    done: usize,
    others: usize,
) -> Result<(), Box<dyn Error>> {
    let (waiting, ids) = ids.split_at_checked(others).ok_or("too few ids")?;
    let results = ids.iter().map(|id| frames::result(serializer, *id));
    let results: Vec<Bytes> = results.collect::<Result<_, _>>()?;
    let runtime = crate::runtime()?;
    let _guard = runtime.enter();
    let mut client = Joined::new(serializer.clone())?;
    let _waiting = client.waiting_calls(waiting)?;
    for result in results.iter().take(done) {
        client.call(result)?;
    }
    Ok(())
}

/// An event, from the frame to the user's arguments, where there are subscriptions of so many other topics.
pub(crate) fn event(
    serializer: &AnySerializer,
    ids: &[RequestId],
    done: usize,
    others: usize,
) -> Result<(), Box<dyn Error>> {
    let event = frames::event(serializer)?;
    let runtime = crate::runtime()?;
    let _guard = runtime.enter();
    let mut client = Joined::new(serializer.clone())?;
    let mut subscription = client.subscribe()?;
    let mut kept = Vec::new();
    for id in ids.iter().skip(1).take(others) {
        kept.push(client.subscribe_to(&format!("{TOPIC}.{id}"), *id)?);
    }
    for _ in 0..done {
        client.event(&mut subscription, &event)?;
    }
    Ok(())
}

/// An invocation, from the frame to the frame of its answer.
pub(crate) fn invocation(
    serializer: &AnySerializer,
    ids: &[RequestId],
    done: usize,
) -> Result<(), Box<dyn Error>> {
    let invocations = ids.iter().map(|id| frames::invocation(serializer, *id));
    let invocations: Vec<Bytes> = invocations.collect::<Result<_, _>>()?;
    let runtime = crate::runtime()?;
    let _guard = runtime.enter();
    let mut client = Joined::new(serializer.clone())?;
    let mut registration = client.register()?;
    for invocation in invocations.iter().take(done) {
        client.invocation(&mut registration, invocation)?;
    }
    Ok(())
}
