//! What a client can do, against each router, by each link and each serializer: the same tests for all combinations.
//!
//! Against Crossbar.io they need it, see `spell_tests::crossbar`; the embedded router comes along.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it is surprised"
)]

mod authentication;
mod payload;
mod pubsub;
mod python;
mod rpc;
mod session;

use spell_serializer::{Cbor, Json, MsgPack};
use spell_tests::{link::Link, place::run, router::Make};

/// All tests, each a function of the [`Place`](spell_tests::place::Place) where it takes place.
macro_rules! tests {
    ($make:expr, $link:expr, $serializer:expr) => {
        tests! { ($make, $link, $serializer)
            session {
                a_session_tells_what_the_router_is
                leaving_is_answered
                requests_after_leaving_are_not_sent
                a_realm_that_is_not_there_is_refused
            }
            pubsub {
                an_event_reaches_its_subscriber
                an_acknowledged_publication_has_the_id_of_its_event
                a_publisher_gets_its_own_event_only_if_it_wants
                events_come_in_the_order_of_publication
                prefixes_and_wildcards_match_topics
                subscribing_twice_gives_every_event_twice
                nothing_comes_after_unsubscribing
            }
            rpc {
                a_call_gives_the_result
                a_stream_of_invocations_is_answered_by_hand
                keyword_arguments_are_typed
                an_error_keeps_its_name_and_arguments
                arguments_of_another_type_are_refused
                an_unknown_procedure_is_refused
                a_procedure_has_one_callee
                an_unregistered_procedure_is_unknown
                many_calls_at_once_get_each_its_own_result
                a_panic_of_the_handler_is_an_error_of_the_call
                an_invocation_that_is_dropped_is_an_error_of_the_call
            }
            payload {
                values_of_every_kind_arrive_as_they_were
                a_mebibyte_arrives
                what_cannot_be_encoded_fails_alone
            }
            authentication {
                a_ticket_is_accepted
                wampcra_is_accepted
                salted_wampcra_is_accepted
                several_methods_are_offered_at_once
                a_wrong_ticket_is_refused
                a_wrong_secret_is_refused
                who_cannot_authenticate_is_refused
            }
            python {
                it_calls_and_is_called
                it_publishes_and_subscribes
            }
        }
    };
    ($place:tt $($family:ident { $($test:ident)+ })+) => {
        $(mod $family {
            use super::*;
            $(#[tokio::test]
            async fn $test() {
                run($place, crate::$family::$test).await;
            })+
        })+
    };
}

macro_rules! serializers {
    ($make:expr, $link:expr) => {
        mod json {
            use super::*;
            tests!($make, $link, Json::new().into());
        }
        mod msgpack {
            use super::*;
            tests!($make, $link, MsgPack::new().into());
        }
        mod cbor {
            use super::*;
            tests!($make, $link, Cbor::new().into());
        }
    };
}

macro_rules! links {
    ($make:expr) => {
        mod websocket {
            use super::*;
            serializers!($make, Link::WebSocket);
        }
        mod rawsocket_tcp {
            use super::*;
            serializers!($make, Link::RawSocketTcp);
        }
        mod rawsocket_unix {
            use super::*;
            serializers!($make, Link::RawSocketUnix);
        }
    };
}

mod embedded {
    use super::*;
    links!(Make::Embedded);
}

mod crossbar {
    use super::*;
    links!(Make::Crossbar);
}
