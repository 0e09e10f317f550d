//! What is sealed by those who publish and call, and what routers take.

use std::future::IntoFuture;

use spell_message::Feature;

use super::*;
use crate::{
    CallError, Caller, PublishError, Publisher,
    harness::{pending, ready},
};

const PROGRESSIVE: &[&str] = &[
    "payload_passthru_mode",
    "progressive_call_results",
    "progressive_call_invocations",
    "call_canceling",
];

#[tokio::test(start_paused = true)]
async fn a_publication_is_sealed() {
    let mut peer = joined(Publisher::new(), ANNOUNCED);
    let handle = peer.handle.clone();
    let publish = handle.publish("com.example.t").arg(1);
    let mut publish = publish.exclude_me(true).passthru(json()).into_future();
    pending(&mut publish);
    assert_eq!(
        peer.sent(),
        [format!(
            r#"[16,1,{{"exclude_me":true,{ATTRIBUTES}}},"com.example.t",[{ONE}]]"#
        )]
    );
    ready(&mut publish).unwrap();
    let codec = Passthru::from(json());
    let publish = handle.publish("com.example.t").arg(2).passthru(&codec);
    let mut publish = publish.acknowledge().into_future();
    pending(&mut publish);
    assert_eq!(
        peer.sent(),
        [format!(
            r#"[16,2,{{"acknowledge":true,{ATTRIBUTES}}},"com.example.t",[{TWO}]]"#
        )]
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_router_did_not_announce_is_not_sent() {
    let mut peer = joined(Publisher::new(), &[]);
    let handle = peer.handle.clone();
    let sealed = handle.publish("com.example.t").passthru(json());
    // Nor what the user set by hand.
    let by_hand = handle
        .publish("com.example.t")
        .option("ppt_scheme", "x_own");
    for publish in [sealed, by_hand] {
        let mut publish = publish.into_future();
        pending(&mut publish);
        assert!(peer.sent().is_empty());
        let error = ready(&mut publish).unwrap_err();
        let feature = Feature::PayloadPassthruMode;
        assert!(
            matches!(&error, PublishError::Unsupported { feature: Some(it), .. } if *it == feature),
            "{error:?}"
        );
    }
    let mut peer = joined(Caller::new(), &[]);
    let handle = peer.handle.clone();
    let mut call = handle.call("com.example.p").passthru(json()).into_future();
    pending(&mut call);
    assert!(peer.sent().is_empty());
    let error = ready(&mut call).unwrap_err();
    assert!(matches!(error, CallError::Unsupported { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_router_that_knows_the_mode_by_its_older_name_gets_the_older_form() {
    let mut peer = joined(Publisher::new(), &["payload_transparency"]);
    let handle = peer.handle.clone();
    let publish = handle.publish("com.example.t").arg(1).passthru(json());
    let mut publish = publish.into_future();
    pending(&mut publish);
    // A binary without a list.
    assert_eq!(
        peer.sent(),
        [format!(r#"[16,1,{{{OLDER}}},"com.example.t",{ONE}]"#)]
    );
    ready(&mut publish).unwrap();
    let mut peer = joined(Caller::new(), &["payload_transparency"]);
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").arg(1).passthru(json());
    let mut call = call.into_future();
    pending(&mut call);
    assert_eq!(
        peer.sent(),
        [format!(r#"[48,1,{{{OLDER}}},"com.example.p",{ONE}]"#)]
    );
    peer.receive(&format!("[50,1,{{{OLDER}}},{TWO}]"));
    assert_eq!(ready(&mut call).unwrap().value::<u8>().unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_has_no_older_form_is_not_sent_there() {
    /// A scheme that Autobahn would refuse.
    #[derive(Debug)]
    struct Other;

    impl PassthruCodec for Other {
        fn seal(&self, _: &str, _: &Payload) -> Result<Sealed, PassthruError> {
            Ok(Sealed::binary(PassthruAttributes::new("other"), "x"))
        }

        fn open(&self, _: &PassthruAttributes, _: &Payload) -> Result<Payload, PassthruError> {
            Err(PassthruError::NotSealed)
        }
    }

    let mut peer = joined(Publisher::new(), &["payload_transparency"]);
    let handle = peer.handle.clone();
    let mut publish = handle
        .publish("com.example.t")
        .passthru(Other)
        .into_future();
    pending(&mut publish);
    assert!(peer.sent().is_empty());
    let error = ready(&mut publish).unwrap_err();
    assert!(
        matches!(error, PublishError::Unsupported { .. }),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sealed_is_not_sent_and_tells_why() {
    let mut peer = joined(Caller::new(), ANNOUNCED);
    let handle = peer.handle.clone();
    let codec = Plain::wamp().serializer(PassthruSerializer::Json);
    let mut call = handle.call("com.example.p").passthru(codec).into_future();
    let error = ready(&mut call).unwrap_err();
    assert!(matches!(error, CallError::Encode(_)), "{error:?}");
    let cause = PassthruError::cause_of(&error);
    assert!(
        matches!(cause, Some(PassthruError::UnknownSerializer { .. })),
        "{cause:?}"
    );
    assert!(peer.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_call_is_sealed_and_its_result_opened() {
    let mut peer = joined(Caller::new(), ANNOUNCED);
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").arg(1).passthru(json());
    let mut call = call.into_future();
    pending(&mut call);
    assert_eq!(
        peer.sent(),
        [format!(
            r#"[48,1,{{{ATTRIBUTES}}},"com.example.p",[{ONE}]]"#
        )]
    );
    peer.receive(&format!("[50,1,{{{ATTRIBUTES}}},[{TWO}]]"));
    let result = ready(&mut call).unwrap();
    assert_eq!(result.value::<u8>().unwrap(), 2);
    assert_eq!(result.details().ppt_scheme(), Some("x_own"));
}

#[tokio::test(start_paused = true)]
async fn a_result_that_cannot_be_opened_is_an_error_where_it_is_read() {
    let mut peer = joined(Caller::new(), ANNOUNCED);
    let handle = peer.handle.clone();
    let mut call = handle.call("com.example.p").passthru(json()).into_future();
    pending(&mut call);
    peer.sent();
    peer.receive(&format!("[50,1,{{{ATTRIBUTES}}},[{GARBAGE}]]"));
    let result = ready(&mut call).unwrap();
    assert!(matches!(
        cause(result.args::<List>()),
        PassthruError::Unpack(_)
    ));
    assert!(matches!(
        cause(result.kwargs::<Dict>()),
        PassthruError::Unpack(_)
    ));
    // As it came.
    let (binary,): (Value,) = result.payload().parse_args().unwrap();
    assert_eq!(binary, Value::bytes(b"\x00\x01\x02".as_slice()));
}

#[tokio::test(start_paused = true)]
async fn the_arguments_of_an_error_are_opened() {
    let mut peer = joined(Caller::new(), ANNOUNCED);
    let handle = peer.handle.clone();
    let mut sealed = handle.call("com.example.p").passthru(json()).into_future();
    let mut plain = handle.call("com.example.p").passthru(json()).into_future();
    pending(&mut sealed);
    pending(&mut plain);
    peer.sent();
    peer.receive(&format!(
        r#"[8,48,1,{{{ATTRIBUTES}}},"com.example.no",[{TWO}]]"#
    ));
    // Routers do not seal theirs.
    peer.receive(r#"[8,48,2,{},"wamp.error.no_such_procedure",[3]]"#);
    for (call, uri, number) in [
        (&mut sealed, "com.example.no", 2),
        (&mut plain, "wamp.error.no_such_procedure", 3),
    ] {
        let Err(CallError::Refused(error)) = ready(call) else {
            panic!("no error");
        };
        assert_eq!(error.uri(), uri);
        assert_eq!(error.args::<(u8,)>().unwrap(), (number,));
    }
}

#[tokio::test(start_paused = true)]
async fn progressive_results_are_opened() {
    let mut peer = joined(Caller::new(), PROGRESSIVE);
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").passthru(json());
    let mut call = call.receive_progress().into_future();
    pending(&mut call);
    peer.sent();
    let mut results = ready(&mut call).unwrap();
    peer.receive(&format!(
        r#"[50,1,{{"progress":true,{ATTRIBUTES}}},[{ONE}]]"#
    ));
    peer.receive(&format!("[50,1,{{{ATTRIBUTES}}},[{TWO}]]"));
    for number in [1, 2] {
        let result = ready(&mut Box::pin(results.next())).unwrap().unwrap();
        assert_eq!(result.value::<u8>().unwrap(), number);
    }
}

#[tokio::test(start_paused = true)]
async fn more_arguments_are_sealed_as_the_first_ones_were() {
    let mut peer = joined(Caller::new(), PROGRESSIVE);
    let handle = peer.handle.clone();
    let call = handle.call("com.example.p").arg(1).passthru(json());
    let mut call = Box::pin(call.progressive());
    pending(&mut call);
    assert_eq!(
        peer.sent(),
        [format!(
            r#"[48,1,{{"progress":true,{ATTRIBUTES}}},"com.example.p",[{ONE}]]"#
        )]
    );
    let (mut arguments, mut result) = ready(&mut call).unwrap();
    let mut last = Box::pin(arguments.finish().arg(2).send());
    pending(&mut last);
    // WAMP spec, "Freezing of Options in Progressive Call Invocations".
    assert_eq!(
        peer.sent(),
        [format!(r#"[48,1,{{}},"com.example.p",[{TWO}]]"#)]
    );
    ready(&mut last).unwrap();
    peer.receive(&format!("[50,1,{{{ATTRIBUTES}}},[{TWO}]]"));
    assert_eq!(ready(&mut result).unwrap().value::<u8>().unwrap(), 2);
}

#[cfg(feature = "encryption")]
#[tokio::test(start_paused = true)]
async fn more_arguments_that_would_be_sealed_by_another_key_are_refused() {
    use std::sync::Mutex;

    /// Has another key each time.
    #[derive(Debug, Default)]
    struct Rotating(Mutex<u8>);

    impl KeyRing for Rotating {
        fn sealing_key(&self, _: &str) -> Option<Key> {
            let mut number = self.0.lock().unwrap();
            *number += 1;
            Some(Key::new(
                number.to_string(),
                Cipher::Aes256Gcm,
                [*number; 32],
            ))
        }

        fn opening_key(&self, _: &str) -> Option<Key> {
            None
        }
    }

    let mut peer = joined(Caller::new(), PROGRESSIVE);
    let handle = peer.handle.clone();
    let codec = Encryption::new(Rotating::default());
    let call = handle.call("com.example.p").passthru(codec);
    let mut call = Box::pin(call.progressive());
    pending(&mut call);
    peer.sent();
    let (mut arguments, _result) = ready(&mut call).unwrap();
    let refused = ready(&mut Box::pin(arguments.send().send())).unwrap_err();
    let cause = PassthruError::cause_of(&refused);
    assert!(matches!(cause, Some(PassthruError::Changed)), "{cause:?}");
    assert!(peer.sent().is_empty());
}
