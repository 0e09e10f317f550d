//! The advanced profile, against each router that has the feature, and with peers of other makes at the other end.
//!
//! Which router and which library is seen to do what is the two tables below; `docs/features.md` tells it to readers.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it is surprised"
)]

mod announcements;
mod canceling;
mod liveness;
mod meta;
mod passthru;
mod progress;
mod pubsub;
mod registrations;

/// Each test, a function of a [`Place`](spell_tests::place::Place), with the routers that have what it tests.
mod routers {
    use spell_serializer::{Cbor, Json, MsgPack};
    use spell_tests::{link::Link, place::run, router::Make};

    macro_rules! tests {
        ($($family:ident { $($test:ident: $($make:ident)+;)+ })+) => {
            $(mod $family {
                $(mod $test {
                    $(at!($make, crate::$family::$test);)+
                })+
            })+
        };
    }

    macro_rules! at {
        (embedded, $test:path) => {
            everywhere!(embedded, Embedded, $test);
        };
        (crossbar, $test:path) => {
            everywhere!(crossbar, Crossbar, $test);
        };
        (xconn, $test:path) => {
            everywhere!(xconn, Xconn, $test);
        };
        (battler, $test:path) => {
            mod battler {
                use crate::routers::*;
                place!(
                    websocket_json,
                    (Make::Battler, Link::WebSocket, Json),
                    $test
                );
                place!(
                    websocket_msgpack,
                    (Make::Battler, Link::WebSocket, MsgPack),
                    $test
                );
            }
        };
    }

    macro_rules! everywhere {
        ($name:ident, $make:ident, $test:path) => {
            mod $name {
                use crate::routers::*;
                place!(websocket_json, (Make::$make, Link::WebSocket, Json), $test);
                place!(
                    rawsocket_tcp_msgpack,
                    (Make::$make, Link::RawSocketTcp, MsgPack),
                    $test
                );
                place!(
                    rawsocket_unix_cbor,
                    (Make::$make, Link::RawSocketUnix, Cbor),
                    $test
                );
            }
        };
    }

    macro_rules! place {
        ($name:ident, ($make:expr, $link:expr, $serializer:ident), $test:path) => {
            #[tokio::test]
            async fn $name() {
                run(($make, $link, $serializer::new().into()), $test).await;
            }
        };
    }

    tests! {
        announcements {
            the_router_announces_what_the_tests_rely_on: embedded crossbar xconn battler;
            what_a_router_lacks_is_not_asked_of_it: crossbar xconn battler;
        }
        pubsub {
            sessions_are_excluded_and_chosen: embedded crossbar xconn;
            an_empty_list_chooses_nobody: embedded xconn;
            receivers_are_chosen_by_authrole: embedded crossbar xconn;
            a_publisher_gets_its_own_event_if_it_wants: embedded crossbar xconn;
            a_publisher_that_wants_is_disclosed: embedded xconn;
            a_publisher_is_disclosed_where_the_router_says_so: crossbar;
            a_subscriber_learns_how_far_the_publisher_is_trusted: embedded;
            prefixes_and_wildcards_tell_the_topic: embedded crossbar xconn;
            an_event_for_two_patterns_is_told_apart_once: embedded crossbar xconn;
            an_event_that_is_retained_comes_to_who_asks: embedded crossbar;
        }
        liveness {
            a_silent_router_is_asked_and_its_distance_known: embedded crossbar xconn battler;
            any_router_answers_a_round_trip: embedded crossbar xconn battler;
        }
        passthru {
            an_encrypted_event_is_read_by_who_has_the_key: embedded crossbar;
            an_encrypted_call_is_answered_encrypted: embedded crossbar;
            a_payload_of_ones_own_passes: embedded crossbar;
        }
        progress {
            results_arrive_as_they_come: embedded crossbar xconn battler;
            an_error_ends_the_results: embedded crossbar xconn battler;
            a_caller_that_does_not_ask_gets_no_progress: embedded crossbar xconn battler;
            arguments_arrive_as_they_come: embedded xconn;
            arguments_and_results_cross: embedded xconn;
        }
        canceling {
            killing_waits_for_the_callee: embedded crossbar xconn battler;
            a_callee_that_is_killed_may_still_answer: embedded battler;
            killing_without_waiting_interrupts_the_callee: embedded crossbar xconn battler;
            skipping_leaves_the_callee_alone: embedded xconn battler;
            dropping_a_call_interrupts_the_callee: embedded crossbar xconn battler;
            a_caller_that_leaves_interrupts_the_callee: embedded crossbar xconn;
            a_callee_that_leaves_ends_its_calls: embedded crossbar xconn battler;
            a_call_that_takes_too_long_ends: embedded crossbar xconn battler;
            the_router_ends_a_call_that_takes_too_long: embedded battler;
        }
        registrations {
            the_best_match_is_called: embedded crossbar xconn;
            callees_take_turns: embedded crossbar battler;
            the_first_callee_is_called: embedded crossbar xconn battler;
            the_last_callee_is_called: embedded crossbar xconn battler;
            any_callee_is_called: embedded crossbar xconn battler;
            another_policy_is_refused: embedded crossbar xconn battler;
            an_unavailable_callee_is_passed_over: embedded;
            a_caller_that_wants_is_disclosed: embedded xconn battler;
            a_callee_may_ask_who_calls: embedded battler;
            a_caller_is_disclosed_where_the_router_says_so: crossbar;
            a_callee_learns_how_far_the_caller_is_trusted: embedded;
        }
        meta {
            sessions_are_told_of: embedded crossbar xconn;
            a_session_is_killed: embedded crossbar xconn;
            nobody_kills_its_own_session: embedded xconn;
            registrations_are_told_of: embedded crossbar;
            subscriptions_are_told_of: embedded crossbar;
            a_testament_is_published_when_its_session_ends: embedded crossbar;
            a_registration_is_revoked: embedded;
            a_subscription_is_revoked: embedded crossbar;
            events_of_the_past_are_told: embedded crossbar;
        }
    }
}

/// Each test, a function of a place and of a [`Library`](spell_tests::foreign::Library) for the peer at the other end,
/// with the libraries that have what it tests. The router is the embedded one, where no other one is named.
mod libraries {
    use spell_serializer::{Cbor, Json};
    use spell_tests::{foreign::Library, link::Link, place::run, router::Make};

    macro_rules! tests {
        ($($family:ident { $($test:ident: $($library:ident)+;)+ })+) => {
            $(mod $family {
                $(mod $test {
                    $(with!($library, crate::$family::$test);)+
                })+
            })+
        };
    }

    macro_rules! with {
        (autobahn_python, $test:path) => {
            both!(autobahn_python, (Embedded, AutobahnPython), $test);
        };
        (autobahn_js, $test:path) => {
            both!(autobahn_js, (Embedded, AutobahnJs), $test);
        };
        (wampy, $test:path) => {
            both!(wampy, (Embedded, Wampy), $test);
        };
        (wampy_cbor, $test:path) => {
            mod wampy_cbor {
                use crate::libraries::*;
                place!(cbor, Cbor, (Embedded, Wampy), $test);
            }
        };
        (autobahn_python_by_crossbar, $test:path) => {
            both!(
                autobahn_python_by_crossbar,
                (Crossbar, AutobahnPython),
                $test
            );
        };
        (autobahn_js_by_crossbar, $test:path) => {
            both!(autobahn_js_by_crossbar, (Crossbar, AutobahnJs), $test);
        };
        (wampy_by_crossbar, $test:path) => {
            both!(wampy_by_crossbar, (Crossbar, Wampy), $test);
        };
        (wampy_by_xconn, $test:path) => {
            both!(wampy_by_xconn, (Xconn, Wampy), $test);
        };
    }

    macro_rules! both {
        ($name:ident, $place:tt, $test:path) => {
            mod $name {
                use crate::libraries::*;
                place!(json, Json, $place, $test);
                place!(cbor, Cbor, $place, $test);
            }
        };
    }

    macro_rules! place {
        ($name:ident, $serializer:ident, ($make:ident, $library:ident), $test:path) => {
            #[tokio::test]
            async fn $name() {
                let place = (Make::$make, Link::WebSocket, $serializer::new().into());
                run(place, async |place| $test(place, Library::$library).await).await;
            }
        };
    }

    tests! {
        pubsub {
            a_foreign_publisher_chooses_its_receivers: autobahn_python autobahn_js wampy;
            a_foreign_subscriber_is_excluded: autobahn_python autobahn_js wampy;
            a_foreign_publisher_is_disclosed: autobahn_js wampy;
            a_foreign_subscriber_learns_who_published: autobahn_python autobahn_js wampy;
            a_foreign_subscriber_matches_patterns: autobahn_python autobahn_js wampy;
            a_foreign_subscriber_gets_what_is_retained: autobahn_python autobahn_js wampy;
            a_foreign_publisher_has_its_event_retained: autobahn_python autobahn_js;
        }
        passthru {
            a_foreign_subscriber_opens_an_event: autobahn_python_by_crossbar wampy_cbor;
            a_foreign_publisher_seals_an_event: autobahn_python_by_crossbar wampy_cbor;
            a_foreign_callee_opens_a_call: autobahn_python_by_crossbar wampy_cbor;
            a_foreign_caller_seals_a_call: autobahn_python_by_crossbar wampy_cbor;
        }
        progress {
            a_foreign_callee_gives_results_as_they_come: autobahn_python autobahn_js_by_crossbar wampy_by_crossbar;
            a_foreign_callee_that_cannot_be_interrupted_gives_one_result: autobahn_js wampy;
            a_foreign_caller_gets_results_as_they_come: autobahn_python autobahn_js wampy;
            a_foreign_caller_sends_arguments_as_they_come: wampy_by_xconn;
        }
        canceling {
            a_foreign_callee_is_interrupted: autobahn_python;
            a_foreign_callee_that_cannot_be_interrupted_is_left_alone: autobahn_js wampy;
            a_foreign_caller_cancels: autobahn_python autobahn_js wampy;
            a_foreign_caller_sets_a_time_limit: autobahn_python autobahn_js wampy;
        }
        registrations {
            a_foreign_callee_matches_patterns: autobahn_python autobahn_js wampy;
            a_foreign_callee_shares_a_procedure: autobahn_python autobahn_js wampy;
            a_foreign_callee_learns_who_calls: autobahn_python autobahn_js wampy;
            a_foreign_caller_is_disclosed: autobahn_js wampy;
        }
        meta {
            a_foreign_peer_uses_the_meta_api: autobahn_python autobahn_js wampy;
            a_foreign_peer_leaves_a_testament: autobahn_python autobahn_js wampy;
            a_foreign_peer_learns_that_it_is_revoked: autobahn_js;
        }
    }
}
