//! The table that the real API server was asked about: the same is accepted and refused here, at the same fields.

use astra_operator::manifest::{Finding, read_text};

use crate::{
    access_list, common, private_endpoint,
    table::{self, Row, Verdict},
    vpc_peering,
};

#[test]
fn the_check_judges_as_the_api_server_does() {
    let rows = [common::rows(), access_list::rows(), private_endpoint::rows(), vpc_peering::rows()].concat();
    let mut wrong = Vec::new();
    let mut judged = 0;
    // What cannot be changed only shows beside the object that is there.
    for row in rows.iter().filter(|row| row.old.is_none()) {
        let text = serde_json::to_string_pretty(&table::object(row.kind, &row.spec)).unwrap();
        let errors = read_text("row.json", &text, "default").errors;
        let said = |field: &str, end: &str| {
            errors.iter().any(|error: &Finding| error.field == field && error.message.ends_with(end))
        };
        let right = match row.verdict {
            Verdict::Accepted => errors.is_empty(),
            Verdict::Rule(field, message) => said(field, message),
            // The API server has words of its own for what a schema refuses.
            Verdict::Schema(field, _) => said(field, ""),
        };
        judged += 1;
        if !right {
            wrong.push(differs(row, &errors));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(judged > 80, "only {judged} rows");
}

fn differs(row: &Row, errors: &[Finding]) -> String {
    let found: Vec<String> = errors.iter().map(ToString::to_string).collect();
    format!("{} {:?}: expected {:?}, found {found:#?}", row.kind, row.name, row.verdict)
}
