//! What a close frame says.
//!
//! RFC 6455, 5.5.1 and 7.4.

use std::str;

use super::frame::invalid;
use crate::{ProtocolError, TransportError};

/// Why a side closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CloseCode(pub(super) u16);

impl CloseCode {
    pub(super) const NORMAL: Self = Self(1000);
    pub(super) const AWAY: Self = Self(1001);
    pub(super) const PROTOCOL: Self = Self(1002);
    pub(super) const UNSUPPORTED: Self = Self(1003);
    pub(super) const INVALID: Self = Self(1007);
    pub(super) const SIZE: Self = Self(1009);

    /// Registered ones, and those left to libraries and applications. The others are reserved, or
    /// stand for what happened without a close frame.
    fn is_allowed(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

/// The payload of a close frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Close {
    pub(super) code: CloseCode,
    pub(super) reason: String,
}

impl Close {
    /// It may be empty.
    pub(super) fn decode(payload: &[u8]) -> Result<Option<Self>, TransportError> {
        if payload.is_empty() {
            return Ok(None);
        }
        let Some((code, reason)) = payload.split_first_chunk() else {
            return Err(invalid("half a close code").into());
        };
        let code = CloseCode(u16::from_be_bytes(*code));
        if !code.is_allowed() {
            return Err(invalid(&format!("the close code {}", code.0)).into());
        }
        let reason = str::from_utf8(reason).map_err(|_invalid| ProtocolError::NotUtf8)?;
        Ok(Some(Self {
            code,
            reason: reason.to_owned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_frame_may_be_empty_and_else_has_a_code() {
        assert_eq!(Close::decode(b"").unwrap(), None);
        assert!(Close::decode(&[3]).is_err());
        let close = Close::decode(b"\x03\xe8done").unwrap().unwrap();
        assert_eq!(close.code, CloseCode::NORMAL);
        assert_eq!(close.reason, "done");
    }

    #[test]
    fn a_reason_is_utf8() {
        let error = Close::decode(b"\x03\xe8\xff").unwrap_err();
        let TransportError::Protocol(error) = error else {
            panic!("{error:?}");
        };
        assert_eq!(error, ProtocolError::NotUtf8);
    }

    #[test]
    fn codes_that_are_never_sent_are_refused() {
        let allowed = |code: u16| Close::decode(&code.to_be_bytes()).is_ok();
        let borders = [
            (0, 999, false),
            (1000, 1003, true),
            (1004, 1006, false),
            (1007, 1014, true),
            (1015, 2999, false),
            (3000, 4999, true),
            (5000, u16::MAX, false),
        ];
        for (first, last, expected) in borders {
            for code in first..=last {
                assert_eq!(allowed(code), expected, "{code}");
            }
        }
    }
}
