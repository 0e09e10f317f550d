//! Listens to what a client and its router say to each other, and knows what may not be said.

use std::collections::HashSet;

use bytes::Bytes;
use spell_message::{Message, RequestId, RequestIds, SubscriptionId, message::RequestKind};
use spell_serializer::AnySerializer;

/// What was said over one connection so far.
///
/// WAMP spec, "IDs": request ids start at 1 and have no gap, in each direction; "Publish and Subscribe": no EVENT comes
/// before SUBSCRIBED; and a request has one answer, but for the parts of a result.
#[derive(Debug)]
pub struct Conversation {
    serializer: AnySerializer,
    requests: RequestIds,
    invocations: RequestIds,
    /// The requests that the router has to answer.
    open: HashSet<(RequestKind, RequestId)>,
    subscriptions: HashSet<SubscriptionId>,
    count: u64,
}

impl Conversation {
    /// One that begins with the first request, in the format of this serializer.
    pub fn new(serializer: AnySerializer) -> Self {
        Self {
            serializer,
            requests: RequestIds::default(),
            invocations: RequestIds::default(),
            open: HashSet::new(),
            subscriptions: HashSet::new(),
            count: 0,
        }
    }

    /// How many requests the client made.
    pub fn requests(&self) -> u64 {
        self.count
    }

    /// The client says something.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn client_says(&mut self, frame: &Bytes) -> Result<(), String> {
        let message = self.decode(frame)?;
        let request = match &message {
            Message::Publish(publish) if publish.options.acknowledge() != Some(true) => {
                return self.count(publish.request);
            }
            Message::Publish(publish) => (RequestKind::Publish, publish.request),
            Message::Subscribe(subscribe) => (RequestKind::Subscribe, subscribe.request),
            Message::Unsubscribe(unsubscribe) => (RequestKind::Unsubscribe, unsubscribe.request),
            Message::Register(register) => (RequestKind::Register, register.request),
            Message::Unregister(unregister) => (RequestKind::Unregister, unregister.request),
            // WAMP spec, "Progressive Call Invocations": the parts of a call have one id.
            Message::Call(call) if self.open.contains(&(RequestKind::Call, call.request)) => {
                return Ok(());
            }
            Message::Call(call) => (RequestKind::Call, call.request),
            _ => return Ok(()),
        };
        self.open.insert(request);
        self.count(request.1)
    }

    /// The router says something.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn router_says(&mut self, frame: &Bytes) -> Result<(), String> {
        let message = self.decode(frame)?;
        let answered = match &message {
            Message::Event(event) if self.subscriptions.contains(&event.subscription) => {
                return Ok(());
            }
            Message::Event(event) => {
                return Err(format!(
                    "EVENT for {:?} without SUBSCRIBED",
                    event.subscription
                ));
            }
            Message::Invocation(invocation) => {
                // The parts of a call have one id here, too.
                if invocation.request < self.invocations.next() {
                    return Ok(());
                }
                return follows(&mut self.invocations, invocation.request, "INVOCATION");
            }
            Message::Published(published) => (RequestKind::Publish, published.request),
            Message::Subscribed(subscribed) => {
                self.subscriptions.insert(subscribed.subscription);
                (RequestKind::Subscribe, subscribed.request)
            }
            // Without a request, the router took it away of its own accord.
            Message::Unsubscribed(_) => match message.request() {
                Some(request) => (RequestKind::Unsubscribe, request),
                None => return Ok(()),
            },
            Message::Registered(registered) => (RequestKind::Register, registered.request),
            Message::Unregistered(_) => match message.request() {
                Some(request) => (RequestKind::Unregister, request),
                None => return Ok(()),
            },
            Message::Result(result) if result.details.progress() == Some(true) => {
                let call = (RequestKind::Call, result.request);
                return if self.open.contains(&call) {
                    Ok(())
                } else {
                    Err(format!("a part of the result of {call:?}, which is over"))
                };
            }
            Message::Result(result) => (RequestKind::Call, result.request),
            Message::Error(error) => (error.request_kind, error.request),
            _ => return Ok(()),
        };
        if self.open.remove(&answered) {
            return Ok(());
        }
        Err(format!(
            "an answer to {answered:?}, which does not wait for one"
        ))
    }

    fn decode(&self, frame: &Bytes) -> Result<Message, String> {
        let message = self.serializer.decode(frame);
        message.map_err(|error| format!("no message: {error}"))
    }

    fn count(&mut self, request: RequestId) -> Result<(), String> {
        self.count = self.count.saturating_add(1);
        follows(&mut self.requests, request, "a request")
    }
}

fn follows(ids: &mut RequestIds, request: RequestId, what: &str) -> Result<(), String> {
    let expected = ids.next();
    if request != expected {
        return Err(format!(
            "{what} has the id {request:?} instead of {expected:?}"
        ));
    }
    ids.advance();
    Ok(())
}

#[cfg(test)]
mod tests {
    use spell_serializer::Json;

    use super::*;

    fn after(said: &[&'static str]) -> Conversation {
        let mut conversation = Conversation::new(Json::new().into());
        for frame in said {
            conversation
                .client_says(&Bytes::from_static(frame.as_bytes()))
                .unwrap();
        }
        conversation
    }

    fn hears(conversation: &mut Conversation, frame: &'static str) -> Result<(), String> {
        conversation.router_says(&Bytes::from_static(frame.as_bytes()))
    }

    #[test]
    fn a_request_id_that_skips_one_is_noticed() {
        let mut conversation = after(&[r#"[16,1,{},"a.b"]"#, r#"[32,2,{},"a.b"]"#]);
        assert_eq!(conversation.requests(), 2);
        let skips = Bytes::from_static(br#"[48,4,{},"a.b"]"#);
        assert!(conversation.client_says(&skips).is_err());
    }

    #[test]
    fn the_parts_of_a_call_have_one_id_and_its_last_result_is_one() {
        let mut conversation = after(&[r#"[48,1,{"progress":true},"a.b"]"#, r#"[48,1,{},"a.b"]"#]);
        hears(&mut conversation, r#"[50,1,{"progress":true}]"#).unwrap();
        hears(&mut conversation, "[50,1,{}]").unwrap();
        hears(&mut conversation, "[50,1,{}]").unwrap_err();
        hears(&mut conversation, r#"[50,1,{"progress":true}]"#).unwrap_err();
    }

    #[test]
    fn an_answer_to_nothing_is_noticed() {
        let mut conversation =
            after(&[r#"[16,1,{"acknowledge":true},"a.b"]"#, r#"[16,2,{},"a.b"]"#]);
        hears(&mut conversation, "[17,2,7]").unwrap_err();
        hears(&mut conversation, "[17,1,7]").unwrap();
        hears(&mut conversation, "[17,1,7]").unwrap_err();
    }

    #[test]
    fn an_event_before_subscribed_is_noticed() {
        let mut conversation = after(&[r#"[32,1,{},"a.b"]"#]);
        hears(&mut conversation, "[36,5,9,{}]").unwrap_err();
        hears(&mut conversation, "[33,1,5]").unwrap();
        hears(&mut conversation, "[36,5,9,{}]").unwrap();
    }

    #[test]
    fn an_invocation_id_that_skips_one_is_noticed() {
        let mut conversation = after(&[]);
        hears(&mut conversation, "[68,1,3,{}]").unwrap();
        hears(&mut conversation, "[68,3,3,{}]").unwrap_err();
    }
}
