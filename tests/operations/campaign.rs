//! The operations on one field: every bad value as a change of a good object and as a new object, every good value fresh
//! and as a change, and back again each time.

use serde_json::{Value, json};

use crate::{
    fields::Field,
    scene::{Base, Place},
    subject::{Outcome, Sent, Subject},
    theatre::Theatre,
    values::{self, Values},
};

/// One field of one kind, tried on one base.
pub(crate) struct Track<'a> {
    pub(crate) kind: &'a str,
    pub(crate) base: &'a Base,
    pub(crate) field: &'a Field,
    pub(crate) values: Values,
}

/// A spec that works, and what Astra has for it when it is applied to a fresh database.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) spec: Value,
    pub(crate) astra: Value,
}

impl<'a> Track<'a> {
    /// All values of the field, on a base.
    pub(crate) fn new(kind: &'a str, base: &'a Base, field: &'a Field) -> Self {
        Self { kind, base, field, values: values::of(field, field.get(&base.spec)) }
    }

    /// How many databases it needs.
    pub(crate) fn needs(&self) -> usize {
        1 + self.values.valid.len() + self.values.either.len()
    }

    fn what(&self, value: &Value) -> String {
        let text: String = value.to_string().chars().take(120).collect();
        format!("{} {} = {text}", self.kind, self.field)
    }

    /// Carries it out. The states that worked, both fresh and by a change, are returned.
    pub(crate) async fn run(&self, theatre: &Theatre) -> Vec<State> {
        let subject = Subject::new(theatre, self.kind, theatre.places.fresh(self.base.cloud));
        match self.operate(&subject).await {
            Ok(states) => states,
            Err(what) => {
                let place = &subject.place.name;
                theatre.tally.violation(format!("{} {} on {place}: {what}", self.kind, self.field));
                Vec::new()
            }
        }
    }

    async fn operate(&self, subject: &Subject<'_>) -> Result<Vec<State>, String> {
        let good = made_ready(subject, &self.base.spec).await?;
        if self.field.get(&self.base.spec).is_some() {
            subject.theatre.tally.worked(format!("{} {}", self.kind, self.field));
        }
        self.bad_changes(subject, &good).await?;
        self.bad_objects(subject, &good).await?;
        let mut states = vec![State { spec: self.base.spec.clone(), astra: good.clone() }];
        let values = self.values.valid.iter().map(|value| (value, true));
        for (value, must_be_taken) in values.chain(self.values.either.iter().map(|value| (value, false))) {
            states.extend(self.good_value(subject, &good, value, must_be_taken).await?);
        }
        subject.delete().await?;
        Ok(states)
    }

    /// Bad values as changes: refused or told, nothing moves in Astra, and the good spec heals.
    async fn bad_changes(&self, subject: &Subject<'_>, good: &Value) -> Result<(), String> {
        let tally = &subject.theatre.tally;
        let mut before = subject.get().await?;
        for value in &self.values.invalid {
            let Some(spec) = self.field.set(&self.base.spec, value.clone()) else { continue };
            if let Sent::Accepted(generation) = subject.replace(&spec).await? {
                self.told(subject, value, generation).await?;
                unchanged(subject, &self.base.spec, good)
                    .map_err(|what| format!("{}: {what}", self.what(value)))?;
                heals(subject, &self.base.spec, good)
                    .await
                    .map_err(|what| format!("{}: {what}", self.what(value)))?;
                before = subject.get().await?;
            }
            tally.caught(format!("{} {}", self.kind, self.field));
        }
        if self.field.schema.type_.as_deref() == Some("object")
            && let Some(mut value) = self.field.get(&self.base.spec).cloned()
        {
            value["unknown"] = json!(1);
            let spec = self.field.set(&self.base.spec, value).ok_or("no place for an unknown field")?;
            if let Sent::Accepted(_) = subject.add_unknown(&spec).await? {
                tally.violation(format!("{} {}: an unknown field was taken", self.kind, self.field));
            }
        }
        // To the byte: spec, status, resource version.
        let after = subject.get().await?;
        if before != after {
            return Err(format!("refused changes changed the object from {before:?} to {after:?}"));
        }
        unchanged(subject, &self.base.spec, good)
    }

    /// Bad values in new objects.
    async fn bad_objects(&self, subject: &Subject<'_>, good: &Value) -> Result<(), String> {
        for value in &self.values.invalid {
            let Some(spec) = self.field.set(&self.base.spec, value.clone()) else { continue };
            let other = subject.sibling();
            if let Sent::Accepted(generation) = other.create(&spec).await? {
                self.told(&other, value, generation).await?;
                other.delete().await?;
            }
        }
        unchanged(subject, &self.base.spec, good)
    }

    /// A bad value was taken: then the conditions must tell, soon.
    async fn told(&self, subject: &Subject<'_>, value: &Value, generation: i64) -> Result<(), String> {
        let tally = &subject.theatre.tally;
        let (outcome, after) =
            subject.settled(generation).await.map_err(|what| format!("{}: {what}", self.what(value)))?;
        match outcome {
            Outcome::Ready => tally.violation(format!("{} is Ready", self.what(value))),
            Outcome::Told(..) => tally.reported(after),
        }
        Ok(())
    }

    /// A good value: fresh, as a change, and back.
    async fn good_value(
        &self,
        subject: &Subject<'_>,
        good: &Value,
        value: &Value,
        must_be_taken: bool,
    ) -> Result<Option<State>, String> {
        let at = |what: String| format!("{}: {what}", self.what(value));
        let tally = &subject.theatre.tally;
        let Some(spec) = self.field.set(&self.base.spec, value.clone()) else { return Ok(None) };
        let place = self.place_for(subject, value);
        let fresh = apply_fresh(subject, place, &spec).await.map_err(at)?;
        match &fresh {
            Fresh::Refused(why) if must_be_taken => tally.violation(at(format!("was refused: {why}"))),
            Fresh::Ready(_) => tally.worked(format!("{} {}", self.kind, self.field)),
            _ => {}
        }
        let Sent::Accepted(generation) = subject.replace(&spec).await.map_err(at)? else {
            unchanged(subject, &self.base.spec, good).map_err(at)?;
            return Ok(None);
        };
        let (outcome, _) = subject.settled(generation).await.map_err(at)?;
        let worked = same_as_fresh(subject, &spec, &outcome, &fresh).map_err(at)?;
        heals(subject, &self.base.spec, good).await.map_err(at)?;
        Ok(worked.then(|| State { spec, astra: fresh.astra() }))
    }

    /// A database that nobody has used; for a database's own name, the one that has it.
    fn place_for(&self, subject: &Subject<'_>, value: &Value) -> Place {
        let place = subject.theatre.places.fresh(self.base.cloud);
        match value.as_str() {
            Some(name) if self.field.to_string() == "spec.database.name" => {
                Place { name: name.to_owned(), ..place }
            }
            _ => place,
        }
    }
}

/// What came of a spec on a fresh database.
#[derive(Clone, Debug)]
pub(crate) enum Fresh {
    Refused(String),
    Ready(Value),
    #[expect(dead_code, reason = "shown when something is wrong")]
    Told(String),
}

impl Fresh {
    fn astra(self) -> Value {
        match self {
            Self::Ready(astra) => astra,
            Self::Refused(_) | Self::Told(_) => Value::Null,
        }
    }
}

/// Applies a spec to a database that nobody has used, and deletes the object again: what it owned must go with it, or,
/// with `Retain`, all must stay.
pub(crate) async fn apply_fresh(like: &Subject<'_>, place: Place, spec: &Value) -> Result<Fresh, String> {
    let subject = Subject::new(like.theatre, like.kind, place);
    let generation = match subject.create(spec).await? {
        Sent::Refused(why) => return Ok(Fresh::Refused(why)),
        Sent::Accepted(generation) => generation,
    };
    let (outcome, _) = subject.settled(generation).await?;
    let astra = crate::masked(subject.astra(), spec);
    let retained = subject.get().await?.data["spec"]["deletionPolicy"] == "Retain";
    subject.delete().await?;
    let left = subject.astra();
    if retained && crate::masked(left.clone(), spec) != astra {
        return Err(format!("deleted with Retain, and Astra changed from {astra} to {left}"));
    }
    if !retained && !crate::remote::is_empty(&left) {
        return Err(format!("deleted with Delete, and there is left {left}"));
    }
    Ok(match outcome {
        Outcome::Ready => {
            subject.theatre.tally.ready();
            Fresh::Ready(astra)
        }
        Outcome::Told(reason, _) => Fresh::Told(reason),
    })
}

/// Makes an object that must become Ready. What Astra has then.
pub(crate) async fn made_ready(subject: &Subject<'_>, spec: &Value) -> Result<Value, String> {
    let generation = match subject.create(spec).await? {
        Sent::Refused(why) => return Err(format!("the base was refused: {why}")),
        Sent::Accepted(generation) => generation,
    };
    match subject.settled(generation).await?.0 {
        Outcome::Ready => Ok(crate::masked(subject.astra(), spec)),
        Outcome::Told(reason, why) => Err(format!("the base is {reason}: {why}")),
    }
}

/// Path independence: by a change to it, a spec ends as it does on a fresh database. Whether it worked in both is told.
pub(crate) fn same_as_fresh(
    subject: &Subject<'_>,
    spec: &Value,
    outcome: &Outcome,
    fresh: &Fresh,
) -> Result<bool, String> {
    match (outcome, fresh) {
        (Outcome::Ready, Fresh::Ready(expected)) => {
            subject.theatre.tally.ready();
            subject.theatre.tally.compared();
            let found = crate::masked(subject.astra(), spec);
            if found == *expected {
                Ok(true)
            } else {
                Err(format!("by a change Astra has {found}, and fresh {expected}"))
            }
        }
        // What Astra said no to when it was new, it may take now: an endpoint that it knows already, say.
        (_, Fresh::Told(_)) => Ok(false),
        (outcome, fresh) => Err(format!("by a change it is {outcome:?}, and fresh {fresh:?}")),
    }
}

/// Brings the object back to a good spec: it must be Ready, and Astra as it was.
pub(crate) async fn heals(subject: &Subject<'_>, spec: &Value, good: &Value) -> Result<(), String> {
    let Sent::Accepted(generation) = subject.replace(spec).await? else {
        return Err("the good spec was refused".to_owned());
    };
    subject.theatre.tally.rolled_back();
    match subject.settled(generation).await?.0 {
        Outcome::Ready => {
            let found = crate::masked(subject.astra(), spec);
            if found == *good {
                Ok(())
            } else {
                Err(format!("rolled back, Astra has {found} and not {good}"))
            }
        }
        Outcome::Told(reason, why) => Err(format!("rolled back, it is {reason}: {why}")),
    }
}

/// Astra is as it was when this spec was the object's.
pub(crate) fn unchanged(subject: &Subject<'_>, spec: &Value, before: &Value) -> Result<(), String> {
    let found = crate::masked(subject.astra(), spec);
    if found == *before {
        Ok(())
    } else {
        Err(format!("a change that was refused changed Astra from {before} to {found}"))
    }
}
