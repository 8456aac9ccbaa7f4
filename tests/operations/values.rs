//! Values for a field, from its schema: those it must take, those that it must not, and those that may be one or the
//! other, depending on the rest of the spec.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaPropsOrArray;
use proptest::{strategy::Strategy, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};

use crate::{fields::Field, meanings};

/// Values for one field. A text may have `{id}`, `{ID}` and `{name}` in it: the database's, put in when it is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    /// The schema takes them. Whether Astra has what they mean is another question.
    pub(crate) valid: Vec<Value>,
    /// Refused when they are applied, or told by the conditions: never Ready.
    pub(crate) invalid: Vec<Value>,
    /// Judged together with other fields.
    pub(crate) either: Vec<Value>,
}

/// All values to be tried for a field that has `now` in the spec that is tried.
pub(crate) fn of(field: &Field, now: Option<&Value>) -> Values {
    let mut values = match field.schema.type_.as_deref() {
        Some("string") => text(field),
        Some("boolean") => Values {
            valid: vec![json!(true), json!(false)],
            invalid: wrong_types("boolean"),
            either: Vec::new(),
        },
        Some("array") => list(field, now),
        Some("object") => Values { invalid: wrong_types("object"), ..Values::default() },
        other => panic!("{field} is of type {other:?}: say which values it takes"),
    };
    // Nothing in place of a value: refused where one is needed, else the default.
    if field.required && field.schema.default.is_none() && field.schema.nullable != Some(true) {
        values.invalid.push(Value::Null);
    } else {
        values.either.push(Value::Null);
    }
    values.valid.retain(|value| Some(value) != now);
    values
}

/// A value of each other type.
fn wrong_types(type_: &str) -> Vec<Value> {
    let all = [
        ("string", json!("text")),
        ("number", json!(7)),
        ("number", json!(-1.5)),
        ("number", json!(1e300)),
        ("boolean", json!(true)),
        ("array", json!([["a"]])),
        ("object", json!({ "a": { "b": 1 } })),
    ];
    all.into_iter().filter(|(other, _)| *other != type_).map(|(_, value)| value).collect()
}

fn text(field: &Field) -> Values {
    let schema = &field.schema;
    let mut values = Values { invalid: wrong_types("string"), ..Values::default() };
    if let Some(allowed) = &schema.enum_ {
        values.either.extend(allowed.iter().filter(|value| !value.0.is_null()).map(|value| value.0.clone()));
        let names = allowed.iter().filter_map(|value| value.0.as_str());
        values.invalid.extend(names.map(|name| json!(name.to_lowercase())));
        values.invalid.extend(["", "None", "*"].map(Value::from));
        return values;
    }
    let longest = usize::try_from(schema.max_length.expect("every text has a limit")).unwrap();
    let shortest = usize::try_from(schema.min_length.unwrap_or_default()).unwrap();
    values.invalid.push(json!("x".repeat(longest + 1)));
    values.invalid.push(json!("x".repeat(100_000)));
    if shortest > 0 {
        values.invalid.push(json!("x".repeat(shortest - 1)));
    }
    let meaning = meanings::of(&field.to_string());
    assert!(
        meaning.is_some() || !field.ruled,
        "{field} is judged by a rule: say in meanings.rs what it takes"
    );
    let free = schema.pattern.is_none() && !field.ruled;
    if let Some(meaning) = meaning {
        values.valid.extend(meaning.valid);
        values.invalid.extend(meaning.invalid);
    } else if free {
        values.valid.extend([
            json!("x".repeat(shortest.max(1))),
            json!("x".repeat(longest)),
            json!("ü".repeat(longest)),
            json!("データ \u{1f600} \"quoted\" 'too' \\ {}"),
            json!("line\nbreak\ttab \u{1b}[31mred\u{7} \u{202e}right to left"),
        ]);
    }
    if let Some(pattern) = &schema.pattern {
        let samples = from_pattern(pattern, shortest, longest);
        let sample = samples.first().cloned().unwrap();
        values.valid.extend(samples.into_iter().map(Value::from));
        values.invalid.extend(near_misses(&sample).into_iter().map(Value::from));
    }
    if field.ruled {
        let good = values.valid.first().and_then(Value::as_str).unwrap().to_owned();
        values.invalid.extend(near_misses(&good).into_iter().map(Value::from));
    }
    values
}

/// Texts that a pattern takes.
fn from_pattern(pattern: &str, shortest: usize, longest: usize) -> Vec<String> {
    let inner = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$'));
    let inner = inner.unwrap_or_else(|| panic!("{pattern} takes texts that only have a part that fits"));
    let strategy = proptest::string::string_regex(inner).unwrap();
    let mut runner = TestRunner::deterministic();
    let mut samples: Vec<String> = Vec::new();
    for _ in 0..200 {
        let sample = strategy.new_tree(&mut runner).unwrap().current();
        if (shortest..=longest).contains(&sample.len()) && !samples.contains(&sample) {
            samples.push(sample);
        }
        if samples.len() == 3 {
            break;
        }
    }
    samples
}

/// A good text with something before, behind or within it that no pattern of ours takes.
fn near_misses(good: &str) -> Vec<String> {
    let middle = good.char_indices().nth(good.chars().count() / 2).map_or(0, |(at, _)| at);
    let (start, end) = good.split_at(middle);
    vec![
        format!(" {good}"),
        format!("{good}\n"),
        format!("{good}\u{0}"),
        format!("\u{1b}[2J{good}"),
        format!("{start} {end}"),
        format!("{start}ß{end}"),
        format!("{good}, {good}"),
    ]
}

/// Lists: empty, full, too full, with an item twice, and lists that mean something.
fn list(field: &Field, now: Option<&Value>) -> Values {
    let mut values = Values { invalid: wrong_types("array"), either: vec![json!([])], ..Values::default() };
    let most = usize::try_from(field.schema.max_items.expect("every list has a limit")).unwrap();
    let Some(first) = now.and_then(|list| list.get(0)) else { return values };
    let key = field.schema.x_kubernetes_list_map_keys.as_ref().and_then(|keys| keys.first());
    let many = |n: usize| -> Value {
        let item = |i: usize| match key {
            None => json!(meanings::nth(&field.to_string(), i)),
            Some(key) => {
                let mut item = first.clone();
                item[key] = json!(meanings::nth(&field.to_string(), i));
                item
            }
        };
        (0..n).map(item).collect()
    };
    values.valid.extend([many(1), many(2), many(most)]);
    values.invalid.push(many(most + 1));
    values.invalid.push(json!([first, first]));
    let with_null = |list: Value| match list {
        Value::Array(items) => Value::Array(items.into_iter().chain([Value::Null]).collect()),
        other => other,
    };
    values.invalid.push(with_null(many(1)));
    let is_object = matches!(&field.schema.items, Some(JSONSchemaPropsOrArray::Schema(item)) if item.type_.as_deref() == Some("object"));
    if is_object {
        // The same key, and another value beside it.
        let mut other = first.clone();
        other["description"] = json!("another");
        values.invalid.push(json!([first, other]));
        values.invalid.push(json!([{}]));
    }
    if let Some(meaning) = meanings::of(&field.to_string()) {
        values.valid.extend(meaning.valid);
        values.invalid.extend(meaning.invalid);
    }
    values
}
