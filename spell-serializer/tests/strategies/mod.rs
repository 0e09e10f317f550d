//! Strategies for arbitrary valid messages, for property tests of any crate.

#![expect(clippy::expect_used, reason = "only for tests")]

use proptest::{collection::vec, option, prelude::*};
use spell_message::{
    Dict, Format, List, MatchPolicy, Message, Pattern, Payload, Uri, Value,
    message::{
        Abort, Authenticate, Call, Cancel, Challenge, ErrorMessage, Event, EventReceived, Goodbye,
        Hello, Interrupt, Invocation, Kind, Publish, Published, Register, Registered, RequestKind,
        ResultMessage, Subscribe, Subscribed, Unknown, Unregister, Unregistered, Unsubscribe,
        Unsubscribed, Welcome, Yield,
    },
    options::{
        AbortDetails, CallOptions, CancelOptions, ErrorDetails, EventDetails, GoodbyeDetails,
        HelloDetails, InterruptOptions, InvalidOption, InvocationDetails, PublishOptions,
        RegisterOptions, ResultDetails, SubscribeOptions, UnregisteredDetails, UnsubscribedDetails,
        WelcomeDetails, YieldOptions,
    },
};
use spell_serializer::payload;

/// Any message, its arguments in this format.
pub fn message(format: Format) -> impl Strategy<Value = Message> {
    let known = prop::sample::select(&Kind::ALL[..]);
    prop_oneof![
        30 => known.prop_flat_map(move |kind| message_of(kind, format)),
        1 => unknown(),
    ]
}

/// A message with a code that the specification does not assign.
pub fn unknown() -> impl Strategy<Value = Message> {
    let code = prop_oneof![0_u64..2_000, any::<u64>()];
    (code, list())
        .prop_filter("a known message", |(code, _)| {
            Kind::from_code(*code).is_none()
        })
        .prop_map(|(code, fields)| Unknown { code, fields }.into())
}

/// Any message of this kind, its arguments in this format.
pub fn message_of(kind: Kind, format: Format) -> BoxedStrategy<Message> {
    let payload = move || payload(format);
    macro_rules! strategy {
        ($($Message:ident { $($field:ident: $strategy:expr),* $(,)? })*) => {
            match kind {
                $(Kind::$Message => {
                    ($($strategy,)*)
                        .prop_map(|($($field,)*)| message_struct!($Message { $($field),* }).into())
                        .boxed()
                })*
                Kind::Subscribe => pattern(SubscribeOptions::from_dict, SubscribeOptions::match_policy)
                    .prop_map(|(request, options, topic)| {
                        Subscribe { request, options, topic }.into()
                    })
                    .boxed(),
                Kind::Register => pattern(RegisterOptions::from_dict, RegisterOptions::match_policy)
                    .prop_map(|(request, options, procedure)| {
                        Register { request, options, procedure }.into()
                    })
                    .boxed(),
                Kind::Unsubscribed => prop_oneof![
                    id().prop_map(|request| Unsubscribed::Reply { request }),
                    options(UnsubscribedDetails::from_dict)
                        .prop_map(|details| Unsubscribed::Revocation { details }),
                ]
                .prop_map(Message::from)
                .boxed(),
                Kind::Unregistered => prop_oneof![
                    id().prop_map(|request| Unregistered::Reply { request }),
                    options(UnregisteredDetails::from_dict)
                        .prop_map(|details| Unregistered::Revocation { details }),
                ]
                .prop_map(Message::from)
                .boxed(),
                other => panic!("no strategy for {other}"),
            }
        };
    }
    macro_rules! message_struct {
        (Error { $($field:ident),* }) => { ErrorMessage { $($field),* } };
        (Result { $($field:ident),* }) => { ResultMessage { $($field),* } };
        ($Message:ident { $($field:ident),* }) => { $Message { $($field),* } };
    }
    strategy! {
        Hello { realm: uri(), details: options(HelloDetails::from_dict) }
        Welcome { session: id(), details: options(WelcomeDetails::from_dict) }
        Abort {
            details: options(AbortDetails::from_dict), reason: uri(), payload: payload(),
        }
        Challenge { method: text(), extra: dict() }
        Authenticate { signature: text(), extra: dict() }
        Goodbye { details: options(GoodbyeDetails::from_dict), reason: uri() }
        Error {
            request_kind: request_kind(), request: id(),
            details: options(ErrorDetails::from_dict), error: uri(), payload: payload(),
        }
        Publish {
            request: id(), options: options(PublishOptions::from_dict), topic: uri(),
            payload: payload(),
        }
        Published { request: id(), publication: id() }
        Subscribed { request: id(), subscription: id() }
        Unsubscribe { request: id(), subscription: id() }
        Event {
            subscription: id(), publication: id(), details: options(EventDetails::from_dict),
            payload: payload(),
        }
        EventReceived { publication: id() }
        Call {
            request: id(), options: options(CallOptions::from_dict), procedure: uri(),
            payload: payload(),
        }
        Cancel { request: id(), options: options(CancelOptions::from_dict) }
        Result {
            request: id(), details: options(ResultDetails::from_dict), payload: payload(),
        }
        Registered { request: id(), registration: id() }
        Unregister { request: id(), registration: id() }
        Invocation {
            request: id(), registration: id(), details: options(InvocationDetails::from_dict),
            payload: payload(),
        }
        Interrupt { request: id(), options: options(InterruptOptions::from_dict) }
        Yield {
            request: id(), options: options(YieldOptions::from_dict), payload: payload(),
        }
    }
}

/// Arguments in this format, or none.
pub fn payload(format: Format) -> impl Strategy<Value = Payload> {
    (list(), option::of(dict())).prop_map(move |(args, kwargs)| {
        payload::encode(format, &args, kwargs.as_ref()).expect("the values have every format")
    })
}

/// Any id, often a small one or one next to the largest.
pub fn id<T: TryFrom<u64, Error: std::fmt::Debug> + std::fmt::Debug>() -> impl Strategy<Value = T> {
    const LARGEST: u64 = 1 << 53;
    prop_oneof![1..=70_000_u64, LARGEST - 2..=LARGEST, 1..=LARGEST]
        .prop_map(|id| T::try_from(id).expect("the id is in range"))
}

/// Any URI by the loose rule that JSON can hold, often one by the strict rule.
pub fn uri() -> impl Strategy<Value = Uri> {
    prop_oneof![
        "[a-z0-9_]{1,9}(\\.[a-z0-9_]{1,9}){0,4}",
        "[^\\s.#]{1,6}(\\.[^\\s.#]{1,6}){0,3}",
    ]
    .prop_filter_map("no URI", |text| {
        Uri::new(text.trim_start_matches('\0')).ok()
    })
}

fn request_kind() -> impl Strategy<Value = RequestKind> {
    prop::sample::select(vec![16_u64, 32, 34, 48, 64, 66, 68])
        .prop_map(|code| RequestKind::from_code(code).expect("a request"))
}

/// A request for a pattern: its id, its options and the pattern that they describe.
fn pattern<T, R>(
    from_dict: fn(Dict) -> Result<T, InvalidOption>,
    policy: fn(&T) -> Option<MatchPolicy>,
) -> impl Strategy<Value = (R, T, Pattern)>
where
    T: std::fmt::Debug,
    R: TryFrom<u64, Error: std::fmt::Debug> + std::fmt::Debug,
{
    let text = prop_oneof![uri().prop_map(|uri| uri.to_string()), "[a-z.]{0,12}"];
    (id(), options(from_dict), text).prop_filter_map(
        "no pattern of its policy",
        move |(id, options, text)| {
            let pattern = Pattern::new(text, policy(&options).unwrap_or_default()).ok()?;
            Some((id, options, pattern))
        },
    )
}

/// Options with some known and some unknown keys.
fn options<T: std::fmt::Debug>(
    from_dict: fn(Dict) -> Result<T, InvalidOption>,
) -> impl Strategy<Value = T> {
    let own = vec(("_[a-z0-9]{3,8}", value()), 0..3);
    (vec(known(), 0..3), own).prop_filter_map("options with a wrong type", move |(known, own)| {
        let known = known
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value));
        from_dict(known.chain(own).collect()).ok()
    })
}

/// Options that the specification names, with values it allows.
fn known() -> impl Strategy<Value = (&'static str, Value)> {
    let flag = prop::sample::select(vec![
        "acknowledge",
        "exclude_me",
        "disclose_me",
        "retain",
        "progress",
        "receive_progress",
        "get_retained",
        "retained",
    ]);
    prop_oneof![
        (flag, any::<bool>().prop_map(Value::from)),
        (
            Just("match"),
            prop::sample::select(vec!["exact", "prefix", "wildcard"]).prop_map(Value::from)
        ),
        (
            prop::sample::select(vec!["timeout", "trustlevel"]),
            any::<u64>().prop_map(Value::from)
        ),
        (
            prop::sample::select(vec!["caller", "publisher"]),
            (1..=1_u64 << 53).prop_map(Value::from)
        ),
        (
            prop::sample::select(vec!["exclude", "eligible"]),
            vec(1..=1_u64 << 53, 0..3).prop_map(Value::from)
        ),
        (
            prop::sample::select(vec!["exclude_authid", "eligible_authrole"]),
            vec(text(), 0..3).prop_map(Value::from)
        ),
    ]
}

/// Any text but one that begins with U+0000, which JSON cannot hold.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{0,40}",
        any::<String>(),
        // What JSON escapes, and what takes two of its escapes.
        "[\"\\\\/\u{0}-\u{20}\u{7f}\u{1F600}]{0,6}",
    ]
    .prop_map(|text| text.trim_start_matches('\0').to_owned())
}

/// Any value that every format can hold.
pub fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::List),
            vec((key(), inner), 0..6)
                .prop_map(|entries| Value::Dict(entries.into_iter().collect())),
        ]
    })
}

/// Any list of such values.
pub fn list() -> impl Strategy<Value = List> {
    vec(value(), 0..4)
}

/// Any dictionary of such values.
pub fn dict() -> impl Strategy<Value = Dict> {
    vec((key(), value()), 0..4).prop_map(|entries| entries.into_iter().collect())
}

/// Keys are always text, so they may begin with U+0000.
fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,4}", any::<String>()]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![0..300_u64, 65_530..65_540_u64, any::<u64>()].prop_map(Value::from),
        prop_oneof![-300..0_i64, any::<i64>()].prop_map(Value::from),
        any::<f64>()
            .prop_filter("JSON cannot hold it", |float| float.is_finite())
            .prop_map(Value::from),
        text().prop_map(Value::from),
        vec(any::<u8>(), 0..40).prop_map(Value::bytes),
    ]
}
