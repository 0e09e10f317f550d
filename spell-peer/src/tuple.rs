use std::{ops::ControlFlow, time::Instant};

use spell_message::{Message, RoleFeatures, Uri, message::Kind};

use crate::{
    Commands, Contains, Context, Drain, InitError, PeerConfig, Role, SessionEnd, SessionInfo,
};

/// Marks the place of a role within a tuple of roles. Inferred; never written by hand.
#[derive(Debug)]
pub struct At<const N: usize>(());

/// A tuple of roles that can grow by one. Used by the builder.
pub trait Push<T> {
    /// The tuple with `T` at its end.
    type Output;

    /// Add `role` at the end.
    fn push(self, role: T) -> Self::Output;
}

macro_rules! tuples {
    ($(($Choice:ident: $($N:literal $R:ident $field:tt),*))*) => { $(
        /// A command for one of a tuple's roles.
        #[expect(unnameable_types, reason = "an associated type, never named by users")]
        #[derive(Debug)]
        pub enum $Choice<$($R),*> {
            $(#[doc(hidden)] $R($R)),*
        }

        impl<$($R: Role),*> Role for ($($R,)*) {
            type Command = $Choice<$($R::Command),*>;
            type Handle = ($($R::Handle,)*);

            fn handle(commands: Commands<Self::Command>) -> Self::Handle {
                ($($R::handle(commands.map($Choice::$R)),)*)
            }

            fn realm(&self) -> Option<&Uri> {
                let realms = [$(self.$field.realm()),*];
                realms.into_iter().flatten().next()
            }

            fn features(&self, announced: &mut RoleFeatures) {
                $(self.$field.features(announced);)*
            }

            fn init(&mut self, config: &PeerConfig) -> Result<(), InitError> {
                $(self.$field.init(config)?;)*
                Ok(())
            }

            fn on_open(&mut self, cx: &mut Context<'_, Self::Command>) {
                $(cx.narrow($Choice::$R, |cx| self.$field.on_open(cx));)*
            }

            fn on_join(&mut self, session: &SessionInfo, cx: &mut Context<'_, Self::Command>) {
                $(cx.narrow($Choice::$R, |cx| self.$field.on_join(session, cx));)*
            }

            fn is_restoring(&self) -> bool {
                $(self.$field.is_restoring())||*
            }

            fn restore(&mut self, cx: &mut Context<'_, Self::Command>) {
                $(if self.$field.is_restoring() {
                    return cx.narrow($Choice::$R, |cx| self.$field.restore(cx));
                })*
            }

            fn is_resuming(&self) -> bool {
                $(self.$field.is_resuming())||*
            }

            fn resume(&mut self, cx: &mut Context<'_, Self::Command>) {
                $(if self.$field.is_resuming() {
                    return cx.narrow($Choice::$R, |cx| self.$field.resume(cx));
                })*
            }

            fn pauses_reading(&self) -> bool {
                $(self.$field.pauses_reading())||*
            }

            fn observe(&mut self, message: &Message, cx: &mut Context<'_, Self::Command>) {
                $(cx.narrow($Choice::$R, |cx| self.$field.observe(message, cx));)*
            }

            fn reads(&self, kind: Option<Kind>) -> bool {
                $(self.$field.reads(kind))||*
            }

            fn on_message(
                &mut self,
                mut message: Message,
                cx: &mut Context<'_, Self::Command>,
            ) -> ControlFlow<(), Message> {
                let kind = message.kind();
                // A message is large: it is moved only to those that may keep it.
                $(if self.$field.reads(kind) {
                    message =
                        cx.narrow($Choice::$R, |cx| self.$field.on_message(message, cx))?;
                })*
                ControlFlow::Continue(message)
            }

            fn handle_call(&mut self, command: Self::Command, cx: &mut Context<'_, Self::Command>) {
                match command {
                    $($Choice::$R(command) => {
                        cx.narrow($Choice::$R, |cx| self.$field.handle_call(command, cx));
                    })*
                }
            }

            fn pending(&self) -> usize {
                let pending = [$(self.$field.pending()),*];
                pending.into_iter().sum()
            }

            fn deadline(&self) -> Option<Instant> {
                let deadlines = [$(self.$field.deadline()),*];
                deadlines.into_iter().flatten().min()
            }

            fn on_deadline(&mut self, cx: &mut Context<'_, Self::Command>) {
                $(if self.$field.deadline().is_some_and(|deadline| deadline <= cx.now()) {
                    cx.narrow($Choice::$R, |cx| self.$field.on_deadline(cx));
                })*
            }

            fn on_drain(&mut self, step: Drain, cx: &mut Context<'_, Self::Command>) {
                $(cx.narrow($Choice::$R, |cx| self.$field.on_drain(step, cx));)*
            }

            fn is_drained(&self) -> bool {
                $(self.$field.is_drained())&&*
            }

            fn on_stop(&mut self, cx: &mut Context<'_, Self::Command>) {
                $(cx.narrow($Choice::$R, |cx| self.$field.on_stop(cx));)*
            }

            fn on_close(&mut self, end: &SessionEnd) {
                $(self.$field.on_close(end);)*
            }
        }

        tuples!(@contains ($($R),*) $($N $R $field),*);
    )* };
    (@contains $all:tt $($N:literal $R:ident $field:tt),*) => { $(
        tuples!(@one $all $N $R $field);
    )* };
    (@one ($($All:ident),*) $N:literal $R:ident $field:tt) => {
        #[diagnostic::do_not_recommend]
        impl<$($All: Role),*> Contains<$R, At<$N>> for ($($All,)*) {
            fn pick(handles: &Self::Handle) -> &$R::Handle {
                &handles.$field
            }
        }
    };
}

tuples! {
    (Choice1: 0 A 0)
    (Choice2: 0 A 0, 1 B 1)
    (Choice3: 0 A 0, 1 B 1, 2 C 2)
    (Choice4: 0 A 0, 1 B 1, 2 C 2, 3 D 3)
    (Choice5: 0 A 0, 1 B 1, 2 C 2, 3 D 3, 4 E 4)
    (Choice6: 0 A 0, 1 B 1, 2 C 2, 3 D 3, 4 E 4, 5 F 5)
    (Choice7: 0 A 0, 1 B 1, 2 C 2, 3 D 3, 4 E 4, 5 F 5, 6 G 6)
    (Choice8: 0 A 0, 1 B 1, 2 C 2, 3 D 3, 4 E 4, 5 F 5, 6 G 6, 7 H 7)
}

macro_rules! push {
    ($(($($R:ident),*))*) => { $(
        impl<$($R,)* New> Push<New> for ($($R,)*) {
            type Output = ($($R,)* New,);

            #[expect(non_snake_case, reason = "the type parameters name the fields")]
            fn push(self, role: New) -> Self::Output {
                let ($($R,)*) = self;
                ($($R,)* role,)
            }
        }
    )* };
}

push! { (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) (A, B, C, D, E, F, G) }
