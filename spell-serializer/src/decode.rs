//! From a frame to a message, in one pass.

use std::{borrow::Cow, marker::PhantomData};

use bytes::Bytes;
use spell_message::{
    Dict, List, Message, Payload, Value,
    message::{Kind, Unknown},
};

use crate::{
    DecodeError, Limits,
    codec::Codec,
    error::Source,
    list::{Bare, Element, Elements, Failed, Shape, check_length, envelope, read},
    payload::{join, listed},
    scan::{Budget, Fault, Found, Scanner},
};

/// Reads a message, whose payload shares the frame.
pub(crate) fn decode<C: Codec>(frame: &Bytes, limits: &Limits) -> Result<Message, DecodeError> {
    if frame.len() > limits.size {
        return Err(DecodeError::TooLarge {
            size: frame.len(),
            limit: limits.size,
        });
    }
    let mut scanner = C::Scanner::new(frame, Budget::new(limits));
    scanner.open()?;
    let code = scanner.next().map_err(|fault| scanner.error(fault))?;
    let Some(code) = code else {
        return Err(DecodeError::Empty);
    };
    let number = code.integer.ok_or_else(|| DecodeError::Code {
        found: code.shape.name(),
    })?;
    let Some(kind) = Kind::from_code(number) else {
        return decode_unknown::<C>(number, scanner);
    };
    let elements = FrameElements::<C> {
        kind,
        frame,
        scanner,
    };
    // What is wrong with the frame as a whole is told before what is wrong with an element of it.
    read(kind, elements).map_err(|error| {
        let checked = check_whole::<C>(kind, frame, limits);
        checked.err().unwrap_or(*error)
    })
}

/// The elements of a message, still encoded.
struct FrameElements<'a, C: Codec> {
    kind: Kind,
    frame: &'a Bytes,
    scanner: C::Scanner<'a>,
}

impl<'a, C: Codec> FrameElements<'a, C> {
    #[expect(
        clippy::inline_always,
        reason = "most of what was found is not asked for"
    )]
    #[inline(always)]
    fn found(&mut self) -> Result<Option<Encoded<'a, C>>, Failed> {
        match self.scanner.next() {
            Ok(found) => Ok(found.map(Encoded::new)),
            Err(fault) => Err(self.scanner.error(fault).into()),
        }
    }
}

impl<'a, C: Codec> Elements for FrameElements<'a, C> {
    type Element = Encoded<'a, C>;

    #[expect(
        clippy::inline_always,
        reason = "most of what was found is not asked for"
    )]
    #[inline(always)]
    fn next(&mut self) -> Result<Option<Encoded<'a, C>>, Failed> {
        let found = self.found()?;
        if found.is_some() && self.scanner.budget().is_beyond_envelope() {
            return Err(self.scanner.error(&Fault::EnvelopeTooLarge).into());
        }
        Ok(found)
    }

    fn payload(&mut self, bare: Bare) -> Result<Payload, Failed> {
        let Some(args) = self.found()? else {
            return Ok(Payload::default());
        };
        let kwargs = self.found()?;
        if kwargs.is_none() && bare.allows(&args) {
            return Ok(listed::<C>(args.found.bytes));
        }
        if kwargs.is_some() && self.found()?.is_some() {
            let kind = self.kind;
            let length = kind.lengths().end().saturating_add(1);
            return Err(DecodeError::Length { kind, length }.into());
        }
        Ok(payload::<C>(self.kind, self.frame, &args, kwargs.as_ref())?)
    }
}

/// Cuts the arguments out of the frame. Null counts as absent: some peers send it.
fn payload<C: Codec>(
    kind: Kind,
    frame: &Bytes,
    args: &Encoded<'_, C>,
    kwargs: Option<&Encoded<'_, C>>,
) -> Result<Payload, DecodeError> {
    let has_args = args.is_args(kind)?;
    let kwargs = match kwargs {
        Some(kwargs) if kwargs.is_kwargs(kind)? => Some(&kwargs.found),
        _ => None,
    };
    let args = &args.found;
    Ok(match (has_args, kwargs) {
        (false, None) => Payload::default(),
        (false, Some(kwargs)) => join::<C>(C::EMPTY_LIST, kwargs.bytes),
        (true, kwargs) => {
            let end = kwargs.unwrap_or(args).end();
            let kwargs_start = kwargs.map_or(end, |kwargs| kwargs.start);
            Payload::encoded(
                C::FORMAT,
                frame.slice(args.start..end),
                args.bytes.len(),
                kwargs_start.saturating_sub(args.start),
            )
        }
    })
}

/// Checks what concerns no single element before the arguments: that the frame is well-formed and
/// within the limits, how many elements it has, and that the arguments are some.
#[cold]
fn check_whole<C: Codec>(kind: Kind, frame: &Bytes, limits: &Limits) -> Result<(), DecodeError> {
    let mut scanner = C::Scanner::new(frame, Budget::new(limits));
    scanner.open()?;
    let mut elements: Vec<Encoded<'_, C>> = Vec::new();
    let mut length = 0_usize;
    let decoded = envelope(kind, usize::MAX);
    while let Some(found) = scanner.next().map_err(|fault| scanner.error(fault))? {
        if (1..=decoded).contains(&length) && scanner.budget().is_beyond_envelope() {
            return Err(scanner.error(&Fault::EnvelopeTooLarge));
        }
        // Those that it must not have are only counted.
        if (1..=*kind.lengths().end()).contains(&length) {
            elements.push(Encoded::new(found));
        }
        length = length.saturating_add(1);
    }
    check_length(kind, length)?;
    let envelope = envelope(kind, elements.len());
    match elements.split_at_checked(envelope).unwrap_or_default() {
        (_, []) => {}
        (fields, [args]) if Bare::among(kind, fields).allows(args) => {}
        (_, [args, rest @ ..]) => {
            args.is_args(kind)?;
            for kwargs in rest {
                kwargs.is_kwargs(kind)?;
            }
        }
    }
    Ok(())
}

#[cold]
fn decode_unknown<C: Codec>(
    code: u64,
    mut scanner: C::Scanner<'_>,
) -> Result<Message, DecodeError> {
    let mut fields = List::new();
    while let Some(found) = scanner.next().map_err(|fault| scanner.error(fault))? {
        if scanner.budget().is_beyond_envelope() {
            return Err(scanner.error(&Fault::EnvelopeTooLarge));
        }
        let field: Value = C::read(found.bytes).map_err(|source| DecodeError::Malformed {
            format: C::NAME,
            source,
        })?;
        fields.push(field);
    }
    Ok(Unknown { code, fields }.into())
}

/// One element of a message, still encoded.
struct Encoded<'a, C> {
    found: Found<'a>,
    codec: PhantomData<C>,
}

impl<'a, C> Encoded<'a, C> {
    #[inline]
    fn new(found: Found<'a>) -> Self {
        Self {
            found,
            codec: PhantomData,
        }
    }
}

impl<C: Codec> Element for Encoded<'_, C> {
    #[inline]
    fn shape(&self) -> Shape {
        self.found.shape
    }

    #[inline]
    fn integer(&self) -> Option<u64> {
        self.found.integer
    }

    #[inline]
    fn text(&self) -> Option<Cow<'_, str>> {
        C::text(self.found.bytes)
    }

    #[inline]
    fn dict(&self) -> Result<Dict, Option<Source>> {
        match self.found.shape {
            Shape::Dict if self.found.bytes == C::EMPTY_DICT => Ok(Dict::new()),
            Shape::Dict => C::read(self.found.bytes).map_err(Some),
            _ => Err(None),
        }
    }
}
