use std::borrow::Cow;

use spell_message::{
    Dict, InvalidId, InvalidUri, RequestId, Uri,
    message::{Kind, RequestKind},
    options::InvalidOption,
    reason::INVALID_URI,
};

use super::element::{Element, Shape};
use crate::{DecodeError, error::Place};

/// The elements of a message, read one after the other.
pub(super) struct Fields<'a, E> {
    kind: Kind,
    length: usize,
    elements: std::slice::Iter<'a, E>,
    request: Option<RequestId>,
    failed: Option<RequestKind>,
}

impl<'a, E: Element> Fields<'a, E> {
    pub(super) fn new(kind: Kind, elements: &'a [E]) -> Self {
        Self {
            kind,
            length: elements.len().saturating_add(1),
            elements: elements.iter(),
            request: None,
            failed: None,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    fn next(&mut self) -> Result<&'a E, DecodeError> {
        self.elements.next().ok_or_else(|| self.wrong_length())
    }

    pub(super) fn wrong_length(&self) -> DecodeError {
        DecodeError::Length {
            kind: self.kind,
            length: self.length,
        }
    }

    fn place(&self, field: &'static str) -> Place {
        Place::new(self.kind, field, self.request).with_failed(self.failed)
    }

    fn wrong(&self, field: &'static str, expected: &'static str, element: &E) -> DecodeError {
        DecodeError::Field {
            place: self.place(field).into(),
            expected,
            found: element.shape().name(),
        }
    }

    fn integer(&mut self, field: &'static str, expected: &'static str) -> Result<u64, DecodeError> {
        let element = self.next()?;
        element
            .integer()
            .ok_or_else(|| self.wrong(field, expected, element))
    }

    pub(super) fn id<T: TryFrom<u64, Error = InvalidId>>(
        &mut self,
        field: &'static str,
    ) -> Result<T, DecodeError> {
        let number = self.integer(field, "an id, an integer from 1 to 2^53")?;
        T::try_from(number).map_err(|source| DecodeError::Id {
            place: self.place(field).into(),
            source,
        })
    }

    pub(super) fn request(&mut self, field: &'static str) -> Result<RequestId, DecodeError> {
        let request = self.id(field)?;
        self.request = Some(request);
        Ok(request)
    }

    pub(super) fn request_kind(&mut self, field: &'static str) -> Result<RequestKind, DecodeError> {
        const EXPECTED: &str = "the code of a request (16, 32, 34, 48, 64, 66 or 68)";
        let code = self.integer(field, EXPECTED)?;
        let kind = RequestKind::from_code(code).ok_or_else(|| DecodeError::Field {
            place: self.place(field).into(),
            expected: EXPECTED,
            found: "another integer",
        })?;
        self.failed = Some(kind);
        Ok(kind)
    }

    /// Whether the message has the form of a revocation, whose request id is then read: 0.
    pub(super) fn is_revocation(&mut self, field: &'static str) -> Result<bool, DecodeError> {
        const EXPECTED: &str = "0 where details follow";
        if self.elements.len() == 1 {
            return Ok(false);
        }
        match self.integer(field, EXPECTED)? {
            0 => Ok(true),
            _ => Err(DecodeError::Field {
                place: self.place(field).into(),
                expected: EXPECTED,
                found: "another integer",
            }),
        }
    }

    pub(super) fn text(&mut self, field: &'static str) -> Result<Cow<'a, str>, DecodeError> {
        let element = self.next()?;
        element.text().ok_or_else(|| match element.shape() {
            Shape::Text => DecodeError::Field {
                place: self.place(field).into(),
                expected: "a string",
                found: "a string that is not Unicode",
            },
            _ => self.wrong(field, "a string", element),
        })
    }

    pub(super) fn named<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, InvalidUri>,
    ) -> Result<T, DecodeError> {
        let text = self.text(field)?;
        parse(&text).map_err(|source| DecodeError::Uri {
            place: self.place(field).into(),
            source: source.into(),
        })
    }

    pub(super) fn uri(&mut self, field: &'static str) -> Result<Uri, DecodeError> {
        self.named(field, |text| Uri::new(text))
    }

    /// Why the session is over, and what to put into `Details.message`, where `told` stands now, so
    /// that nothing is lost of a reason that is no URI.
    pub(super) fn reason(
        &mut self,
        told: Option<&str>,
    ) -> Result<(Uri, Option<String>), DecodeError> {
        let text = self.text("Reason")?;
        let source = match Uri::new(&text) {
            Ok(reason) => return Ok((reason, None)),
            Err(source) => source,
        };
        let reason = Uri::new(INVALID_URI).map_err(|_| DecodeError::Uri {
            place: self.place("Reason").into(),
            source: source.into(),
        })?;
        let message = match told {
            Some(told) => format!("{text}: {told}"),
            None => text.into_owned(),
        };
        Ok((reason, Some(message)))
    }

    pub(super) fn dict(&mut self, field: &'static str) -> Result<Dict, DecodeError> {
        let element = self.next()?;
        element.dict().map_err(|error| match error {
            None => self.wrong(field, "a dictionary", element),
            Some(source) => DecodeError::Dict {
                place: self.place(field).into(),
                source,
            },
        })
    }

    pub(super) fn options<T>(
        &mut self,
        field: &'static str,
        from_dict: impl FnOnce(Dict) -> Result<T, InvalidOption>,
    ) -> Result<T, DecodeError> {
        from_dict(self.dict(field)?).map_err(|source| DecodeError::Option {
            place: self.place(field).into(),
            source: source.into(),
        })
    }
}
