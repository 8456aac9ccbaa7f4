//! Reading what Astra really sends: `null` where a list or a text is due.

#![expect(clippy::zero_sized_map_values, reason = "a set is read from a list, and this is an object")]

use std::{collections::HashMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, IgnoredAny, SeqAccess, Visitor},
};
use serde_json::Value;

use crate::{Answer, answer::ReadError};

/// `null` and absent are the default.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A list, or nothing, without the entries that `odd` picks out: they are nobody's business here, and must not make the
/// whole answer unreadable. Entry by entry, because a list of other things, megabytes long, must not become a tree of
/// values before it is refused.
pub(crate) fn without_odd<'de, D, T>(deserializer: D, odd: fn(&Value) -> bool) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    struct Entries<T>(fn(&Value) -> bool, PhantomData<T>);

    impl<'de, T: DeserializeOwned> Visitor<'de> for Entries<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list or null")
        }

        fn visit_unit<E>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut kept = Vec::new();
            while let Some(entry) = list.next_element::<Value>()? {
                if !(self.0)(&entry) {
                    kept.push(serde_json::from_value(entry).map_err(de::Error::custom)?);
                }
            }
            // Very many of these lists are kept, and nearly all of them have one entry.
            kept.shrink_to_fit();
            Ok(kept)
        }
    }

    deserializer.deserialize_any(Entries(odd, PhantomData))
}

/// One object or an array of them: the documents and the real API differ on which.
pub(crate) fn one_or_many<T: DeserializeOwned>(answer: &Answer) -> Result<Vec<T>, ReadError> {
    match answer.read()? {
        Value::Null => Ok(Vec::new()),
        many @ Value::Array(_) => Ok(serde_json::from_value(many)?),
        one => Ok(vec![serde_json::from_value(one)?]),
    }
}

/// The names of an object's fields.
type Fields = HashMap<String, IgnoredAny>;

/// An object that has at least one of `fields`: where every field may be absent, any JSON object, also one of a proxy,
/// would otherwise read as "nothing is there".
pub(crate) fn object<T: DeserializeOwned>(answer: &Answer, fields: &[&str]) -> Result<T, ReadError> {
    let found: Fields = answer.read()?;
    if fields.iter().any(|field| found.contains_key(*field)) {
        return answer.read();
    }
    Err(ReadError(de::Error::custom(format_args!("there is none of {}", fields.join(", ")))))
}

/// As [`object`], but `null` and `{}` are the default: how the API shows what was never configured.
pub(crate) fn object_or_none<T>(answer: &Answer, fields: &[&str]) -> Result<Option<T>, ReadError>
where
    T: DeserializeOwned,
{
    match answer.read::<Option<Fields>>()? {
        None => Ok(None),
        Some(found) if found.is_empty() => Ok(None),
        Some(_) => object(answer, fields).map(Some),
    }
}
