//! How many calls were held back because Astra is down: asked for at each scrape.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter},
};

use super::locked;

type Count = Box<dyn Fn() -> u64 + Send + Sync>;

/// Whoever knows it.
#[derive(Clone, Default)]
pub(super) struct HeldBack(Arc<Mutex<Option<Count>>>);

impl HeldBack {
    pub(super) fn ask(&self, count: impl Fn() -> u64 + Send + Sync + 'static) {
        *locked(&self.0) = Some(Box::new(count));
    }
}

impl fmt::Debug for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldBack").finish_non_exhaustive()
    }
}

impl Collector for HeldBack {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let count = locked(&self.0).as_ref().map_or(0, |count| count());
        let help =
            "Calls to the Astra DevOps API that were not sent because it had failed several times in a row";
        let counter = ConstCounter::new(count);
        counter.encode(encoder.encode_descriptor(
            "devops_calls_held_back",
            help,
            None,
            MetricType::Counter,
        )?)
    }
}
