//! How many objects stand how: counted at each scrape, from what the watches know.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
};

use super::locked;

/// What a condition of an object says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
pub struct Standing {
    /// The object's namespace.
    pub namespace: String,
    /// The condition's type.
    pub condition: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Its reason.
    pub reason: String,
}

/// Of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    kind: &'static str,
    #[prometheus(flatten)]
    standing: Standing,
}

/// Who knows the objects of a kind.
pub(super) struct Source {
    pub(super) kind: &'static str,
    pub(super) count: Box<dyn Fn() -> Vec<(Standing, u64)> + Send + Sync>,
}

/// All of them.
#[derive(Clone, Default)]
pub(super) struct Objects(Arc<Mutex<Vec<Source>>>);

impl Objects {
    pub(super) fn add(&self, source: Source) {
        locked(&self.0).push(source);
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").finish_non_exhaustive()
    }
}

impl Collector for Objects {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Objects, by what their conditions say; one that was never looked at has Ready Unknown";
        let mut family = encoder.encode_descriptor("objects", help, None, MetricType::Gauge)?;
        for Source { kind, count } in locked(&self.0).iter() {
            for (standing, number) in count() {
                let labels = OfKind { kind, standing };
                let number = i64::try_from(number).unwrap_or(i64::MAX);
                ConstGauge::new(number).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
