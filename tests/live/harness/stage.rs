//! A stage for one test: a namespace, a simulator, an operator, and what a test does there.

use std::{env, fmt::Debug, fs, path::PathBuf, thread, time::Duration};

use astra_operator::{
    engine::Kind,
    kinds::{AstraAccessList, AstraPrivateEndpoint, AstraVpcPeering},
};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    astra::{Astra, line},
    cluster::{Cluster, cluster},
    operator::{Operator, Replica},
    wait::{self, DEADLINE, until},
};

/// The field manager of the tests' own applies.
const MANAGER: &str = "live-test";

/// Everything that one test has to itself. When the test fails, dropping it tells what is known.
pub(crate) struct Stage {
    pub(crate) cluster: &'static Cluster,
    pub(crate) client: Client,
    pub(crate) namespace: String,
    pub(crate) astra: Astra,
    /// How long objects may take to be as they shall.
    pub(crate) deadline: Duration,
    operator: Option<Operator>,
    directory: TempDir,
}

impl Stage {
    /// A stage with the Secret `astra-credentials`, and without an operator.
    pub(crate) async fn empty() -> Self {
        Self::with_astra(&[]).await
    }

    /// The same with flags for the simulator.
    pub(crate) async fn with_astra(flags: &[&str]) -> Self {
        Self::on(cluster(), flags).await
    }

    /// The same on another cluster.
    pub(crate) async fn on(cluster: &'static Cluster, flags: &[&str]) -> Self {
        let client = cluster.client().await;
        let namespace = make_namespace(&client).await;
        let astra = Astra::start(cluster, flags);
        let directory = tempfile::tempdir().unwrap();
        let stage = Self { cluster, client, namespace, astra, deadline: DEADLINE, operator: None, directory };
        stage.put_token("astra-credentials", &stage.astra.token()).await;
        stage
    }

    /// The same with an operator that looks at everything once a second.
    pub(crate) async fn new() -> Self {
        let mut stage = Self::empty().await;
        stage.start(&[]);
        stage
    }

    /// The same with other flags for the operator.
    pub(crate) async fn with_operator(flags: &[&str]) -> Self {
        let mut stage = Self::empty().await;
        stage.start(flags);
        stage
    }

    /// Starts the operator.
    pub(crate) fn start(&mut self, flags: &[&str]) {
        assert!(self.operator.is_none(), "an operator is running already");
        let directory = output().unwrap_or_else(|| self.directory.path().to_owned());
        self.operator =
            Some(Operator::start(self.cluster, &self.namespace, &self.astra.url, &directory, flags));
    }

    /// Starts the operator with the operator's own rights, another way to Astra, and without a lease: one that cannot
    /// renew its lease ends, and here is tested what the same process makes of a fault.
    pub(crate) fn start_alone(&mut self, url: &str) {
        assert!(self.operator.is_none(), "an operator is running already");
        let directory = output().unwrap_or_else(|| self.directory.path().to_owned());
        let replica = Replica {
            kubeconfig: &self.cluster.operators_kubeconfig,
            namespace: &self.namespace,
            lease: "none",
            url,
            directory: &directory,
            flags: &["--leader-elect=false", "--log", "info,astra_operator=debug"],
        };
        self.operator = Some(Operator::replica(self.cluster, replica));
    }

    /// The operator that is running.
    pub(crate) fn operator(&self) -> &Operator {
        self.operator.as_ref().expect("an operator is running")
    }

    /// Takes the operator out, to end it one way or the other.
    pub(crate) fn take_operator(&mut self) -> Operator {
        self.operator.take().expect("an operator is running")
    }

    /// What the operator logged.
    pub(crate) fn log(&self) -> String {
        self.operator.as_ref().map(Operator::log).unwrap_or_default()
    }

    /// The objects of a kind.
    pub(crate) fn api<K: Kind>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Applies an object, as kubectl does.
    pub(crate) async fn apply<K: Kind>(&self, name: &str, spec: Value) -> K {
        self.try_apply(name, spec).await.unwrap_or_else(|error| panic!("{name} was refused: {error}"))
    }

    /// As [`Self::apply`], for what may be refused.
    pub(crate) async fn try_apply<K: Kind>(&self, name: &str, spec: Value) -> kube::Result<K> {
        let body = json!({
            "apiVersion": K::api_version(&()),
            "kind": K::kind(&()),
            "metadata": { "name": name },
            "spec": spec,
        });
        let params = PatchParams::apply(MANAGER).force();
        self.api::<K>().patch(name, &params, &Patch::Apply(body)).await
    }

    /// Applies an object and waits until it is Ready.
    pub(crate) async fn apply_ready<K: Kind>(&self, name: &str, spec: Value) -> K {
        self.apply::<K>(name, spec).await;
        self.ready(name).await
    }

    /// Sets an annotation, or with `null` takes it away.
    pub(crate) async fn annotate<K: Kind>(&self, name: &str, annotation: &str, value: impl Into<Value>) -> K {
        let patch = json!({ "metadata": { "annotations": { annotation: value.into() } } });
        self.api::<K>().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap()
    }

    /// The object as it is now.
    pub(crate) async fn get<K: Kind>(&self, name: &str) -> K {
        self.api::<K>().get(name).await.unwrap()
    }

    /// Asks for deletion, and does not wait.
    pub(crate) async fn delete<K: Kind>(&self, name: &str) -> K {
        let object = self.get::<K>(name).await;
        self.api::<K>().delete(name, &DeleteParams::default()).await.unwrap();
        object
    }

    /// Deletes, and waits until the object is gone.
    pub(crate) async fn delete_and_wait<K: Kind>(&self, name: &str) {
        let object = self.delete::<K>(name).await;
        wait::gone(&self.api::<K>(), &object).await;
    }

    /// Waits until the object is as `met` wants it.
    pub(crate) async fn object<K: Kind>(&self, name: &str, what: &str, met: impl Fn(&K) -> bool + Send) -> K {
        wait::object(&self.api::<K>(), name, what, self.deadline, met).await
    }

    /// Waits until the object is Ready for the spec that it has.
    pub(crate) async fn ready<K: Kind>(&self, name: &str) -> K {
        self.object(name, "to be Ready", wait::is_ready).await
    }

    /// Waits until what was sent for the object was seen: what changes before that cannot be told from a read that lags.
    pub(crate) async fn settled<K: Kind>(&self, name: &str) -> K {
        let met = |object: &K| wait::is_ready(object) && object.status().unwrap().in_flight.is_none();
        self.object(name, "to be settled", met).await
    }

    /// Waits until the object is Stalled for the spec that it has, and checks that this is told as kstatus reads it.
    pub(crate) async fn stalled<K: Kind>(&self, name: &str, reason: &str) -> K {
        let object = self.not_ready(name, reason).await;
        assert_eq!(abnormal(&object), ["Stalled"], "{reason} needs a person");
        object
    }

    /// The same for what goes away by waiting.
    pub(crate) async fn reconciling<K: Kind>(&self, name: &str, reason: &str) -> K {
        let object = self.not_ready(name, reason).await;
        assert_eq!(abnormal(&object), ["Reconciling"], "{reason} goes away by itself");
        object
    }

    async fn not_ready<K: Kind>(&self, name: &str, reason: &str) -> K {
        let what = format!("not to be Ready because of {reason}");
        self.object(name, &what, |object| wait::is_not_ready(object, reason)).await
    }

    /// Writes a token into a Secret.
    pub(crate) async fn put_token(&self, secret: &str, token: &str) {
        self.put_secret(secret, json!({ "token": token })).await;
    }

    /// Makes a Secret exactly this.
    pub(crate) async fn put_secret(&self, name: &str, data: Value) {
        let body = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "stringData": data,
        });
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        let _ = secrets.delete(name, &DeleteParams::default()).await;
        secrets.patch(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(body)).await.unwrap();
    }

    /// Waits until the operator has looked at Astra twice more, each time anew.
    pub(crate) async fn two_looks(&self) {
        let before = self.looks();
        until("two more looks at Astra", || (self.looks() >= before + 2).then_some(())).await;
    }

    /// How often the databases were listed: every look of any object needs a list that is fresh.
    pub(crate) fn looks(&self) -> usize {
        self.astra.reads("/v2/databases")
    }

    /// Proves that nothing is sent: two more looks, and no write among all that was asked meanwhile.
    pub(crate) async fn assert_quiet(&self) {
        let before = self.astra.writes();
        self.two_looks().await;
        let after = self.astra.writes();
        assert_eq!(after[before.len()..], [] as [String; 0], "nothing was to be sent");
    }

    /// The events on an object, as `REASON NOTE`, in the order of their making.
    pub(crate) fn events(&self, name: &str) -> Vec<String> {
        let selector = format!("--field-selector=regarding.name={name}");
        let text = self.cluster.kubectl(&[
            "get",
            "events.events.k8s.io",
            "-n",
            &self.namespace,
            &selector,
            "--sort-by=.metadata.creationTimestamp",
            "-o",
            r#"jsonpath={range .items[*]}{.reason}{" "}{.note}{"\n"}{end}"#,
        ]);
        text.lines().map(ToOwned::to_owned).collect()
    }

    fn tell(&self) {
        let mut said = self.cluster.kubectl_command(&["-n", &self.namespace, "get", "astra", "-o", "yaml"]);
        print_output("the objects", said.output());
        let events = ["-n", &self.namespace, "get", "events", "--sort-by=.metadata.creationTimestamp"];
        print_output("their events", self.cluster.kubectl_command(&events).output());
        let log = self.log();
        let lines: Vec<&str> = log.lines().filter(|line| !line.contains("TRACE")).collect();
        println!("--- the end of the operator's log\n{}", lines[lines.len().saturating_sub(40)..].join("\n"));
        println!("--- what was sent to Astra");
        let requests = self.astra.requests();
        for request in &requests[requests.len().saturating_sub(60)..] {
            println!("{} {} -> {:?}", request.time, line(request), request.status);
        }
    }

    /// What must be true of every test: the operator lives, keeps the token to itself, and never risks a whole list.
    fn check(&mut self) {
        if let Some(operator) = &mut self.operator {
            operator.assert_running();
        }
        let token = astra_simulator::state::ACME_TOKEN;
        assert!(!self.log().contains(token), "the token is in the operator's log");
        let requests = self.astra.requests();
        if let Some(output) = output() {
            let journal = output.join(format!("{}-requests.json", self.namespace));
            fs::write(journal, serde_json::to_vec_pretty(&requests).unwrap()).unwrap();
        }
        for request in requests {
            let on_list = request.method == "DELETE" && request.path.ends_with("/access-list");
            let bounded = request.query.strip_prefix("addresses=").is_some_and(|address| !address.is_empty());
            assert!(!on_list || bounded, "could be read as the whole list: {}", line(&request));
        }
    }
}

/// Where what is put out is kept until `cargo xtask test` has looked for tokens in it.
fn output() -> Option<PathBuf> {
    env::var_os("ASTRA_TEST_OUTPUT").map(PathBuf::from)
}

impl Drop for Stage {
    fn drop(&mut self) {
        if thread::panicking() {
            self.tell();
        } else {
            self.check();
        }
    }
}

impl Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

/// Named after the test, so that what a failed one left can be found.
async fn make_namespace(client: &Client) -> String {
    let test = thread::current().name().unwrap_or("live").replace("::", "-").replace('_', "-");
    let test = test.chars().take(50).collect::<String>();
    let namespace: Namespace = serde_json::from_value(json!({
        "metadata": { "generateName": format!("{test}-"), "labels": { "astra.datastax.com/live-test": "true" } },
    }))
    .unwrap();
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces.create(&PostParams::default(), &namespace).await.unwrap().name_any()
}

/// Which of the conditions that kstatus looks for the object has. Never both, and only while True.
fn abnormal<K: Kind>(object: &K) -> Vec<&str> {
    let conditions = object.status().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let abnormal =
        conditions.iter().filter(|condition| ["Reconciling", "Stalled"].contains(&&*condition.type_));
    abnormal.inspect(|condition| assert_eq!(condition.status, "True")).map(|c| c.type_.as_str()).collect()
}

fn print_output(title: &str, output: std::io::Result<std::process::Output>) {
    match output {
        Ok(output) => println!("--- {title}\n{}", String::from_utf8_lossy(&output.stdout)),
        Err(error) => println!("--- {title}: {error}"),
    }
}

/// Short names for the kinds.
pub(crate) type AccessList = AstraAccessList;
/// Short names for the kinds.
pub(crate) type PrivateEndpoint = AstraPrivateEndpoint;
/// Short names for the kinds.
pub(crate) type VpcPeering = AstraVpcPeering;
