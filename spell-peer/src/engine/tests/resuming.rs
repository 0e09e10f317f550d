use super::*;

/// Has something that it wants of every session, and something that waited for one.
#[derive(Debug)]
struct Backlog {
    name: &'static str,
    wanted: usize,
    waited: usize,
}

impl Role for Backlog {
    type Command = std::convert::Infallible;
    type Handle = ();

    fn handle(_: Commands<Self::Command>) {}

    fn is_restoring(&self) -> bool {
        self.wanted > 0
    }

    fn restore(&mut self, cx: &mut Context<'_, Self::Command>) {
        self.wanted -= 1;
        let procedure = format!("{}.wanted", self.name);
        cx.request(|id| numbered(call(&procedure), id)).unwrap();
    }

    fn is_resuming(&self) -> bool {
        self.waited > 0
    }

    fn resume(&mut self, cx: &mut Context<'_, Self::Command>) {
        self.waited -= 1;
        let procedure = format!("{}.waited", self.name);
        cx.request(|id| numbered(call(&procedure), id)).unwrap();
    }

    fn handle_call(&mut self, command: Self::Command, _: &mut Context<'_, Self::Command>) {
        match command {}
    }
}

#[test]
fn what_waited_is_sent_bit_by_bit_after_all_that_is_wanted_of_every_session() {
    let backlog = |name| Backlog {
        name,
        wanted: 1,
        waited: 2,
    };
    let roles = (Opener::default(), backlog("a"), backlog("b"));
    let mut engine = Engine::new(roles, PeerConfig::default()).unwrap();
    let now = Instant::now();
    engine.open(Json::default().into(), None, now);
    assert!(engine.poll_transmit().is_none(), "there is no session");
    let join = crate::tuple::Choice3::A(Ask::Join);
    engine.handle_command(join, now);
    let mut sent = Vec::new();
    while let Some(frame) = engine.poll_transmit() {
        assert_eq!(engine.queued(), 0, "no more than one is made at a time");
        sent.push(String::from_utf8(frame.to_vec()).unwrap());
    }
    let order = [
        "a.wanted", "b.wanted", "a.waited", "a.waited", "b.waited", "b.waited",
    ];
    let expected = (1..)
        .zip(order)
        .map(|(id, procedure)| format!(r#"[48,{id},{{}},"{procedure}"]"#));
    assert_eq!(sent, expected.collect::<Vec<_>>());
    assert!(!engine.is_restoring());
}

#[test]
fn what_waited_waits_on_when_the_session_is_ending() {
    let backlog = Backlog {
        name: "a",
        wanted: 0,
        waited: 1,
    };
    let mut engine = Engine::new((Opener::default(), backlog), PeerConfig::default()).unwrap();
    let now = Instant::now();
    engine.open(Json::default().into(), None, now);
    for ask in [Ask::Join, Ask::Leave] {
        engine.handle_command(crate::tuple::Choice2::A(ask), now);
    }
    assert!(engine.poll_transmit().is_none());
    assert_eq!(engine.roles.1.waited, 1);
}
