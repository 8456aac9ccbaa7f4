//! A sequence of requests, as data.

use serde_json::{Value, json};

/// One sequence. It runs in namespaces of its own: `{ns}`, and `{ns2}` if it names that.
pub(crate) struct Sequence {
    pub(crate) name: &'static str,
    pub(crate) steps: Vec<Step>,
}

impl Sequence {
    /// Whether it has a watch, which ends when its time is over and not when all has been told.
    pub(crate) fn watches(&self) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Send(request) | Step::Open(_, request) => request.path.contains("watch=true"),
            Step::Finish(_) | Step::Until(..) | Step::Pass => false,
        })
    }
}

/// One step. In paths, bodies and headers `{ns}` is the namespace, and `${saved.path.to.field}` what an earlier answer had
/// there; a string in a body that is nothing but that becomes the value itself.
pub(crate) enum Step {
    /// A request, and its answer.
    Send(Request),
    /// A watch is opened, and read up to its end by [`Step::Finish`].
    Open(&'static str, Request),
    Finish(&'static str),
    /// Until this path is answered with this code: some things take a moment on a real cluster.
    Until(&'static str, u16),
    /// Time passes: more than a second, so that a timestamp that changes is seen to change.
    Pass,
}

/// A request.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) content: Option<&'static str>,
    pub(crate) accept: Option<&'static str>,
    pub(crate) body: Option<Body>,
    pub(crate) save: Option<&'static str>,
    /// By somebody who may not do this: the verb, and the plural.
    pub(crate) forbidden: Option<(&'static str, &'static str)>,
}

#[derive(Clone)]
pub(crate) enum Body {
    Json(Value),
    Raw(&'static str),
}

pub(crate) const MERGE: &str = "application/merge-patch+json";
pub(crate) const JSON: &str = "application/json-patch+json";
pub(crate) const APPLY: &str = "application/apply-patch+yaml";
pub(crate) const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
pub(crate) const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// The access lists of the namespace.
pub(crate) const LISTS: &str = "/apis/astra.datastax.com/v1beta1/namespaces/{ns}/astraaccesslists";
/// The access lists of all namespaces.
pub(crate) const ALL: &str = "/apis/astra.datastax.com/v1beta1/astraaccesslists";

impl Request {
    fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            content: None,
            accept: None,
            body: None,
            save: None,
            forbidden: None,
        }
    }

    fn with(mut self, content: &'static str, body: Value) -> Self {
        self.content = Some(content);
        self.body = Some(Body::Json(body));
        self
    }

    /// The answer is needed later.
    pub(crate) fn save(mut self, name: &'static str) -> Self {
        self.save = Some(name);
        self
    }

    pub(crate) fn accept(mut self, accept: &'static str) -> Self {
        self.accept = Some(accept);
        self
    }

    pub(crate) fn by_nobody(mut self, verb: &'static str, plural: &'static str) -> Self {
        self.forbidden = Some((verb, plural));
        self
    }

    pub(crate) fn raw(mut self, content: &'static str, body: &'static str) -> Self {
        self.content = Some(content);
        self.body = Some(Body::Raw(body));
        self
    }
}

impl From<Request> for Step {
    fn from(request: Request) -> Self {
        Self::Send(request)
    }
}

pub(crate) fn sequence(name: &'static str, steps: Vec<Step>) -> Sequence {
    Sequence { name, steps }
}

/// Steps from requests and steps.
macro_rules! steps {
    ($($step:expr),* $(,)?) => { vec![$($crate::sequence::Step::from($step)),*] };
}
pub(crate) use steps;

pub(crate) fn get(path: impl Into<String>) -> Request {
    Request::new("GET", path)
}

pub(crate) fn post(path: impl Into<String>, body: Value) -> Request {
    Request::new("POST", path).with("application/json", body)
}

pub(crate) fn put(path: impl Into<String>, body: Value) -> Request {
    Request::new("PUT", path).with("application/json", body)
}

pub(crate) fn merge(path: impl Into<String>, body: Value) -> Request {
    Request::new("PATCH", path).with(MERGE, body)
}

pub(crate) fn json_patch(path: impl Into<String>, body: Value) -> Request {
    Request::new("PATCH", path).with(JSON, body)
}

/// A forced apply by a manager.
pub(crate) fn apply(path: &str, manager: &str, body: Value) -> Request {
    Request::new("PATCH", format!("{path}?fieldManager={manager}&force=true")).with(APPLY, body)
}

/// An apply that takes nothing from others.
pub(crate) fn gentle_apply(path: &str, manager: &str, body: Value) -> Request {
    Request::new("PATCH", format!("{path}?fieldManager={manager}")).with(APPLY, body)
}

pub(crate) fn delete(path: impl Into<String>) -> Request {
    Request::new("DELETE", path)
}

pub(crate) fn delete_with(path: impl Into<String>, options: Value) -> Request {
    Request::new("DELETE", path).with("application/json", options)
}

/// A watch that ends after a second: what there is to tell by then, it tells.
pub(crate) fn watch(path: &str, query: &str) -> Request {
    get(format!("{path}?watch=true&timeoutSeconds=1&{query}"))
}

/// The path of one access list.
pub(crate) fn one(name: &str) -> String {
    format!("{LISTS}/{name}")
}

/// An access list.
pub(crate) fn list(name: &str) -> Value {
    json!({
        "apiVersion": "astra.datastax.com/v1beta1",
        "kind": "AstraAccessList",
        "metadata": { "name": name },
        "spec": {
            "database": { "name": "orders" },
            "publicAccess": "Listed",
            "addresses": [{ "address": "203.0.113.7" }],
        },
    })
}

/// The same with other metadata.
pub(crate) fn list_with(metadata: Value) -> Value {
    let mut object = list("");
    object["metadata"] = metadata;
    object
}

/// What is applied to a status.
#[expect(clippy::needless_pass_by_value, reason = "it is written where it is used")]
pub(crate) fn status(status: Value) -> Value {
    json!({ "apiVersion": "astra.datastax.com/v1beta1", "kind": "AstraAccessList", "status": status })
}
