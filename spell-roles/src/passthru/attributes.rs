use spell_message::{Dict, Value};

use super::autobahn;

/// What a message says of its sealed payload.
///
/// They stand in the options or details of PUBLISH, EVENT, CALL, INVOCATION, YIELD, RESULT and
/// ERROR, where everybody on the way can read them.
///
/// ```
/// use spell_message::Dict;
/// use spell_roles::passthru::PassthruAttributes;
///
/// let details = Dict::from([("ppt_scheme", "mqtt"), ("ppt_serializer", "json")]);
/// let attributes = PassthruAttributes::from_dict(&details).unwrap();
/// assert_eq!(attributes.scheme, "mqtt");
/// assert_eq!(attributes.serializer.as_deref(), Some("json"));
/// assert_eq!(Dict::from(attributes), details);
/// ```
///
/// WAMP spec, "Payload Passthru Mode" ("Message Attributes").
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PassthruAttributes {
    /// `ppt_scheme`: how the payload is to be read, `wamp`, `mqtt` or a name that begins with `x_`.
    pub scheme: String,
    /// `ppt_serializer`: how arguments were made bytes.
    pub serializer: Option<String>,
    /// `ppt_cipher`: how these bytes were encrypted.
    pub cipher: Option<String>,
    /// `ppt_keyid`: by which key.
    pub keyid: Option<String>,
}

impl PassthruAttributes {
    /// The attributes of a scheme, nothing else being said.
    pub fn new(scheme: impl Into<String>) -> Self {
        Self {
            scheme: scheme.into(),
            serializer: None,
            cipher: None,
            keyid: None,
        }
    }

    /// Those in the options or details of a message; `None` if it does not use the mode.
    ///
    /// The older form of Autobahn and Crossbar.io is understood, too: `enc_algo` is the scheme,
    /// `enc_serializer` the serializer, `enc_key` the id of the key.
    pub fn from_dict(options: &Dict) -> Option<Self> {
        match text(options, SCHEME) {
            // WAMP spec, "ppt_scheme Attribute": the mode is in use where this is not empty.
            None => autobahn::read(options),
            Some(scheme) => Some(Self {
                scheme: scheme.to_owned(),
                serializer: text(options, SERIALIZER).map(str::to_owned),
                cipher: text(options, CIPHER).map(str::to_owned),
                keyid: text(options, KEYID).map(str::to_owned),
            }),
        }
    }

    /// Put them among the options of a message.
    pub(super) fn write(self, options: &mut Dict) {
        options.insert(SCHEME, self.scheme);
        let others = [
            (SERIALIZER, self.serializer),
            (CIPHER, self.cipher),
            (KEYID, self.keyid),
        ];
        for (key, value) in others {
            if let Some(value) = value {
                options.insert(key, value);
            }
        }
    }
}

/// As they stand in the options of a message.
impl From<PassthruAttributes> for Dict {
    fn from(attributes: PassthruAttributes) -> Self {
        let mut options = Self::new();
        attributes.write(&mut options);
        options
    }
}

/// The text of this key; an empty one counts as none.
pub(super) fn text<'a>(options: &'a Dict, key: &str) -> Option<&'a str> {
    let text = options.get(key).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
}

pub(super) const SCHEME: &str = "ppt_scheme";
pub(super) const SERIALIZER: &str = "ppt_serializer";
pub(super) const CIPHER: &str = "ppt_cipher";
pub(super) const KEYID: &str = "ppt_keyid";
