//! One object that is operated on: what is sent to the API server, and what comes of it.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use kube::{
    Api, ResourceExt,
    api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use crate::{
    scene::Place,
    theatre::{Theatre, resource},
};

/// An object, on a database that no other object of its kind is about.
pub(crate) struct Subject<'a> {
    pub(crate) theatre: &'a Theatre,
    pub(crate) kind: &'a str,
    pub(crate) name: String,
    pub(crate) place: Place,
    api: Api<DynamicObject>,
}

/// What the API server said to a change.
#[derive(Debug)]
pub(crate) enum Sent {
    /// No, and why.
    Refused(String),
    /// Yes: the object's generation is now this.
    Accepted(i64),
}

/// What the operator said to it in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ready,
    /// It cannot be so, and the conditions tell why: the reason, and the message.
    Told(String, String),
}

impl<'a> Subject<'a> {
    /// An object that is not there yet.
    pub(crate) fn new(theatre: &'a Theatre, kind: &'a str, place: Place) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let namespace = &theatre.namespaces[n % theatre.namespaces.len()];
        let api = Api::namespaced_with(theatre.client.clone(), namespace, &resource(kind));
        Self { theatre, kind, name: format!("o{n}"), place, api }
    }

    /// Another object that is not there yet, in the same namespace.
    pub(crate) fn sibling(&self) -> Subject<'a> {
        let place = self.place.clone();
        Subject { api: self.api.clone(), ..Subject::new(self.theatre, self.kind, place) }
    }

    /// Makes the object.
    pub(crate) async fn create(&self, spec: &Value) -> Result<Sent, String> {
        let object: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "astra.datastax.com/v1beta1",
            "kind": self.kind,
            "metadata": { "name": self.name, "labels": self.theatre.labels() },
            "spec": self.place.fill(spec),
        }))
        .unwrap();
        self.theatre.tally.operation("create");
        self.sent(self.api.create(&PostParams::default(), &object).await)
    }

    /// Gives the object this spec, whole.
    pub(crate) async fn replace(&self, spec: &Value) -> Result<Sent, String> {
        self.theatre.tally.operation("update");
        loop {
            let mut object = self.get().await?;
            object.data = json!({ "spec": self.place.fill(spec) });
            match self.api.replace(&self.name, &PostParams::default(), &object).await {
                // The operator wrote its status in between.
                Err(kube::Error::Api(status)) if status.is_conflict() => {}
                result => return self.sent(result),
            }
        }
    }

    /// Adds to the spec what its schema does not know, as `kubectl apply` does: strictly.
    pub(crate) async fn add_unknown(&self, spec: &Value) -> Result<Sent, String> {
        self.theatre.tally.operation("update");
        let params = PatchParams::default().validation_strict();
        let patch = json!({ "spec": self.place.fill(spec) });
        self.sent(self.api.patch(&self.name, &params, &Patch::Merge(patch)).await)
    }

    /// Deletes the object, and waits until it is gone.
    pub(crate) async fn delete(&self) -> Result<(), String> {
        self.theatre.tally.operation("delete");
        match self.api.delete(&self.name, &DeleteParams::default()).await {
            Ok(_) => self.theatre.until(self.kind, &self.name, |object| object.is_none().then_some(())).await,
            Err(error) => Err(error.to_string()),
        }
    }

    /// The object as it is now.
    pub(crate) async fn get(&self) -> Result<DynamicObject, String> {
        let mut object = self.api.get(&self.name).await.map_err(|error| error.to_string())?;
        object.managed_fields_mut().clear();
        Ok(object)
    }

    fn sent(&self, result: kube::Result<DynamicObject>) -> Result<Sent, String> {
        match result {
            Ok(object) => Ok(Sent::Accepted(object.metadata.generation.unwrap_or_default())),
            Err(kube::Error::Api(status)) if (400..500).contains(&status.code) && !status.is_conflict() => {
                self.theatre.tally.refused();
                Ok(Sent::Refused(status.message))
            }
            Err(error) => Err(format!("the API server neither takes nor refuses it: {error}")),
        }
    }

    /// Waits until the operator has said its last word on a generation. How long it took until it first said anything of
    /// it comes along.
    pub(crate) async fn settled(&self, generation: i64) -> Result<(Outcome, Duration), String> {
        let start = Instant::now();
        let of_it = |object: Option<&DynamicObject>| {
            let status = &object?.data["status"];
            (status["observedGeneration"].as_i64()? >= generation).then_some(())
        };
        self.theatre.until(self.kind, &self.name, of_it).await?;
        let first = start.elapsed();
        let outcome =
            self.theatre.until(self.kind, &self.name, |object| last_word(object?, generation)).await?;
        Ok((outcome, first))
    }

    /// What Astra has, at the object's place and of its kind, without what differs between any two databases. What is
    /// empty is as if it were not there.
    pub(crate) fn astra(&self) -> Value {
        crate::remote::read(&self.theatre.astra, self.kind, &self.place)
    }
}

/// The last word on a generation: Ready with nothing under way, or a reason that waiting does not change. No fault was
/// planted here, so that what Astra does not do once, it never does.
fn last_word(object: &DynamicObject, generation: i64) -> Option<Outcome> {
    let status = &object.data["status"];
    if status["observedGeneration"].as_i64()? < generation {
        return None;
    }
    let find = |type_: &str| status["conditions"].as_array()?.iter().find(|found| found["type"] == type_);
    let ready = find("Ready")?;
    if find("Stalled").is_some() || ready["reason"] == "AstraUnavailable" {
        let text = |field: &str| ready[field].as_str().unwrap_or_default().to_owned();
        return Some(Outcome::Told(text("reason"), text("message")));
    }
    (ready["status"] == "True" && status["inFlight"].is_null()).then_some(Outcome::Ready)
}
