//! What is queued for a client, written.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use spell_message::Message;
use spell_serializer::payload::transcode;
use spell_transport::{Transport, TransportError};

use super::{Connection, Ended, Phase, Progress};
use crate::{carrier::Undeliverable, outgoing::Outgoing};

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
        match outgoing {
            Outgoing::Own(own) => {
                let mut message = own.into_message();
                match self.encode(&mut message).and_then(|frame| self.put(frame)) {
                    Ok(sent) => sent,
                    Err(why) => self.undelivered(message, why),
                }
            }
            Outgoing::Event(event) => {
                let frame = event.frame(&self.serializer, &mut self.buffer);
                match frame.and_then(|frame| self.put(frame)) {
                    Ok(sent) => sent,
                    Err(why) => {
                        self.drop_event(why);
                        Ok(())
                    }
                }
            }
        }
    }

    fn encode(&mut self, message: &mut Message) -> Result<Bytes, Undeliverable> {
        let format = self.serializer.format();
        if let Some(payload) = message.payload_mut()
            && payload.format().is_some_and(|found| found != format)
        {
            let transcoded = transcode(payload, format);
            *payload = transcoded.map_err(|_| Undeliverable::NotExpressible)?;
        }
        if self.serializer.encode(message, &mut self.buffer).is_err() {
            self.buffer.clear();
            return Err(Undeliverable::NotExpressible);
        }
        Ok(self.buffer.split().freeze())
    }

    /// Hands a frame to the transport; fails where it will never take it, and the connection lives.
    fn put(&mut self, frame: Bytes) -> Result<Progress, Undeliverable> {
        if self.max_send.is_some_and(|limit| frame.len() > limit) {
            return Err(Undeliverable::TooLarge);
        }
        match Pin::new(&mut self.transport).start_send(frame) {
            Ok(()) => Ok(Ok(())),
            Err(TransportError::TooLarge { .. }) => Err(Undeliverable::TooLarge),
            Err(TransportError::NotText) => Err(Undeliverable::NotExpressible),
            Err(error) => {
                tracing::debug!(%error, "cannot write");
                Ok(Err(Ended))
            }
        }
    }
}
