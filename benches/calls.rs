//! What a call and a publication cost end to end, against the embedded router.
//!
//! `cargo bench --bench calls`

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::{StreamExt, stream};
use spell::{
    Client,
    prelude::*,
    router::Router,
    serializer::{AnySerializer, Json, MsgPack},
};
use tokio::runtime::Runtime;

/// A router on its own runtime, and a client of it over each transport and serializer.
fn end_to_end(c: &mut Criterion) {
    let (Ok(router_runtime), Ok(runtime)) = (Runtime::new(), Runtime::new()) else {
        return;
    };
    let router = Router::local();
    let offers: [(&str, AnySerializer); 2] = [
        ("json", Json::new().into()),
        ("msgpack", MsgPack::new().into()),
    ];
    for scheme in ["ws", "rs"] {
        // Tasks of the router run where it is told to listen.
        let listening = router_runtime.block_on(router.listen(&format!("{scheme}://127.0.0.1:0")));
        let Ok(url) = listening else { continue };
        for (name, serializer) in &offers {
            let client = runtime.block_on(async {
                spell::client(&url, "realm1")
                    .serializers([serializer.clone()])
                    .connect()
                    .await
            });
            let Ok(client) = client else { continue };
            measure(c, &runtime, &client, &format!("{scheme}/{name}"));
        }
    }
}

fn measure(c: &mut Criterion, runtime: &Runtime, client: &Client, name: &str) {
    let registered = runtime.block_on(async {
        let procedure = format!("com.example.echo.{}", name.replace('/', "."));
        let handler = |(text,): (String,)| async move { Ok(text) };
        let registration = client.register(&procedure).handler(handler).await;
        registration.map(|registration| (registration, procedure))
    });
    let Ok((_registration, procedure)) = registered else {
        return;
    };
    let mut group = c.benchmark_group("call");
    for in_flight in [1_usize, 64] {
        group.throughput(Throughput::Elements(u64::try_from(in_flight).unwrap_or(1)));
        group.bench_function(BenchmarkId::new(name, in_flight), |bencher| {
            bencher.to_async(runtime).iter(|| async {
                let call = |_| client.call(&procedure).arg("sixteen bytes ..").send();
                let calls = stream::iter(0..in_flight)
                    .map(call)
                    .buffer_unordered(in_flight);
                calls
                    .filter(|result| std::future::ready(result.is_ok()))
                    .count()
                    .await
            });
        });
    }
    group.finish();
    let mut group = c.benchmark_group("acknowledged publication");
    group.throughput(Throughput::Elements(64));
    group.bench_function(BenchmarkId::new(name, 64), |bencher| {
        bencher.to_async(runtime).iter(|| async {
            let publish = |_| {
                client
                    .publish("com.example.topic")
                    .arg("sixteen bytes ..")
                    .acknowledge()
                    .send()
            };
            let publications = stream::iter(0..64).map(publish).buffer_unordered(64);
            publications
                .filter(|result| std::future::ready(result.is_ok()))
                .count()
                .await
        });
    });
    group.finish();
}

criterion_group!(benches, end_to_end);
criterion_main!(benches);
