//! The first reading of Astra begins with the first object that a watch tells of, not when all are told: at a start with
//! thousands of them it is there by the time that they are looked at.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
};

use kube::{ResourceExt, core::DeserializeGuard, runtime::watcher};
use tokio::{sync::oneshot, time::Instant};

use super::{Context, reconcile::is_paused};
use crate::{engine::Kind, resource::CredentialsRef};

/// Where an object's token is.
type Found = (String, CredentialsRef);

/// Waits for the first object.
#[derive(Debug)]
pub struct FirstReading(Mutex<Option<oneshot::Sender<Found>>>);

impl FirstReading {
    /// Something that waits, and the reading that it begins. A reading that fails fails again at the looks, which tell of it.
    pub fn new(context: &Context) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (found, first) = oneshot::channel();
        let credentials = context.credentials.clone();
        let reading = async move {
            let Ok((namespace, from)): Result<Found, _> = first.await else { return };
            if let Ok(organization) = credentials.organization(&namespace, &from).await {
                drop(organization.databases(Instant::now()).await);
            }
        };
        (Self(Mutex::new(Some(found))), reading)
    }

    /// A watch tells something.
    pub fn told<K: Kind>(&self, event: &watcher::Event<DeserializeGuard<K>>) {
        let watcher::Event::InitApply(DeserializeGuard(Ok(object))) = event else { return };
        if is_paused(object) || object.meta().deletion_timestamp.is_some() {
            return;
        }
        if let Some(first) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Who listens is gone only when the process is ending.
            let _ = first.send((object.namespace().unwrap_or_default(), object.common().credentials.clone()));
        }
    }
}
