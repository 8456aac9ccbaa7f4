//! Waiting for what shall become true, never for time to pass.

use std::{future::Future, time::Duration};

use astra_operator::{engine::Kind, status::Status};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{Api, ResourceExt, runtime::wait::await_condition};

/// Nothing here takes this long unless it is broken, also on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// Asks again and again until there is an answer.
pub(crate) async fn until<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    until_within(DEADLINE, what, ask).await
}

/// The same for what may take longer.
pub(crate) async fn until_within<T>(deadline: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask() {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within_time(deadline, what, asking).await
}

/// A future that must be done in time.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    within_time(DEADLINE, what, future).await
}

/// The same for what may take longer.
pub(crate) async fn within_time<T>(deadline: Duration, what: &str, future: impl Future<Output = T>) -> T {
    let Ok(done) = tokio::time::timeout(deadline, future).await else {
        panic!("{what}: did not happen within {} s", deadline.as_secs())
    };
    done
}

/// Watches an object until it is as `met` wants it.
pub(crate) async fn object<K: Kind>(
    api: &Api<K>,
    name: &str,
    what: &str,
    deadline: Duration,
    met: impl Fn(&K) -> bool + Send,
) -> K {
    let condition = |object: Option<&K>| object.is_some_and(&met);
    let waiting = Box::pin(await_condition(api.clone(), name, condition));
    within_time(deadline, &format!("{} {name} {what}", K::kind(&())), waiting).await.unwrap().unwrap()
}

/// Watches until the object is gone, or another one has its name.
pub(crate) async fn gone<K: Kind>(api: &Api<K>, object: &K) {
    let (uid, name) = (object.uid(), object.name_any());
    let condition = |found: Option<&K>| found.is_none_or(|found| found.uid() != uid);
    let waiting = Box::pin(await_condition(api.clone(), &name, condition));
    within(&format!("{} {name} to be gone", K::kind(&())), waiting).await.unwrap();
}

/// The status, when it is about the spec that the object has now.
pub(crate) fn current<K: Kind>(object: &K) -> Option<&Status<K::Details>> {
    object.status().filter(|status| status.observed_generation == object.meta().generation)
}

/// The condition of this type, if the object has it.
pub(crate) fn condition<'a, K: Kind>(object: &'a K, type_: &str) -> Option<&'a Condition> {
    object.status()?.conditions.iter().find(|condition| condition.type_ == type_)
}

/// Is it Ready for the spec that it has now?
pub(crate) fn is_ready<K: Kind>(object: &K) -> bool {
    current(object).is_some() && condition(object, "Ready").is_some_and(|ready| ready.status == "True")
}

/// Is it not Ready for the spec that it has now, for this reason?
pub(crate) fn is_not_ready<K: Kind>(object: &K, reason: &str) -> bool {
    current(object).is_some()
        && condition(object, "Ready").is_some_and(|ready| ready.status == "False" && ready.reason == reason)
}
