//! Whether and when a call is sent again.

use std::time::Duration;

use astra_devops::{
    Answer, Call, Error, Method,
    call::Repeat::{self, Safe, Unsafe},
    error::{Class, Sent},
    retry::{ATTEMPTS, LONGEST_SILENCE, PATIENCE, SILENCE, pause, silence},
    transport::TransportError,
};
use proptest::prelude::*;

fn call() -> Call {
    Call::new(Method::Post, &["v2"], "p")
}

fn refused(status: u16, retry_after: Option<Duration>) -> Error {
    Error::refused(&call(), &Answer { retry_after, ..Answer::empty(status) })
}

fn unreachable(sent: Sent) -> Error {
    let source = TransportError { what: "w".into(), sent, source: None };
    Error::Unreachable { call: call().to_string(), sent, source }
}

fn unreadable() -> Error {
    let source = serde_json::from_str::<u8>("x").unwrap_err();
    Error::Unreadable { call: call().to_string(), status: 200, start: "x".into(), source }
}

fn silenced(wait: Duration) -> Error {
    Error::Silenced { call: call().to_string(), wait }
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Name, error, whether it may be repeated, attempt, jitter, and the pause that is due.
type Case = (&'static str, Error, Repeat, u32, f64, Option<Duration>);

#[test]
fn the_pause_follows_from_the_failure() {
    let secs = Duration::from_secs;
    #[rustfmt::skip]
    let cases: &[Case] = &[
        ("a 5xx of a safe call", refused(500, None), Safe, 1, 0.0, Some(ms(250))),
        ("the pause doubles", refused(500, None), Safe, 2, 0.0, Some(ms(500))),
        ("and ends", refused(500, None), Safe, 3, 0.0, None),
        ("jitter stretches it by half", refused(500, None), Safe, 1, 1.0, Some(ms(375))),
        ("jitter out of range is clamped", refused(500, None), Safe, 1, 9.0, Some(ms(375))),
        ("jitter that is no number is none", refused(500, None), Safe, 1, f64::NAN, Some(ms(250))),
        ("an attempt before the first", refused(500, None), Safe, 0, 0.0, Some(ms(250))),
        ("a 5xx may have done the work", refused(500, None), Unsafe, 1, 0.0, None),
        ("a redirect may have done the work", refused(303, None), Unsafe, 1, 0.0, None),
        ("a 408 may have done the work", refused(408, None), Unsafe, 1, 0.0, None),
        ("a 408 of a safe call", refused(408, None), Safe, 1, 0.0, Some(ms(250))),
        ("no connection did nothing", unreachable(Sent::No), Unsafe, 1, 0.0, Some(ms(250))),
        ("who may not write now is not helped by trying again", unreachable(Sent::HeldBack), Safe, 1, 0.0, None),
        ("a reset may have done the work", unreachable(Sent::Maybe), Unsafe, 1, 0.0, None),
        ("a reset of a safe call", unreachable(Sent::Maybe), Safe, 1, 0.0, Some(ms(250))),
        ("an unreadable answer to an unsafe call", unreadable(), Unsafe, 1, 0.0, None),
        ("a 429 did nothing", refused(429, None), Unsafe, 1, 0.0, Some(ms(250))),
        ("a wish is kept", refused(429, Some(secs(2))), Unsafe, 1, 1.0, Some(secs(2))),
        ("the longest wish that is waited out", refused(429, Some(PATIENCE)), Safe, 1, 0.0, Some(PATIENCE)),
        ("a longer one is not", refused(429, Some(PATIENCE + ms(1))), Safe, 1, 0.0, None),
        ("a wish with a 503", refused(503, Some(secs(1))), Safe, 1, 0.0, Some(secs(1))),
        ("a wish of zero", refused(503, Some(Duration::ZERO)), Safe, 1, 0.0, Some(ms(250))),
        ("the largest wish", refused(503, Some(Duration::MAX)), Safe, 1, 0.0, None),
        ("a refusal", refused(400, None), Safe, 1, 0.0, None),
        ("a refused token", refused(401, None), Safe, 1, 0.0, None),
        ("not found", refused(404, None), Safe, 1, 0.0, None),
        ("a conflict", refused(409, None), Safe, 1, 0.0, None),
        ("silenced", silenced(ms(1)), Safe, 1, 0.0, None),
    ];
    for (name, error, repeat, attempt, jitter, expected) in cases {
        assert_eq!(pause(error, *repeat, *attempt, *jitter), *expected, "{name}");
    }
}

#[test]
fn the_token_is_silent_when_asked() {
    let minute = Duration::from_mins(1);
    let cases = [
        ("a 429 with a wish", refused(429, Some(minute)), Some(minute)),
        ("a 429 without one", refused(429, None), Some(SILENCE)),
        ("a 503 with a wish", refused(503, Some(minute)), Some(minute)),
        ("a 503 without one", refused(503, None), None),
        ("a day", refused(429, Some(Duration::from_hours(24))), Some(LONGEST_SILENCE)),
        ("for ever", refused(429, Some(Duration::MAX)), Some(LONGEST_SILENCE)),
        ("another refusal", refused(400, Some(minute)), None),
        ("silenced already", silenced(minute), None),
        ("no answer", unreachable(Sent::Maybe), None),
    ];
    for (name, error, expected) in cases {
        assert_eq!(silence(&error), expected, "{name}");
    }
}

fn any_error() -> impl Strategy<Value = Error> {
    let wish = proptest::option::of((0_u64..100_000).prop_map(ms));
    prop_oneof![
        (300_u16..600, wish).prop_map(|(status, wish)| refused(status, wish)),
        any::<bool>().prop_map(|no| unreachable(if no { Sent::No } else { Sent::Maybe })),
        Just(()).prop_map(|()| unreadable()),
        (0_u64..100_000).prop_map(|wait| silenced(ms(wait))),
    ]
}

proptest! {
    #[test]
    fn a_repeat_is_bounded_harmless_and_never_early(
        error in any_error(), safe in any::<bool>(), attempt in any::<u32>(), jitter in any::<f64>(),
    ) {
        let repeat = if safe { Safe } else { Unsafe };
        if let Some(pause) = pause(&error, repeat, attempt, jitter) {
            prop_assert!(attempt < ATTEMPTS);
            prop_assert!(safe || !error.may_have_taken_effect());
            prop_assert!(pause >= error.retry_after().unwrap_or_default());
            prop_assert!(pause <= PATIENCE);
            prop_assert!(matches!(error.class(), Class::Throttled | Class::Transient));
        }
    }
}
