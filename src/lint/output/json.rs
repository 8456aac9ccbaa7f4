//! For scripts. A field that goes or changes its meaning is another `version`; fields may be added.

use serde_json::{Value, json};

use crate::{
    lint::{Advice, Report, Severity},
    manifest::Location,
};

const VERSION: u32 = 1;

pub(super) fn document(report: &Report) -> Value {
    json!({
        "version": VERSION,
        "findings": report.advice.iter().map(finding).collect::<Vec<_>>(),
        "summary": {
            "objects": report.objects,
            "skipped": report.skipped,
            "silenced": report.silenced,
            "errors": report.count(Severity::Error),
            "warnings": report.count(Severity::Warning),
            "notes": report.count(Severity::Note),
        },
    })
}

fn finding(advice: &Advice) -> Value {
    let related = advice.related.as_ref().map(|(at, object)| {
        let mut related = place(at);
        related["object"] = json!(object);
        related
    });
    let mut finding = place(&advice.location);
    for (name, value) in [
        ("id", json!(advice.rule.id)),
        ("name", json!(advice.rule.name)),
        ("severity", json!(advice.rule.severity.as_str())),
        ("object", json!(advice.object)),
        ("field", json!(advice.field)),
        ("message", json!(advice.message)),
        ("related", json!(related)),
    ] {
        finding[name] = value;
    }
    finding
}

fn place(location: &Location) -> Value {
    json!({ "file": location.file.as_ref(), "line": location.line, "column": location.column })
}
