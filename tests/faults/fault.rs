//! The kinds of faults, as data: made from what can be wrong, not listed one by one.

use std::time::Duration;

use astra_devops::error::Sent;

use crate::change::{Change, FIELDS};

/// One kind of fault.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) name: String,
    pub(crate) effect: Effect,
    /// How long the whole token has to be silent after it, at the least.
    pub(crate) silence: Duration,
    /// Could nobody tell it from the truth? Then it strikes once only: what Astra says twice, and of two of its lists,
    /// is what it has, as far as anybody can know.
    pub(crate) lie: bool,
}

/// What happens to the call.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// This is answered; the call is carried out before, or never.
    Says { status: u16, retry_after: Option<Wish>, body: &'static str, applied: bool },
    /// Nothing is answered.
    Lost { sent: Sent, applied: Applied },
    /// The true answer, after this long.
    Late(Duration),
    /// The true answer, changed.
    Changed(Change),
    /// What was answered before the last change.
    Stale,
    /// Of a list that is sent, only the first entry is taken; and success is answered.
    FirstTaken,
}

/// What a `Retry-After` header says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wish {
    Text(&'static str),
    /// The HTTP date that is so many seconds away when it is said. By the real clock, which is the one that the header is
    /// read by.
    DateIn(i64),
}

impl Wish {
    pub(crate) fn text(self) -> String {
        match self {
            Self::Text(text) => text.to_owned(),
            Self::DateIn(seconds) => {
                let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
                at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
            }
        }
    }
}

/// When a call whose answer is lost is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    Never,
    Before,
    /// So long after the caller gave up.
    After(Duration),
}

const ERRORS: &str = r#"{"errors":[{"ID":2000029,"message":"not today"}]}"#;
const TEXT: &str = r#""not today""#;
const PAGE: &str =
    "<!DOCTYPE html><html><head><title>Bad Gateway</title></head><body><h1>nginx</h1></body></html>";

const BODIES: [(&str, &str); 6] = [
    ("errors", ERRORS),
    ("text", TEXT),
    ("null", "null"),
    ("a page", PAGE),
    ("nothing", ""),
    ("half", r#"{"errors":[{"ID":2000"#),
];

/// How long a call is waited for before its connection is given up, as over HTTPS.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// All kinds.
pub(crate) fn table() -> Vec<Fault> {
    let mut table = Vec::new();
    statuses(&mut table);
    successes(&mut table);
    waits(&mut table);
    transport(&mut table);
    changes(&mut table);
    table
}

fn fault(name: String, effect: Effect) -> Fault {
    Fault { name, effect, silence: Duration::ZERO, lie: false }
}

/// Each status with each shape of a body; those that may come from a proxy also after the work was done.
fn statuses(table: &mut Vec<Fault>) {
    for status in [301, 302, 307, 308, 400, 401, 403, 404, 408, 409, 422, 425, 500, 501, 502, 503, 504, 520] {
        for (shape, body) in BODIES {
            let ambiguous = !(400..500).contains(&status) || status == 408;
            for applied in [false, true] {
                if applied && !ambiguous {
                    continue;
                }
                let name = format!("{status} with {shape}{}", if applied { ", and it was done" } else { "" });
                let lie = status == 404 && matches!(shape, "errors" | "text" | "null");
                let effect = Effect::Says { status, retry_after: None, body, applied };
                table.push(Fault { lie, ..fault(name, effect) });
            }
        }
    }
}

/// A success that is none, or one that says something else than it should.
fn successes(table: &mut Vec<Fault>) {
    let bodies = [("[]", "[]"), ("{}", "{}"), ("a number", "42"), ("a list of nulls", "[null]")];
    for status in [200, 204] {
        for (shape, body) in BODIES.into_iter().chain(bodies) {
            let effect = Effect::Says { status, retry_after: None, body, applied: false };
            // "There is nothing" is a true answer of some lists.
            let lie = matches!(shape, "null" | "[]" | "{}");
            table
                .push(Fault { lie, ..fault(format!("{status} with {shape}, and nothing was done"), effect) });
        }
    }
}

/// Throttling and maintenance, with each way to say for how long.
fn waits(table: &mut Vec<Fault>) {
    let hour = 3600;
    let wishes = [
        ("nothing", None, 0),
        ("0", Some(Wish::Text("0")), 0),
        ("1", Some(Wish::Text("1")), 1),
        ("2", Some(Wish::Text("2")), 2),
        ("30", Some(Wish::Text("30")), 30),
        ("300", Some(Wish::Text("300")), 300),
        ("86400", Some(Wish::Text("86400")), hour),
        ("a date soon", Some(Wish::DateIn(90)), 60),
        ("a date long ago", Some(Wish::DateIn(-90)), 0),
        ("a date in years", Some(Wish::Text("Tue, 31 Dec 2999 23:59:59 GMT")), hour),
        ("garbage", Some(Wish::Text("soon")), 0),
        ("a negative number", Some(Wish::Text("-5")), 0),
        ("a fraction", Some(Wish::Text("1.5")), 0),
        ("more digits than a number has", Some(Wish::Text("99999999999999999999999")), hour),
    ];
    for status in [429, 503] {
        for (shape, retry_after, silence) in &wishes {
            for (what, body) in [("text", TEXT), ("a page", PAGE)] {
                let effect = Effect::Says { status, retry_after: *retry_after, body, applied: false };
                let name = format!("{status} with {what}, Retry-After: {shape}");
                table.push(Fault { silence: Duration::from_secs(*silence), ..fault(name, effect) });
            }
        }
    }
}

fn transport(table: &mut Vec<Fault>) {
    let secs = Duration::from_secs;
    for (name, sent, applied) in [
        ("no connection", Sent::No, Applied::Never),
        ("reset before it was read", Sent::Maybe, Applied::Never),
        ("reset after it was done", Sent::Maybe, Applied::Before),
        ("given up, and done a second later", Sent::Maybe, Applied::After(secs(1))),
        ("given up, and done ten seconds later", Sent::Maybe, Applied::After(secs(10))),
    ] {
        table.push(fault(name.into(), Effect::Lost { sent, applied }));
    }
    for late in [1, 5, 19] {
        table.push(fault(format!("answered after {late} s"), Effect::Late(secs(late))));
    }
}

fn changes(table: &mut Vec<Fault>) {
    let whole = [
        Change::Truncated,
        Change::InvalidUtf8,
        Change::ByteOrderMark,
        Change::AsString,
        Change::Wrapped,
        Change::UnknownFields,
        Change::NullLists,
        Change::EmptyLists,
        Change::FirstOfLists,
        Change::DuplicateEntries,
        Change::OtherOrder,
        Change::ShortDescriptions,
        Change::ControlCharacters,
    ];
    let fields = FIELDS
        .into_iter()
        .flat_map(|field| [Change::Without(field), Change::OtherType(field), Change::Null(field)]);
    for change in whole.into_iter().chain(fields) {
        let lie = change.is_a_lie();
        table.push(Fault { lie, ..fault(format!("{change:?}"), Effect::Changed(change)) });
    }
    table.push(Fault { lie: true, ..fault("a stale read".into(), Effect::Stale) });
    table.push(fault("only the first of several is taken".into(), Effect::FirstTaken));
}
