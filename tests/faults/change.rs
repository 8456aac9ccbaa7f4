//! What can be wrong with the body of an answer that Astra gave: each a small change of the true one.

use serde_json::{Value, json};

/// One change of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// The connection broke off, and something on the way took the half for the whole.
    Truncated,
    /// A byte that is no UTF-8 in the middle.
    InvalidUtf8,
    /// A byte order mark before it.
    ByteOrderMark,
    /// The body as a JSON string.
    AsString,
    /// The body below a key of its own.
    Wrapped,
    /// Fields that nobody knows, in every object.
    UnknownFields,
    /// Every list is `null`.
    NullLists,
    /// Every list is empty.
    EmptyLists,
    /// Of every list only the first entry.
    FirstOfLists,
    /// Every entry twice.
    DuplicateEntries,
    /// Every list backwards.
    OtherOrder,
    /// Every description cut short.
    ShortDescriptions,
    /// Escape sequences and line breaks in every description.
    ControlCharacters,
    /// This field is missing, wherever it was.
    Without(&'static str),
    /// This field is of another type, wherever it is.
    OtherType(&'static str),
    /// This field is null, wherever it is.
    Null(&'static str),
}

/// The fields that answers of the three areas are made of.
pub(crate) const FIELDS: [&str; 22] = [
    "accessListEnabled",
    "account",
    "address",
    "addresses",
    "allowedPrincipals",
    "cloudProvider",
    "clusterID",
    "clusters",
    "configurations",
    "connectionId",
    "databaseId",
    "datacenterID",
    "datacenters",
    "description",
    "enabled",
    "endpointID",
    "endpoints",
    "id",
    "info",
    "otherVpc",
    "status",
    "vpcId",
];

impl Change {
    /// The changed body; `None` when there is nothing to change.
    pub(crate) fn of(self, body: &[u8]) -> Option<Vec<u8>> {
        let value: Value = serde_json::from_slice(body).ok()?;
        let changed = match self {
            Self::Truncated => body[..body.len() / 2].to_vec(),
            Self::InvalidUtf8 => {
                let middle = body.iter().position(|byte| *byte == b'"')? + 1;
                [&body[..middle], b"\xff\xfe", &body[middle..]].concat()
            }
            Self::ByteOrderMark => [b"\xef\xbb\xbf", body].concat(),
            Self::AsString => json!(value.to_string()).to_string().into_bytes(),
            Self::Wrapped => json!({ "data": value }).to_string().into_bytes(),
            _ => {
                let mut changed = value.clone();
                self.walk(&mut changed);
                if changed == value {
                    return None;
                }
                changed.to_string().into_bytes()
            }
        };
        (changed != body).then_some(changed)
    }

    /// Could nobody tell the changed body from a true one? Then it is only as good as a second look.
    pub(crate) const fn is_a_lie(self) -> bool {
        matches!(
            self,
            Self::NullLists
                | Self::EmptyLists
                | Self::FirstOfLists
                | Self::ShortDescriptions
                | Self::ControlCharacters
                | Self::Without(_)
                | Self::Null(_)
        )
    }

    fn walk(self, value: &mut Value) {
        match value {
            Value::Array(list) => {
                for entry in list.iter_mut() {
                    self.walk(entry);
                }
                match self {
                    Self::NullLists => *value = Value::Null,
                    Self::EmptyLists => list.clear(),
                    Self::FirstOfLists => list.truncate(1),
                    Self::DuplicateEntries => {
                        *list = list.iter().flat_map(|entry| [entry.clone(), entry.clone()]).collect();
                    }
                    Self::OtherOrder => list.reverse(),
                    _ => {}
                }
            }
            Value::Object(fields) => {
                fields.values_mut().for_each(|field| self.walk(field));
                match self {
                    Self::UnknownFields => {
                        fields.insert("ofTomorrow".into(), json!({ "a": [1, null, "x"] }));
                    }
                    Self::ShortDescriptions | Self::ControlCharacters => {
                        if let Some(Value::String(text)) = fields.get_mut("description") {
                            *text = match self {
                                Self::ShortDescriptions => text.chars().take(3).collect(),
                                _ => format!("{text}\u{1b}[31m\r\nlevel=info msg=forged"),
                            };
                        }
                    }
                    Self::Without(name) => {
                        fields.remove(name);
                    }
                    Self::OtherType(name) => {
                        if let Some(field) = fields.get_mut(name) {
                            *field = other_type(field);
                        }
                    }
                    Self::Null(name) => {
                        if let Some(field) = fields.get_mut(name) {
                            *field = Value::Null;
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

fn other_type(value: &Value) -> Value {
    match value {
        Value::Null => json!(0),
        Value::Bool(yes) => json!(yes.to_string()),
        Value::Number(number) => json!(number.to_string()),
        Value::String(text) => json!([text]),
        Value::Array(list) => json!({ "0": list.first() }),
        Value::Object(_) => json!("[object Object]"),
    }
}
