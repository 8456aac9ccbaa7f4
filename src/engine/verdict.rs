//! From how a look ended to what is said about it: conditions, the next look, the warning. Pure; once for all kinds.

use std::time::Duration;

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};

use super::{
    KindCondition, Problem, Reason,
    backoff::{after_failure, after_passing_failure, jittered},
    outcome::{Driven, Outcome},
    timing::Timing,
};
use crate::{status::Status, text::printable};

/// A Ready object stays Ready through this many failures of Astra in a row: conditions must not flap.
const PATIENCE: u32 = 3;

/// How long the watch takes to bring the object as it is now.
const STALE: Duration = Duration::from_millis(250);

/// The pause after the `looks`th look in a row (from 1) at an object that had changed meanwhile. It grows: a watch that
/// lags behind is not caught up with by asking more often.
#[must_use]
pub fn after_stale(looks: u32) -> Duration {
    STALE.saturating_mul(1 << looks.saturating_sub(1).min(6))
}

/// The longest pause between two looks at something that is awaited.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What is said about a look.
#[derive(Debug, PartialEq)]
pub struct Verdict<D> {
    /// The status to be written, if it differs from the one that is there.
    pub status: Status<D>,
    /// When to look again.
    pub next: Duration,
    /// What a person should be told by an event: only what was not said before.
    pub warning: Option<Problem>,
    /// The object may go: its finalizer is to be taken away.
    pub clean: Option<String>,
}

/// What the verdict is about.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// The generation that was looked at.
    pub generation: i64,
    /// Failures in a row, this one included.
    pub failures: u32,
    /// Stale looks in a row, this one included.
    pub stale: u32,
    /// Waits in a row, this one included.
    pub waits: u32,
    /// In 0..=1.
    pub jitter: f64,
    /// The time for transitions.
    pub now: Timestamp,
    /// Times.
    pub timing: Timing,
}

/// Judges a look. `before` is the status that the object has.
#[must_use]
pub fn verdict<D: Clone>(driven: Driven<D>, before: &Status<D>, at: Circumstances) -> Verdict<D> {
    let Driven { mut status, outcome, conditions, notice: _ } = driven;
    let next = next_look(&outcome, at);
    let said = match outcome {
        Outcome::Done(summary) => Said { ready: true, problem: Problem::new(Reason::UpToDate, summary) },
        // What was said stays as it was announced until the next look; what an answer told is kept.
        // Nor is anything said of an object that is not the one any more that was looked at.
        Outcome::Sent | Outcome::Stale(_) | Outcome::Later(..) => {
            status.conditions.clone_from(&before.conditions);
            return Verdict { status, next, warning: None, clean: None };
        }
        Outcome::Clean(what) => {
            return Verdict { status, next, warning: None, clean: Some(what) };
        }
        Outcome::Waiting(problem) | Outcome::Blocked(problem) | Outcome::Failed(problem, _) => {
            if stays_ready(&problem, before, at) {
                status.conditions.clone_from(&before.conditions);
                status.observed_generation = before.observed_generation;
                return Verdict { status, next, warning: None, clean: None };
            }
            Said { ready: false, problem }
        }
    };
    let warning =
        (!said.ready && said.problem.reason.needs_a_person() && !already_said(&said.problem, before))
            .then(|| said.problem.clone());
    status.conditions = conditions_of(&said, conditions, before, at);
    status.observed_generation = Some(at.generation);
    Verdict { status, next, warning, clean: None }
}

struct Said {
    ready: bool,
    problem: Problem,
}

/// A passing trouble of Astra is not shown at once on an object that was Ready for this very generation.
fn stays_ready<D>(problem: &Problem, before: &Status<D>, at: Circumstances) -> bool {
    problem.reason.is_passing()
        && at.failures <= PATIENCE
        && before.observed_generation == Some(at.generation)
        && find(&before.conditions, "Ready").is_some_and(|ready| ready.status == "True")
}

fn already_said<D>(problem: &Problem, before: &Status<D>) -> bool {
    find(&before.conditions, "Ready").is_some_and(|ready| {
        ready.reason == problem.reason.to_string() && ready.message == shortened(&problem.message)
    })
}

/// `Ready` always; `Reconciling` or `Stalled` only while True, never both, as kstatus reads them; then the kind's own.
fn conditions_of<D>(
    said: &Said,
    own: Option<Vec<KindCondition>>,
    before: &Status<D>,
    at: Circumstances,
) -> Vec<Condition> {
    let reason = said.problem.reason.to_string();
    let message = words(&said.problem, before, at);
    let mut list = vec![("Ready".to_owned(), said.ready, reason.clone(), message.clone())];
    if !said.ready {
        let type_ = if said.problem.reason.needs_a_person() { "Stalled" } else { "Reconciling" };
        list.push((type_.to_owned(), true, reason, message));
    }
    if let Some(own) = own {
        list.extend(
            own.into_iter().map(|c| (c.type_.to_owned(), c.met, c.reason.to_owned(), shortened(&c.message))),
        );
        return list.into_iter().map(|c| condition(c, &before.conditions, at)).collect();
    }
    // Astra could not be looked at: the kind's own conditions stay as they were.
    let general = ["Ready", "Reconciling", "Stalled", PAUSED];
    let kept =
        before.conditions.iter().filter(|condition| !general.contains(&condition.type_.as_str())).cloned();
    let said: Vec<Condition> = list.into_iter().map(|c| condition(c, &before.conditions, at)).collect();
    said.into_iter().chain(kept).collect()
}

/// What is said of a problem. While Astra is down it is what was said first: an outage fails in many ways, and each change
/// of words would be a write for each of thousands of objects.
fn words<D>(problem: &Problem, before: &Status<D>, at: Circumstances) -> String {
    let lasts = |ready: &&Condition| {
        problem.reason == Reason::AstraUnavailable
            && ready.status == "False"
            && ready.reason == problem.reason.to_string()
            && ready.observed_generation == Some(at.generation)
    };
    let said = find(&before.conditions, "Ready").filter(lasts);
    said.map_or_else(|| shortened(&problem.message), |ready| ready.message.clone())
}

fn condition(
    (type_, met, reason, message): (String, bool, String, String),
    before: &[Condition],
    at: Circumstances,
) -> Condition {
    let status = if met { "True" } else { "False" };
    let unchanged = find(before, &type_).filter(|old| old.status == status);
    Condition {
        last_transition_time: unchanged.map_or(Time(at.now), |old| old.last_transition_time.clone()),
        status: status.to_owned(),
        observed_generation: Some(at.generation),
        type_,
        reason,
        message,
    }
}

/// The type of the condition of a paused object.
pub const PAUSED: &str = "Paused";

/// The status of an object that is paused: all as it was, and a condition that says so. The observed generation does
/// not move, so that a change made meanwhile reads as not applied.
#[must_use]
pub fn paused<D: Clone>(before: &Status<D>, generation: i64, now: Timestamp) -> Status<D> {
    let mut status = before.clone();
    let message =
        "nothing is sent to Astra for this object until its annotation astra.datastax.com/paused is removed";
    let since = find(&before.conditions, PAUSED).map_or(Time(now), |old| old.last_transition_time.clone());
    status.conditions.retain(|condition| condition.type_ != PAUSED);
    status.conditions.push(Condition {
        type_: PAUSED.to_owned(),
        status: "True".to_owned(),
        reason: "PausedByAnnotation".to_owned(),
        message: message.to_owned(),
        observed_generation: Some(generation),
        last_transition_time: since,
    });
    status
}

/// The status without the word on a pause.
#[must_use]
pub fn without_pause<D: Clone>(status: &Status<D>) -> Status<D> {
    let mut status = status.clone();
    status.conditions.retain(|condition| condition.type_ != PAUSED);
    status
}

fn next_look(outcome: &Outcome, at: Circumstances) -> Duration {
    let resync = jittered(at.timing.resync, at.jitter);
    match outcome {
        Outcome::Done(_) => resync,
        Outcome::Sent => at.timing.pause,
        Outcome::Clean(_) => Duration::ZERO,
        Outcome::Waiting(_) => after_failure(at.waits, at.jitter).min(at.timing.resync).min(LONGEST_WAIT),
        // A missing Secret is found within a minute, whatever the resync.
        Outcome::Blocked(_) => resync.min(jittered(Duration::from_secs(54), at.jitter)),
        Outcome::Failed(problem, wish) => {
            let backoff = if problem.reason.is_passing() { after_passing_failure } else { after_failure };
            let pause = backoff(at.failures, at.jitter).max(wish.unwrap_or_default());
            if problem.reason.needs_a_person() {
                pause.max(resync.min(Duration::from_mins(1)))
            } else {
                pause
            }
        }
        Outcome::Stale(_) => after_stale(at.stale),
        Outcome::Later(wait, _) => *wait,
    }
}

/// The condition of this type.
#[must_use]
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// Messages are for people, and bounded: remote text must not grow a status without end, nor send anything but text to
/// the terminal that shows it.
fn shortened(message: &str) -> String {
    const LONGEST: usize = 1000;
    let message = &*printable(message);
    match message.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Facts = Status<()>;

    const GENERATION: i64 = 3;

    fn at(failures: u32) -> Circumstances {
        let now = Timestamp::from_second(2_000).unwrap();
        Circumstances {
            generation: GENERATION,
            failures,
            stale: 1,
            waits: 1,
            jitter: 0.5,
            now,
            timing: Timing::default(),
        }
    }

    fn driven(outcome: Outcome) -> Driven<()> {
        Driven { status: Facts::default(), outcome, conditions: Some(Vec::new()), notice: None }
    }

    fn problem(reason: Reason) -> Problem {
        Problem::new(reason, "what is wrong")
    }

    /// The status of an object that became Ready a while ago.
    fn ready() -> Facts {
        let long_ago = Circumstances { now: Timestamp::from_second(1_000).unwrap(), ..at(0) };
        verdict(driven(Outcome::Done("all is there".into())), &Facts::default(), long_ago).status
    }

    /// The conditions as `Type=Status(Reason)`.
    fn said(status: &Facts) -> String {
        let conditions = status.conditions.iter();
        conditions.map(|c| format!("{}={}({})", c.type_, c.status, c.reason)).collect::<Vec<_>>().join(" ")
    }

    const REASONS: &[Reason] = &[
        Reason::UpToDate,
        Reason::InvalidSpec,
        Reason::SecretNotFound,
        Reason::SecretKeyNotFound,
        Reason::TokenInvalid,
        Reason::TokenRefused,
        Reason::PermissionDenied,
        Reason::DatabaseNotFound,
        Reason::DatabaseAmbiguous,
        Reason::DatabaseTerminated,
        Reason::DatabaseParked,
        Reason::DatabaseNotReady,
        Reason::Conflict,
        Reason::WaitingForPeer,
        Reason::ChangeRefused,
        Reason::KubernetesUnavailable,
        Reason::AstraUnavailable,
        Reason::RateLimited,
        Reason::WaitingForAstra,
        Reason::EndpointRejected,
        Reason::EndpointPending,
        Reason::PeeringPending,
        Reason::PeeringFailed,
        Reason::Deleting,
    ];

    #[test]
    fn a_message_is_bounded_and_nothing_but_text() {
        let hostile = Problem::new(Reason::Conflict, "a\n\u{1b}[31mb\u{202e}".repeat(500));
        let status = verdict(driven(Outcome::Blocked(hostile)), &Facts::default(), at(1)).status;
        for condition in &status.conditions {
            let message = &condition.message;
            assert!(message.starts_with(r"a\n\u{1b}[31mb\u{202e}a\n"), "{message}");
            assert_eq!(message.chars().count(), 1001);
            assert!(!message.contains(crate::text::is_unprintable), "{message:?}");
        }
    }

    #[test]
    fn while_astra_is_down_the_words_stay_and_a_new_trouble_or_generation_has_its_own() {
        let failed = |reason, words: &str| driven(Outcome::Failed(Problem::new(reason, words), None));
        let ready = |status: &Facts| find(&status.conditions, "Ready").unwrap().message.clone();
        let mut status = Facts::default();
        for (reason, words, generation, expected) in [
            (Reason::AstraUnavailable, "503", 3, "503"),
            (Reason::AstraUnavailable, "cannot connect", 3, "503"),
            (Reason::AstraUnavailable, "no answer in time", 4, "no answer in time"),
            (Reason::RateLimited, "429", 4, "429"),
            (Reason::RateLimited, "429 again", 4, "429 again"),
            (Reason::AstraUnavailable, "504", 4, "504"),
        ] {
            status = verdict(failed(reason, words), &status, Circumstances { generation, ..at(9) }).status;
            assert_eq!(ready(&status), expected);
            let reconciling = find(&status.conditions, "Reconciling").unwrap();
            assert_eq!(reconciling.message, expected);
        }
    }

    #[test]
    fn each_outcome_is_told_as_kstatus_reads_it() {
        for (outcome, expected) in [
            (Outcome::Done("all is there".into()), "Ready=True(UpToDate)"),
            (
                Outcome::Waiting(problem(Reason::DatabaseNotReady)),
                "Ready=False(DatabaseNotReady) Reconciling=True(DatabaseNotReady)",
            ),
            (Outcome::Blocked(problem(Reason::Conflict)), "Ready=False(Conflict) Stalled=True(Conflict)"),
            (
                Outcome::Failed(problem(Reason::AstraUnavailable), None),
                "Ready=False(AstraUnavailable) Reconciling=True(AstraUnavailable)",
            ),
            (
                Outcome::Failed(problem(Reason::TokenRefused), None),
                "Ready=False(TokenRefused) Stalled=True(TokenRefused)",
            ),
        ] {
            let verdict = verdict(driven(outcome), &Facts::default(), at(1));
            assert_eq!(said(&verdict.status), expected);
            assert_eq!(verdict.status.observed_generation, Some(GENERATION));
            assert_eq!(verdict.clean, None);
        }
        let clean = verdict(driven(Outcome::Clean("nothing is left".into())), &ready(), at(0));
        assert_eq!(clean.clean.as_deref(), Some("nothing is left"));
    }

    #[test]
    fn never_stalled_and_reconciling_together() {
        for reason in REASONS {
            for outcome in [
                Outcome::Waiting(problem(*reason)),
                Outcome::Blocked(problem(*reason)),
                Outcome::Failed(problem(*reason), None),
            ] {
                // From every state that the object may have been in before.
                let stalled =
                    verdict(driven(Outcome::Blocked(problem(Reason::Conflict))), &ready(), at(1)).status;
                let waiting =
                    verdict(driven(Outcome::Waiting(problem(Reason::Deleting))), &ready(), at(1)).status;
                for before in [Facts::default(), ready(), stalled, waiting] {
                    let shown = format!("{outcome:?} after {}", said(&before));
                    let outcome = match &outcome {
                        Outcome::Waiting(problem) => Outcome::Waiting(problem.clone()),
                        Outcome::Blocked(problem) => Outcome::Blocked(problem.clone()),
                        _ => Outcome::Failed(problem(*reason), None),
                    };
                    let status = verdict(driven(outcome), &before, at(9)).status;
                    let (is_stalled, is_reconciling) = (
                        find(&status.conditions, "Stalled").is_some(),
                        find(&status.conditions, "Reconciling").is_some(),
                    );
                    assert!(is_stalled != is_reconciling, "{shown}: {}", said(&status));
                    assert_eq!(is_stalled, reason.needs_a_person(), "{shown}");
                    assert!(status.conditions.iter().skip(1).all(|c| c.status == "True"), "{shown}");
                }
            }
        }
    }

    #[test]
    fn ready_is_kept_through_three_passing_failures_of_one_generation() {
        let passing = || Outcome::Failed(problem(Reason::AstraUnavailable), None);
        for (failures, expected) in [(1, "True"), (3, "True"), (4, "False")] {
            let verdict = verdict(driven(passing()), &ready(), at(failures));
            assert_eq!(verdict.status.conditions[0].status, expected, "after {failures}");
        }
        let newer = Circumstances { generation: GENERATION + 1, ..at(1) };
        assert_eq!(verdict(driven(passing()), &ready(), newer).status.conditions[0].status, "False");
        let refused = Outcome::Failed(problem(Reason::TokenRefused), None);
        assert_eq!(verdict(driven(refused), &ready(), at(1)).status.conditions[0].status, "False");
    }

    #[test]
    fn a_condition_that_does_not_turn_keeps_its_time_and_the_same_facts_the_same_bytes() {
        let again = verdict(driven(Outcome::Done("all is there".into())), &ready(), at(0)).status;
        assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&ready()).unwrap());
        let other = verdict(driven(Outcome::Done("other words".into())), &ready(), at(0)).status;
        assert_eq!(other.conditions[0].last_transition_time, ready().conditions[0].last_transition_time);
        let turned = verdict(driven(Outcome::Blocked(problem(Reason::Conflict))), &ready(), at(0)).status;
        assert_eq!(turned.conditions[0].last_transition_time, Time(at(0).now));
    }

    #[test]
    fn a_person_is_warned_once() {
        let blocked = || driven(Outcome::Blocked(problem(Reason::Conflict)));
        let first = verdict(blocked(), &ready(), at(0));
        assert_eq!(first.warning, Some(problem(Reason::Conflict)));
        assert_eq!(verdict(blocked(), &first.status, at(0)).warning, None);
        let waiting = driven(Outcome::Waiting(problem(Reason::DatabaseNotReady)));
        assert_eq!(verdict(waiting, &ready(), at(0)).warning, None);
    }

    #[test]
    fn the_kinds_own_conditions_stay_when_astra_could_not_be_looked_at() {
        let own = || {
            let message = "the service name is known".to_owned();
            Some(vec![KindCondition { type_: "ServiceReady", met: true, reason: "Available", message }])
        };
        let done = Driven { conditions: own(), ..driven(Outcome::Done("all is there".into())) };
        let before = verdict(done, &Facts::default(), at(0)).status;
        assert_eq!(said(&before), "Ready=True(UpToDate) ServiceReady=True(Available)");
        let unseen =
            Driven { conditions: None, ..driven(Outcome::Failed(problem(Reason::TokenRefused), None)) };
        let after = verdict(unseen, &before, at(1)).status;
        assert_eq!(
            said(&after),
            "Ready=False(TokenRefused) Stalled=True(TokenRefused) ServiceReady=True(Available)"
        );
    }

    #[test]
    fn a_pause_is_a_condition_of_its_own_and_leaves_all_else() {
        let now = Timestamp::from_second(3_000).unwrap();
        let status = paused(&ready(), GENERATION + 1, now);
        assert_eq!(said(&status), "Ready=True(UpToDate) Paused=True(PausedByAnnotation)");
        assert_eq!(status.observed_generation, Some(GENERATION), "what was not looked at is not observed");
        let later = paused(&status, GENERATION + 1, Timestamp::from_second(4_000).unwrap());
        assert_eq!(later, status);
        let after = verdict(driven(Outcome::Done("all is there".into())), &status, at(0)).status;
        assert_eq!(said(&after), "Ready=True(UpToDate)", "the pause is over");
        let blind =
            Driven { conditions: None, ..driven(Outcome::Failed(problem(Reason::TokenRefused), None)) };
        assert_eq!(
            said(&verdict(blind, &status, at(1)).status),
            "Ready=False(TokenRefused) Stalled=True(TokenRefused)"
        );
    }

    #[test]
    fn the_next_look_comes_when_it_makes_sense() {
        let secs =
            |outcome, circumstances| verdict::<()>(driven(outcome), &ready(), circumstances).next.as_secs();
        let slow = Circumstances {
            timing: Timing { resync: Duration::from_mins(30), ..Timing::default() },
            ..at(1)
        };
        let failed =
            |reason, wish: Option<u64>| Outcome::Failed(problem(reason), wish.map(Duration::from_secs));
        assert_eq!(secs(Outcome::Done(String::new()), at(0)), 60);
        assert_eq!(secs(Outcome::Done(String::new()), slow), 1_800);
        assert!(secs(Outcome::Blocked(problem(Reason::SecretNotFound)), slow) <= 60);
        assert!(
            secs(Outcome::Waiting(problem(Reason::PeeringPending)), Circumstances { waits: 99, ..slow })
                <= 30
        );
        assert!(secs(failed(Reason::RateLimited, Some(100)), at(1)) >= 100, "Retry-After is obeyed");
        assert!(secs(failed(Reason::AstraUnavailable, None), at(1)) <= 1);
        assert!(secs(failed(Reason::AstraUnavailable, None), at(99)) <= 30);
        assert!(secs(failed(Reason::ChangeRefused, None), at(99)) >= 150);
        assert!(secs(failed(Reason::TokenRefused, None), at(1)) >= 54);
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let long = Problem::new(Reason::Conflict, "é".repeat(2_000));
        let status = verdict(driven(Outcome::Blocked(long)), &Facts::default(), at(0)).status;
        assert_eq!(status.conditions[0].message.chars().count(), 1_001);
    }
}
