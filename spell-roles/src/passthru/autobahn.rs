//! The attributes as Autobahn and Crossbar.io have them: `enc_algo`, `enc_serializer`, `enc_key`.
//!
//! They know three algorithms, `cryptobox`, `mqtt` and `xbr`, and take any name that begins with
//! `x_`. There is none for the scheme `wamp`, and no attribute for a cipher; so that sealed payloads
//! reach other peers of this library through such a router, both go into one name of the user:
//! `x_wamp_` and the cipher.

use spell_message::Dict;

use super::{
    PassthruAttributes,
    attributes::{self, text},
    plain,
};

/// The attributes in this form, if there are some.
pub(super) fn read(options: &Dict) -> Option<PassthruAttributes> {
    let algorithm = text(options, ALGORITHM)?;
    let (scheme, cipher) = match algorithm.strip_prefix(WAMP) {
        Some("") => (plain::WAMP, None),
        Some(rest) => match rest.strip_prefix('_') {
            Some(cipher) => (plain::WAMP, Some(cipher.to_owned())),
            None => (algorithm, None),
        },
        None => (algorithm, None),
    };
    Some(PassthruAttributes {
        scheme: scheme.to_owned(),
        serializer: text(options, SERIALIZER).map(str::to_owned),
        cipher,
        keyid: text(options, KEY).map(str::to_owned),
    })
}

/// The options with their attributes in this form; `None` if they have no such form.
pub(crate) fn translate(options: &Dict) -> Option<Dict> {
    let attributes = PassthruAttributes::from_dict(options)?;
    let mut algorithm = match attributes.scheme.as_str() {
        plain::WAMP => WAMP.to_owned(),
        scheme => scheme.to_owned(),
    };
    match attributes.cipher {
        Some(cipher) if attributes.scheme == plain::WAMP => {
            algorithm.push('_');
            algorithm.push_str(&cipher);
        }
        Some(_) => return None,
        None => {}
    }
    let is_known = matches!(algorithm.as_str(), "cryptobox" | plain::MQTT | "xbr");
    if !is_known && !plain::is_custom(&algorithm) {
        return None;
    }
    let others = options.clone().into_iter();
    let mut options: Dict = others
        .filter(|(key, _)| !SPECIFIED.contains(&key.as_str()))
        .collect();
    options.insert(ALGORITHM, algorithm);
    if let Some(serializer) = attributes.serializer.filter(|name| name != "native") {
        options.insert(SERIALIZER, serializer);
    }
    if let Some(keyid) = attributes.keyid {
        options.insert(KEY, keyid);
    }
    Some(options)
}

const ALGORITHM: &str = "enc_algo";
const SERIALIZER: &str = "enc_serializer";
const KEY: &str = "enc_key";

const WAMP: &str = "x_wamp";

const SPECIFIED: [&str; 4] = [
    attributes::SCHEME,
    attributes::SERIALIZER,
    attributes::CIPHER,
    attributes::KEYID,
];

#[cfg(test)]
mod tests {
    use spell_message::Value;

    use super::*;

    #[test]
    fn attributes_survive_this_form() {
        for (scheme, serializer, cipher, keyid) in [
            ("wamp", Some("cbor"), Some("aes256gcm"), Some("key")),
            ("wamp", Some("cbor"), None, None),
            ("mqtt", Some("json"), None, None),
            ("mqtt", None, None, None),
            ("x_my_own", Some("x_ser"), None, Some("key")),
            ("x_wampum", None, None, None),
        ] {
            let attributes = PassthruAttributes {
                scheme: scheme.into(),
                serializer: serializer.map(Into::into),
                cipher: cipher.map(Into::into),
                keyid: keyid.map(Into::into),
            };
            let mut options = Dict::from([("acknowledge", true)]);
            attributes.clone().write(&mut options);
            let translated = translate(&options).unwrap();
            assert!(
                translated.keys().all(|key| !key.starts_with("ppt_")),
                "{translated:?}"
            );
            assert_eq!(translated.get("acknowledge"), Some(&Value::Bool(true)));
            assert_eq!(
                PassthruAttributes::from_dict(&translated),
                Some(attributes),
                "{translated:?}"
            );
        }
    }

    #[test]
    fn what_has_no_name_there_is_not_translated() {
        for (scheme, cipher) in [
            ("x_my_own", Some("aes256gcm")),
            ("other", None),
            ("X_OWN", None),
            ("wamp", Some("AES")),
        ] {
            let mut attributes = PassthruAttributes::new(scheme);
            attributes.cipher = cipher.map(Into::into);
            let translated = translate(&attributes.into());
            assert_eq!(translated, None, "{scheme}");
        }
    }

    #[test]
    fn the_algorithms_of_others_are_schemes_of_their_name() {
        let options = Dict::from([("enc_algo", "cryptobox"), ("enc_serializer", "json")]);
        let attributes = PassthruAttributes::from_dict(&options).unwrap();
        assert_eq!(attributes.scheme, "cryptobox");
        assert_eq!(attributes.serializer.as_deref(), Some("json"));
        assert_eq!(
            PassthruAttributes::from_dict(&Dict::from([("enc_algo", "")])),
            None
        );
    }
}
