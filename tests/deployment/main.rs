//! What people install with: the chart by Helm 3 and 4, the kustomizations, the rights that they give, and the health that
//! Argo CD and Flux see. Run by `cargo xtask test`, which builds Helm and the engines of both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    reason = "a test fails by panicking"
)]
#![allow(clippy::needless_pass_by_value, reason = "values of json! are made where they are handed over")]

/// What the live tests stand on.
#[path = "../live/harness/mod.rs"]
mod harness;
/// The guide, as Markdown.
#[path = "../docs/page.rs"]
#[allow(dead_code, reason = "only blocks are of interest here")]
mod page;
/// A control plane of its own, for what is installed for a whole cluster.
#[path = "../outages/plane.rs"]
#[allow(dead_code, reason = "nothing is broken here")]
mod plane;

mod account;
mod chart;
mod docs;
mod health;
mod helm;
mod image;
mod installed;
mod kustomize;
mod needed;
mod rights;
