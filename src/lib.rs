//! A Kubernetes operator for the network side of DataStax Astra DB.
//!
//! The map of the crate, and the road of every object:
//!
//! ```text
//! watch ─► reconcile ─► desired() ─► observe() ─► plan() ─► announce ─► send ─► look again ─► verdict ─► status
//!          controller   kinds        organization  kinds     status      drive                 engine     controller
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`kinds`] | the registry, and one folder for each kind: spec, status, rules, what is desired, what is observed, the plan |
//! | [`engine`] | the vocabulary, and the one driver of all kinds; deciding is pure, doing is in [`engine::drive`] |
//! | [`organization`] | what was read from Astra, shared by all objects of one token |
//! | [`controller`] | everything that touches Kubernetes |
//! | [`leader`] | leader election, and the fence before each write to Astra |
//! | [`preview`] | what would be done: the engine on a stage, and how that is told |
//! | [`export`] | from an organization to manifests |
//! | [`overview`], [`explain`] | what a person sees of all objects, and of one with all that is around it |
//! | [`resource`], [`status`] | what the specs and statuses of all kinds have in common |
//! | [`rights`] | what the operator may do in a cluster, for the chart's roles |
//! | [`reference`] | the reference pages, rendered from the definitions |
//! | [`manifest`], [`lint`] | manifests checked without a cluster, and advice on them |
//! | [`cli`], [`server`], [`telemetry`], [`hardening`] | the program around it |
//! | [`text`] | what others wrote, made safe to show |

#![forbid(unsafe_code)]

pub mod cli;
pub mod controller;
pub mod engine;
pub mod explain;
pub mod export;
pub mod hardening;
pub mod kinds;
pub mod leader;
pub mod lint;
pub mod manifest;
pub mod metrics;
pub mod organization;
pub mod overview;
pub mod preview;
pub mod reference;
#[expect(unreachable_pub, reason = "the derive of KubeSchema copies the struct into a place of its own")]
pub mod resource;
pub mod rights;
pub mod server;
pub mod status;
pub mod telemetry;
pub mod text;
