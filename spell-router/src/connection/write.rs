//! What is queued for a client, written.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use spell_message::Message;
use spell_serializer::payload::transcode;
use spell_transport::{Transport, TransportError};

use super::{Connection, Ended, Phase, Progress};
use crate::{carrier::Undeliverable, fan_out::FanOut, outbound::Outgoing};

impl<T: Transport> Connection<T> {
    /// Writes what is queued, as far as the transport takes it. Gives whether it takes no more.
    pub(super) fn poll_write(
        &mut self,
        budget: &mut usize,
        cx: &mut Context<'_>,
    ) -> Result<bool, Ended> {
        let mut is_stuck = false;
        while *budget > 0 && !self.queue.is_empty() {
            match Pin::new(&mut self.transport).poll_ready(cx) {
                Poll::Pending => return Ok(true),
                // The transport may have told the client itself what it did wrong.
                Poll::Ready(Err(_)) if matches!(self.phase, Phase::Closing) => {
                    is_stuck = true;
                    break;
                }
                Poll::Ready(Err(_)) => return Err(Ended),
                Poll::Ready(Ok(())) => {}
            }
            let Some(message) = self.queue.pop() else {
                break;
            };
            *budget = budget.saturating_sub(1);
            self.send(message)?;
        }
        if *budget > 0 && matches!(self.phase, Phase::Closing) {
            match Pin::new(&mut self.transport).poll_close(cx) {
                Poll::Pending => {}
                Poll::Ready(Err(_)) => return Err(Ended),
                Poll::Ready(Ok(())) => {
                    if self.read_ended {
                        return Err(Ended);
                    }
                    self.phase = Phase::Draining;
                    self.again = true;
                }
            }
        }
        Ok(is_stuck)
    }

    fn send(&mut self, outgoing: Outgoing) -> Progress {
        let (mut message, fan_out) = outgoing.into_parts();
        let frame = match self.encode(&mut message, fan_out.as_ref()) {
            Ok(frame) => frame,
            Err(why) => return self.undelivered(message, why),
        };
        match Pin::new(&mut self.transport).start_send(frame) {
            Ok(()) => Ok(()),
            Err(TransportError::TooLarge { .. }) => {
                self.undelivered(message, Undeliverable::TooLarge)
            }
            Err(TransportError::NotText) => {
                self.undelivered(message, Undeliverable::NotExpressible)
            }
            Err(error) => {
                tracing::debug!(%error, "cannot write");
                Err(Ended)
            }
        }
    }

    fn encode(
        &mut self,
        message: &mut Message,
        fan_out: Option<&Arc<FanOut>>,
    ) -> Result<Bytes, Undeliverable> {
        let serialization = self.serializer.serialization();
        if let (Message::Event(event), Some(fan_out)) = (&*message, fan_out)
            && let Some(frame) = fan_out.frame(event, serialization)
        {
            return self.check_size(frame);
        }
        let format = self.serializer.format();
        if let Some(payload) = message.payload_mut()
            && payload.format().is_some_and(|found| found != format)
        {
            let transcoded = match fan_out {
                Some(fan_out) => fan_out.transcode(payload, format),
                None => transcode(payload, format).ok(),
            };
            *payload = transcoded.ok_or(Undeliverable::NotExpressible)?;
        }
        if self.serializer.encode(message, &mut self.buffer).is_err() {
            self.buffer.clear();
            return Err(Undeliverable::NotExpressible);
        }
        let frame = self.buffer.split().freeze();
        if let (Message::Event(event), Some(fan_out)) = (&*message, fan_out)
            // Someone else is still to get it.
            && Arc::strong_count(fan_out) > 1
        {
            fan_out.keep(event, serialization, frame.clone());
        }
        self.check_size(frame)
    }

    fn check_size(&self, frame: Bytes) -> Result<Bytes, Undeliverable> {
        if self.max_send.is_some_and(|limit| frame.len() > limit) {
            return Err(Undeliverable::TooLarge);
        }
        Ok(frame)
    }
}
