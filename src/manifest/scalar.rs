//! What a scalar of YAML is: as kubectl has it, which is YAML 1.1 in Go's reading of it. `yes` is a boolean there, `010`
//! is eight, and `1.20` is a number: whoever means a text must put it in quotes, and is told so by the schema.

use granit_parser::ScalarStyle;
use serde_json::Number;

use super::tree::Tree;

/// The value of a scalar, with the tag of the core schema that it has (`str` of `!!str`).
pub(crate) fn resolve(text: &str, style: ScalarStyle, tag: Option<&str>) -> Result<Tree, String> {
    match tag {
        Some("str") => Ok(Tree::Text(text.to_owned())),
        Some(tag @ ("bool" | "int" | "float" | "null")) => {
            let tree = plain(text)?;
            let fits = matches!(
                (tag, &tree),
                ("bool", Tree::Bool(_)) | ("int" | "float", Tree::Number(_)) | ("null", Tree::Null)
            );
            if fits { Ok(tree) } else { Err(format!("{text:?} is no !!{tag}")) }
        }
        _ if style == ScalarStyle::Plain => plain(text),
        _ => Ok(Tree::Text(text.to_owned())),
    }
}

/// What a scalar says as the name of a field.
pub(crate) fn name(text: &str, tree: &Tree) -> Result<String, String> {
    match tree {
        Tree::Null => Err("the name of a field must be a text, not null".to_owned()),
        Tree::Bool(value) => Ok(value.to_string()),
        Tree::Number(number) => Ok(number.to_string()),
        _ => Ok(text.to_owned()),
    }
}

fn plain(text: &str) -> Result<Tree, String> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Tree::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Tree::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Tree::Bool(false)
        }
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" | ".nan"
        | ".NaN" | ".NAN" => return Err(format!("{text} is no number that JSON knows")),
        _ => number(text).map_or_else(|| Tree::Text(text.to_owned()), Tree::Number),
    })
}

fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let bare = text.replace('_', "");
    integer(&bare).or_else(|| decimal(&bare))
}

fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some(other) if other.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    // The standard library would take a second sign.
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let value = u64::from_str_radix(digits, radix).ok()?;
    if negative { 0_i64.checked_sub_unsigned(value).map(Number::from) } else { Some(Number::from(value)) }
}

fn decimal(text: &str) -> Option<Number> {
    let has_digit = text.contains(|c: char| c.is_ascii_digit());
    let is_form = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E'));
    let value: f64 = (has_digit && is_form).then(|| text.parse().ok())??;
    // `1e3` and `10.0` go over the wire as 1000 and 10.
    let is_whole = value.fract() == 0.0 && value.abs() < 9e15;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number far below 2^63")]
    if is_whole { Some(Number::from(value as i64)) } else { Number::from_f64(value) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn value(text: &str) -> Value {
        match resolve(text, ScalarStyle::Plain, None).unwrap() {
            Tree::Null => Value::Null,
            Tree::Bool(value) => json!(value),
            Tree::Number(number) => Value::Number(number),
            Tree::Text(text) => json!(text),
            tree => panic!("{tree:?}"),
        }
    }

    /// The expected values are those that `kubectl annotate --local -o json` of 1.36 prints.
    #[test]
    fn plain_scalars_are_what_kubectl_makes_of_them() {
        for (text, expected) in [
            ("y", json!(true)),
            ("yes", json!(true)),
            ("on", json!(true)),
            ("N", json!(false)),
            ("~", json!(null)),
            ("", json!(null)),
            ("0777", json!(511)),
            ("089", json!(89)),
            ("1_000", json!(1000)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("0b11", json!(3)),
            ("+12", json!(12)),
            ("-12", json!(-12)),
            ("1e3", json!(1000)),
            (".5", json!(0.5)),
            ("10.0", json!(10)),
            ("012345678901", json!(12_345_678_901_i64)),
            ("123456789012", json!(123_456_789_012_i64)),
            ("99999999999999999999", json!(1e20)),
            ("2024-01-01", json!("2024-01-01")),
            ("1:30", json!("1:30")),
            ("=", json!("=")),
            ("10.0.0.1", json!("10.0.0.1")),
            ("--1", json!("--1")),
            ("-", json!("-")),
            (".", json!(".")),
            ("0", json!(0)),
            ("true story", json!("true story")),
        ] {
            assert_eq!(value(text), expected, "{text:?}");
        }
    }

    #[test]
    fn quotes_and_tags_decide() {
        let text = |text, style, tag| resolve(text, style, tag).map(|tree| matches!(tree, Tree::Text(_)));
        assert_eq!(text("12", ScalarStyle::DoubleQuoted, None), Ok(true));
        assert_eq!(text("12", ScalarStyle::Plain, Some("str")), Ok(true));
        assert_eq!(text("12", ScalarStyle::DoubleQuoted, Some("int")), Ok(false));
        assert!(text("x", ScalarStyle::Plain, Some("int")).is_err());
        assert!(text(".inf", ScalarStyle::Plain, None).is_err());
    }
}
