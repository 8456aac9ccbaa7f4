//! Reading what Astra really sends: `null` where a list or a text is due.

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned},
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

/// One object or an array of them: the documents and the real API differ on which.
pub(crate) fn one_or_many<T: DeserializeOwned>(answer: &Answer) -> Result<Vec<T>, ReadError> {
    match answer.read()? {
        Value::Null => Ok(Vec::new()),
        many @ Value::Array(_) => Ok(serde_json::from_value(many)?),
        one => Ok(vec![serde_json::from_value(one)?]),
    }
}

/// An object that has at least one of `fields`: where every field may be absent, any JSON object, also one of a proxy,
/// would otherwise read as "nothing is there".
pub(crate) fn object<T: DeserializeOwned>(answer: &Answer, fields: &[&str]) -> Result<T, ReadError> {
    let value: Value = answer.read()?;
    if fields.iter().any(|field| value.get(*field).is_some()) {
        return Ok(serde_json::from_value(value)?);
    }
    Err(ReadError(de::Error::custom(format_args!("there is none of {}", fields.join(", ")))))
}

/// As [`object`], but `null` and `{}` are the default: how the API shows what was never configured.
pub(crate) fn object_or_none<T>(answer: &Answer, fields: &[&str]) -> Result<Option<T>, ReadError>
where
    T: DeserializeOwned,
{
    match answer.read()? {
        Value::Null => Ok(None),
        Value::Object(found) if found.is_empty() => Ok(None),
        _ => object(answer, fields).map(Some),
    }
}
