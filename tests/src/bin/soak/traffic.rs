//! What the clients do all the time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use spell::{Backoff, CallError, Client, PublishError, prelude::*};
use spell_tests::accounts::REALM;
use tokio::time::{Instant, sleep, timeout};

use crate::{Problem, report::Report};

/// How many there are.
pub(crate) const CLIENTS: u64 = 8;

/// One of them: it publishes to its own topic, subscribes to all, offers a procedure and calls those of the others.
pub(crate) struct Member {
    number: u64,
    client: Client,
    report: Arc<Report>,
    /// The number of the last event of each publisher.
    last: Arc<Mutex<HashMap<u64, u64>>>,
}

impl Member {
    pub(crate) async fn join(number: u64, url: &str, report: Arc<Report>) -> Result<Self, Problem> {
        let policy = Backoff::new()
            .first(Duration::from_millis(50))
            .max(Duration::from_secs(1));
        let client = spell::client(url, REALM)
            .retry(policy)
            .join_timeout(Duration::from_secs(3))
            .request_timeout(Duration::from_secs(10))
            .connect()
            .await?;
        let member = Self {
            number,
            client,
            report,
            last: Arc::default(),
        };
        member.listen().await?;
        Ok(member)
    }

    async fn listen(&self) -> Result<(), Problem> {
        let (last, report, number) = (self.last.clone(), self.report.clone(), self.number);
        let events = self.client.subscribe("com.example.soak").prefix();
        let events = events.handler(move |event: spell::Event| {
            match event.args::<(u64, u64, String)>() {
                Ok((publisher, count, _)) => {
                    report.count("events");
                    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                    if last
                        .insert(publisher, count)
                        .is_some_and(|last| last >= count)
                    {
                        report.wrong(format!("{number} got {count} of {publisher} late or twice"));
                    }
                }
                Err(error) => report.wrong(format!("an event that is none: {error}")),
            }
            std::future::ready(())
        });
        events.await?.detach();
        // An old session of one's own may have it for a while, so each is shared.
        let echo = self.client.register(procedure(self.number));
        let echo = echo.invoke(spell::message::options::InvocationPolicy::Last);
        let echo = echo.handler(async |(number,): (u64,)| Ok(number));
        echo.await?.detach();
        Ok(())
    }

    pub(crate) async fn live(self, mut chance: fastrand::Rng) {
        let mut count = 0;
        loop {
            let text = "x".repeat(chance.usize(..200) * chance.usize(..20));
            count += 1;
            let publish = self
                .client
                .publish(format!("com.example.soak.{}", self.number));
            let publish = publish.args((self.number, count, text));
            let start = Instant::now();
            let what = match chance.u8(..3) {
                0 => match self.ends(publish.acknowledge().send()).await {
                    Ok(_) => "publications acknowledged".to_owned(),
                    Err(error) => kind("publish", error.delivery(), is_refused(&error)),
                },
                1 => match self.ends(publish.send()).await {
                    Ok(()) => "publications".to_owned(),
                    Err(error) => kind("publish", error.delivery(), is_refused(&error)),
                },
                _ => {
                    let call = self.client.call(procedure(chance.u64(..CLIENTS)));
                    match self.ends(call.arg(count).send()).await {
                        Ok(result) if result.value::<u64>().ok() == Some(count) => {
                            self.report.latency(start.elapsed());
                            "calls".to_owned()
                        }
                        Ok(_) => {
                            self.report.wrong("a result of another call".to_owned());
                            continue;
                        }
                        Err(error) => {
                            let refused = matches!(error, CallError::Refused(_));
                            kind("call", error.delivery(), refused)
                        }
                    }
                }
            };
            let is_down = self.client.session().is_none();
            self.report.count(&what);
            // Without a session all fails at once.
            let pause = if is_down { 20 } else { 2 };
            sleep(Duration::from_millis(chance.u64(..pause))).await;
            if self.client.state().borrow().is_closed() {
                self.report.wrong(format!("{} gave up", self.number));
                return;
            }
        }
    }

    /// The result of what must end some time.
    async fn ends<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        loop {
            if let Ok(output) = timeout(LONGEST, &mut future).await {
                return output;
            }
            self.report
                .wrong(format!("{} waits for {LONGEST:?}", self.number));
        }
    }
}

fn kind(what: &str, delivery: Option<spell::peer::Delivery>, refused: bool) -> String {
    match delivery {
        _ if refused => format!("{what} refused"),
        Some(delivery) => format!("{what} failed: {delivery}"),
        None => format!("{what} failed"),
    }
}

fn is_refused(error: &PublishError) -> bool {
    matches!(error, PublishError::Refused(_))
}

fn procedure(number: u64) -> String {
    format!("com.example.echo{number}")
}

/// Longer than the time-out of a request.
const LONGEST: Duration = Duration::from_secs(30);
