//! Which role gets a message.

use spell_message::message::Kind;

use super::*;

/// Claims what it says that it reads.
#[derive(Debug)]
struct Reader {
    reads: Option<Kind>,
    got: Vec<&'static str>,
}

impl Reader {
    fn of(kind: Kind) -> Self {
        Self {
            reads: Some(kind),
            got: Vec::new(),
        }
    }
}

impl Role for Reader {
    type Command = ();
    type Handle = ();

    fn handle(_: Commands<()>) {}

    fn reads(&self, kind: Option<Kind>) -> bool {
        kind == self.reads
    }

    fn on_message(
        &mut self,
        message: Message,
        _: &mut Context<'_, ()>,
    ) -> ControlFlow<(), Message> {
        self.got.push(message.name());
        ControlFlow::Break(())
    }

    fn handle_call(&mut self, (): (), _: &mut Context<'_, ()>) {}
}

fn receive<R: Role>(roles: R) -> Engine<R> {
    let mut engine = Engine::new(roles, PeerConfig::default()).unwrap();
    let now = Instant::now();
    engine.open(AnySerializer::from(Json::default()), None, now);
    for frame in [r#"[6,{},"com.gone"]"#, r#"[3,{},"com.gone"]"#] {
        engine.handle_frame(&Bytes::from(frame), now);
    }
    engine
}

#[test]
fn a_role_gets_only_the_kinds_it_reads() {
    let engine = receive(Reader::of(Kind::Goodbye));
    assert_eq!(engine.roles.got, ["GOODBYE"]);
}

#[test]
fn of_several_roles_each_gets_its_own() {
    let roles = (Reader::of(Kind::Goodbye), Reader::of(Kind::Abort));
    let engine = receive(roles);
    let got = [&engine.roles.0, &engine.roles.1].map(|role| role.got.clone());
    assert_eq!(got, [["GOODBYE"], ["ABORT"]]);
}
