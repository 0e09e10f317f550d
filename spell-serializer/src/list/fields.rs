use std::borrow::Cow;

use spell_message::{
    Dict, InvalidId, InvalidUri, Payload, RequestId, Uri,
    message::{Kind, RequestKind},
    options::InvalidOption,
    reason::INVALID_URI,
};

use super::{
    bare::Bare,
    element::{Element, Elements, Failed, Shape},
};
use crate::{DecodeError, error::Place};

/// The elements of a message, read one after the other.
pub(super) struct Fields<S> {
    kind: Kind,
    elements: S,
    /// How many were read, the code among them.
    length: usize,
    request: Option<RequestId>,
    failed: Option<RequestKind>,
    bare: Bare,
    /// Whether all elements were read.
    is_over: bool,
}

impl<S: Elements> Fields<S> {
    pub(super) fn new(kind: Kind, elements: S) -> Self {
        Self {
            kind,
            elements,
            length: 1,
            request: None,
            failed: None,
            bare: Bare::No,
            is_over: false,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    #[expect(
        clippy::inline_always,
        reason = "most of what was found is not asked for"
    )]
    #[inline(always)]
    fn next(&mut self) -> Result<S::Element, Failed> {
        match self.elements.next()? {
            Some(element) => {
                self.length = self.length.saturating_add(1);
                Ok(element)
            }
            None => Err(self.wrong_length().into()),
        }
    }

    #[cold]
    pub(super) fn wrong_length(&self) -> DecodeError {
        let (kind, length) = (self.kind, self.length);
        DecodeError::Length { kind, length }
    }

    /// Checks that there are no more.
    #[inline]
    pub(super) fn end(mut self) -> Result<(), Failed> {
        if self.is_over || self.elements.next()?.is_none() {
            return Ok(());
        }
        self.length = self.length.saturating_add(1);
        Err(self.wrong_length().into())
    }

    fn place(&self, field: &'static str) -> Place {
        Place::new(self.kind, field, self.request).with_failed(self.failed)
    }

    #[cold]
    fn wrong(
        &self,
        field: &'static str,
        expected: &'static str,
        element: &S::Element,
    ) -> DecodeError {
        self.wrong_as(field, expected, element.shape().name())
    }

    #[cold]
    fn wrong_as(
        &self,
        field: &'static str,
        expected: &'static str,
        found: &'static str,
    ) -> DecodeError {
        DecodeError::Field {
            place: self.place(field).into(),
            expected,
            found,
        }
    }

    #[inline]
    pub(super) fn id<T: TryFrom<u64, Error = InvalidId>>(
        &mut self,
        field: &'static str,
    ) -> Result<T, Failed> {
        let element = self.next()?;
        self.id_of(field, &element)
    }

    #[inline]
    fn id_of<T: TryFrom<u64, Error = InvalidId>>(
        &self,
        field: &'static str,
        element: &S::Element,
    ) -> Result<T, Failed> {
        match element.integer().map(T::try_from) {
            Some(Ok(id)) => Ok(id),
            Some(Err(source)) => Err(DecodeError::Id {
                place: self.place(field).into(),
                source,
            }
            .into()),
            None => Err(self
                .wrong(field, "an id, an integer from 1 to 2^53", element)
                .into()),
        }
    }

    #[inline]
    pub(super) fn request(&mut self, field: &'static str) -> Result<RequestId, Failed> {
        let request = self.id(field)?;
        self.request = Some(request);
        Ok(request)
    }

    pub(super) fn request_kind(&mut self, field: &'static str) -> Result<RequestKind, Failed> {
        const EXPECTED: &str = "the code of a request (16, 32, 34, 48, 64, 66 or 68)";
        let element = self.next()?;
        let Some(code) = element.integer() else {
            return Err(self.wrong(field, EXPECTED, &element).into());
        };
        let Some(kind) = RequestKind::from_code(code) else {
            return Err(self.wrong_as(field, EXPECTED, "another integer").into());
        };
        self.failed = Some(kind);
        Ok(kind)
    }

    /// The id of the request, or, if the message has the form of a revocation, whose request id is 0,
    /// its details.
    pub(super) fn request_or_details<T>(
        &mut self,
        field: &'static str,
        from_dict: impl FnOnce(Dict) -> Result<T, InvalidOption>,
    ) -> Result<Result<RequestId, T>, Failed> {
        const EXPECTED: &str = "0 where details follow";
        let request = self.next()?;
        let Some(details) = self.elements.next()? else {
            self.is_over = true;
            return self.id_of(field, &request).map(Ok);
        };
        match request.integer() {
            Some(0) => self.options_of("Details", &details, from_dict).map(Err),
            Some(_) => Err(self.wrong_as(field, EXPECTED, "another integer").into()),
            None => Err(self.wrong(field, EXPECTED, &request).into()),
        }
    }

    /// A text, as it is or as what can be made of it.
    #[inline]
    pub(super) fn text<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&Self, Cow<'_, str>) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        const EXPECTED: &str = "a string";
        let element = self.next()?;
        match (element.text(), element.shape()) {
            (Some(text), _) => read(self, text),
            (None, Shape::Text) => Err(self
                .wrong_as(field, EXPECTED, "a string that is not Unicode")
                .into()),
            _ => Err(self.wrong(field, EXPECTED, &element).into()),
        }
    }

    pub(super) fn owned_text(&mut self, field: &'static str) -> Result<String, Failed> {
        self.text(field, |_, text| Ok(text.into_owned()))
    }

    #[inline]
    pub(super) fn named<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, InvalidUri>,
    ) -> Result<T, Failed> {
        self.text(field, |fields, text| {
            parse(&text).map_err(|source| fields.invalid_uri(field, source).into())
        })
    }

    #[cold]
    fn invalid_uri(&self, field: &'static str, source: InvalidUri) -> DecodeError {
        DecodeError::Uri {
            place: self.place(field).into(),
            source: source.into(),
        }
    }

    pub(super) fn uri(&mut self, field: &'static str) -> Result<Uri, Failed> {
        self.named(field, |text| Uri::new(text))
    }

    /// Why the session is over, and what to put into `Details.message`, where `told` stands now, so
    /// that nothing is lost of a reason that is no URI.
    pub(super) fn reason(&mut self, told: Option<&str>) -> Result<(Uri, Option<String>), Failed> {
        self.text("Reason", |fields, text| {
            let source = match Uri::new(&text) {
                Ok(reason) => return Ok((reason, None)),
                Err(source) => source,
            };
            let reason = Uri::new(INVALID_URI).map_err(|_| fields.invalid_uri("Reason", source))?;
            let message = match told {
                Some(told) => format!("{text}: {told}"),
                None => text.into_owned(),
            };
            Ok((reason, Some(message)))
        })
    }

    pub(super) fn dict(&mut self, field: &'static str) -> Result<Dict, Failed> {
        let element = self.next()?;
        self.dict_of(field, &element)
    }

    #[inline]
    fn dict_of(&self, field: &'static str, element: &S::Element) -> Result<Dict, Failed> {
        element.dict().map_err(|error| match error {
            None => self.wrong(field, "a dictionary", element).into(),
            Some(source) => DecodeError::Dict {
                place: self.place(field).into(),
                source,
            }
            .into(),
        })
    }

    #[inline]
    pub(super) fn options<T>(
        &mut self,
        field: &'static str,
        from_dict: impl FnOnce(Dict) -> Result<T, InvalidOption>,
    ) -> Result<T, Failed> {
        let element = self.next()?;
        self.options_of(field, &element, from_dict)
    }

    #[inline]
    fn options_of<T>(
        &mut self,
        field: &'static str,
        element: &S::Element,
        from_dict: impl FnOnce(Dict) -> Result<T, InvalidOption>,
    ) -> Result<T, Failed> {
        let dict = self.dict_of(field, element)?;
        self.bare = Bare::of(self.kind, &dict);
        from_dict(dict).map_err(|source| {
            DecodeError::Option {
                place: self.place(field).into(),
                source: source.into(),
            }
            .into()
        })
    }

    #[inline]
    pub(super) fn payload(&mut self) -> Result<Payload, Failed> {
        self.is_over = true;
        self.elements.payload(self.bare)
    }
}
