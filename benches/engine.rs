//! What a client costs besides bytes and sockets: its roles and their engine, called by hand.
//!
//! `cargo bench --bench engine`

use std::error::Error;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use spell_benches::{Joined, frames};
use spell_message::RequestId;
use spell_serializer::AnySerializer;
use tokio::runtime::Runtime;

fn engine(c: &mut Criterion) {
    let Ok(runtime) = Runtime::new() else { return };
    // The clock of requests.
    let _guard = runtime.enter();
    for serializer in AnySerializer::all() {
        if let Err(error) = measure(c, &serializer) {
            eprintln!("nothing measured: {error}");
        }
    }
}

fn measure(c: &mut Criterion, serializer: &AnySerializer) -> Result<(), Box<dyn Error>> {
    let name = serializer.serialization().subprotocol();

    let mut client = Joined::new(serializer.clone())?;
    let mut ids = 0_u64;
    c.bench_function(&format!("engine/call/{name}"), |bencher| {
        bencher.iter_batched(
            || frames::result(serializer, next(&mut ids)),
            |result| result.and_then(|result| client.call(&result)),
            BatchSize::SmallInput,
        );
    });

    let mut client = Joined::new(serializer.clone())?;
    let mut subscription = client.subscribe()?;
    let event = frames::event(serializer)?;
    c.bench_function(&format!("engine/event/{name}"), |bencher| {
        bencher.iter(|| client.event(&mut subscription, &event));
    });

    let mut client = Joined::new(serializer.clone())?;
    let mut registration = client.register()?;
    let mut ids = 0_u64;
    c.bench_function(&format!("engine/invocation/{name}"), |bencher| {
        bencher.iter_batched(
            || frames::invocation(serializer, next(&mut ids)),
            |invocation| invocation.and_then(|frame| client.invocation(&mut registration, &frame)),
            BatchSize::SmallInput,
        );
    });
    Ok(())
}

/// The ids are given out in the order of the calls, which criterion makes in that of its batches.
fn next(ids: &mut u64) -> RequestId {
    *ids = ids.saturating_add(1);
    RequestId::new(*ids).unwrap_or(RequestId::MAX)
}

criterion_group!(benches, engine);
criterion_main!(benches);
