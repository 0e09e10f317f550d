//! The calls of Spell that are measured.

use spell::{
    Args, Client, Registration, Subscription,
    prelude::*,
    serializer::{AnySerializer, Cbor, Json, MsgPack},
};

use crate::{
    Failure,
    flags::{Flags, Serialization},
};

/// A session with the router of the bench.
pub(crate) async fn connect(flags: &Flags) -> Result<Client, Failure> {
    let serializer: AnySerializer = match flags.serialization {
        Serialization::Json => Json::new().into(),
        Serialization::MsgPack => MsgPack::new().into(),
        Serialization::Cbor => Cbor::new().into(),
    };
    let client = spell::client(flags.url.as_str(), flags.realm.as_str());
    Ok(client.serializers([serializer]).connect().await?)
}

/// A call that the router answers with its arguments, and whether it did.
pub(crate) async fn echo(client: &Client, number: u64, text: &str) -> Result<bool, Failure> {
    let call = client.call("bench.echo").arg(number).arg(text);
    let result = call.send().await?;
    let (same, echoed): (u64, &str) = result.args()?;
    Ok(same == number && echoed == text)
}

/// A publication; acknowledged, it ends with the answer.
pub(crate) async fn publish(client: &Client, number: u64, text: &str) -> Result<(), Failure> {
    let publish = client.publish("bench.pub.topic").arg(number).arg(text);
    publish.send().await?;
    Ok(())
}

/// The same, until the router has acknowledged it.
pub(crate) async fn publish_acknowledged(
    client: &Client,
    number: u64,
    text: &str,
) -> Result<(), Failure> {
    let publish = client.publish("bench.pub.topic").arg(number).arg(text);
    publish.acknowledge().send().await?;
    Ok(())
}

/// The publications that the router got since it was asked last, and how many of them were not as they should be.
pub(crate) async fn published(client: &Client) -> Result<(u64, u64), Failure> {
    Ok(client.call("bench.count").send().await?.args()?)
}

/// Where [`fire`] sends its events.
pub(crate) async fn subscribe(client: &Client) -> Result<Subscription, Failure> {
    Ok(client.subscribe(FIRED).send().await?)
}

/// Asks the router for so many events.
pub(crate) async fn fire(client: &Client, count: u64, payload: usize) -> Result<(), Failure> {
    let call = client.call("bench.fire").arg(count).arg(payload).arg(FIRED);
    call.send().await?;
    Ok(())
}

/// A procedure that answers with its arguments.
pub(crate) async fn register(client: &Client) -> Result<(), Failure> {
    let handler = |(number, text): (u64, String)| async move { Ok(Args((number, text))) };
    let registration = client.register(INVOKED).handler(handler).send().await?;
    Registration::detach(registration);
    Ok(())
}

/// Asks the router to call that procedure so often, and gives how many answers were right and how many were not.
pub(crate) async fn invoke(
    client: &Client,
    count: u64,
    concurrency: usize,
    payload: usize,
) -> Result<(u64, u64), Failure> {
    let call = client.call("bench.invoke").arg(count).arg(concurrency);
    let call = call.arg(payload).arg(INVOKED).no_timeout();
    Ok(call.send().await?.args()?)
}

const FIRED: &str = "bench.fire.topic";
const INVOKED: &str = "bench.callee";
