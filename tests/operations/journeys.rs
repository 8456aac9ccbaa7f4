//! Paths through states: each ordered pair of a sample, and random walks. Wherever a path leads to, Astra must be as if
//! the last spec had been the first.

use fastrand::Rng;
use serde_json::Value;

use crate::{
    campaign::{Fresh, State, apply_fresh, heals, made_ready, same_as_fresh, unchanged},
    fields::Field,
    scene::Base,
    subject::{Sent, Subject},
    theatre::Theatre,
    values,
};

/// States of the sample: all ordered pairs of them are tried.
const SAMPLE: usize = 6;

/// Steps of a random walk.
const STEPS: usize = 10;

/// One base of a kind, and all that can be changed on it.
pub(crate) struct Family<'a> {
    pub(crate) kind: &'a str,
    pub(crate) base: &'a Base,
    pub(crate) fields: Vec<&'a Field>,
}

/// How many databases a random walk needs.
pub(crate) const NEEDS: usize = STEPS + 1;

impl Family<'_> {
    /// All ordered pairs of a sample of states, each of which was reached from the base before.
    pub(crate) async fn pairs(&self, theatre: &Theatre, states: &[State]) {
        let subject = Subject::new(theatre, self.kind, theatre.places.fresh(self.base.cloud));
        if let Err(what) = self.try_pairs(&subject, &sample(states)).await {
            theatre.tally.violation(format!("{} {}, pairs: {what}", self.kind, self.base.name));
        }
    }

    async fn try_pairs(&self, subject: &Subject<'_>, states: &[&State]) -> Result<(), String> {
        made_ready(subject, &self.base.spec).await?;
        for (from, to) in tour(states.len()) {
            let (from, to) = (states[from], states[to]);
            heals(subject, &to.spec, &to.astra)
                .await
                .map_err(|what| format!("from {} to {}: {what}", short(&from.spec), short(&to.spec)))?;
        }
        subject.delete().await
    }

    /// A random walk: each step changes one field or two of the base to anything, good or bad.
    pub(crate) async fn walk(&self, theatre: &Theatre, seed: u64) {
        let subject = Subject::new(theatre, self.kind, theatre.places.fresh(self.base.cloud));
        if let Err(what) = self.try_walk(&subject, seed).await {
            theatre.tally.violation(format!("{} {}, walk {seed}: {what}", self.kind, self.base.name));
        }
    }

    async fn try_walk(&self, subject: &Subject<'_>, seed: u64) -> Result<(), String> {
        let mut dice = Rng::with_seed(seed);
        let mut astra = made_ready(subject, &self.base.spec).await?;
        let mut way = vec![self.base.spec.clone()];
        for _ in 0..STEPS {
            let spec = self.anywhere(&mut dice);
            let at = |what: String| {
                format!("{what}, on the way {}", way.iter().map(short).collect::<Vec<_>>().join(" → "))
            };
            let place = subject.theatre.places.fresh(self.base.cloud);
            let fresh = apply_fresh(subject, place, &spec).await.map_err(at)?;
            match subject.replace(&spec).await.map_err(at)? {
                // What may not be, or may not be any more, leaves all as it is.
                Sent::Refused(_) => unchanged(subject, way.last().unwrap(), &astra).map_err(at)?,
                Sent::Accepted(generation) => {
                    let (outcome, _) = subject.settled(generation).await.map_err(at)?;
                    if let Fresh::Refused(why) = &fresh {
                        return Err(at(format!(
                            "a new object is refused ({why}), and a change is {outcome:?}"
                        )));
                    }
                    same_as_fresh(subject, &spec, &outcome, &fresh).map_err(at)?;
                    astra = crate::masked(subject.astra(), &spec);
                    way.push(spec);
                }
            }
        }
        // Whatever came before, the base heals it, and then nothing is left when the object goes.
        let place = subject.theatre.places.fresh(self.base.cloud);
        if let Fresh::Ready(expected) = apply_fresh(subject, place, &self.base.spec).await? {
            heals(subject, &self.base.spec, &expected).await?;
        }
        subject.delete().await
    }

    /// The base with one field or two changed.
    fn anywhere(&self, dice: &mut Rng) -> Value {
        let mut spec = self.base.spec.clone();
        for _ in 0..dice.usize(1..=2) {
            let field = self.fields[dice.usize(..self.fields.len())];
            let mut values = values::of(field, field.get(&spec));
            let mut all = std::mem::take(&mut values.valid);
            all.append(&mut values.either);
            if dice.usize(..5) == 0 {
                all = values.invalid;
            }
            if all.is_empty() {
                continue;
            }
            let value = all.swap_remove(dice.usize(..all.len()));
            spec = field.set(&spec, value).unwrap_or(spec);
        }
        spec
    }
}

/// The first states of a sample, without one that is there already.
fn sample(states: &[State]) -> Vec<&State> {
    let mut sample: Vec<&State> = Vec::new();
    // From all fields alike.
    let step = (states.len() / SAMPLE).max(1);
    for state in states.iter().step_by(step) {
        if sample.len() < SAMPLE && sample.iter().all(|known| known.spec != state.spec) {
            sample.push(state);
        }
    }
    sample
}

/// A way through all ordered pairs of `n` states, each once, that begins with the first.
fn tour(n: usize) -> Vec<(usize, usize)> {
    let mut left: Vec<Vec<usize>> = (0..n).map(|from| (0..n).filter(|to| *to != from).collect()).collect();
    // Hierholzer: each state has as many ways in as out, so there is a way through all.
    let (mut stack, mut way) = (vec![0], Vec::new());
    while let Some(&at) = stack.last() {
        match left.get_mut(at).and_then(Vec::pop) {
            Some(next) => stack.push(next),
            None => way.extend(stack.pop()),
        }
    }
    way.reverse();
    way.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

fn short(spec: &Value) -> String {
    let mut fields = spec.clone();
    if let Some(fields) = fields.as_object_mut() {
        fields.remove("database");
    }
    let text = fields.to_string();
    if text.chars().count() > 300 { text.chars().take(300).chain(['…']).collect() } else { text }
}

#[test]
fn a_tour_goes_through_each_ordered_pair_once() {
    for n in 0..8 {
        let tour = tour(n);
        let mut seen = std::collections::BTreeSet::new();
        assert!(tour.iter().all(|pair| pair.0 != pair.1 && seen.insert(*pair)), "{tour:?}");
        assert_eq!(tour.len(), n * n.saturating_sub(1));
        assert!(tour.windows(2).all(|two| two[0].1 == two[1].0), "{tour:?}");
    }
}
