//! Reading what Astra really sends: `null` where a list or a text is due.

use serde::{Deserialize, Deserializer};

/// `null` and absent are the default.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
