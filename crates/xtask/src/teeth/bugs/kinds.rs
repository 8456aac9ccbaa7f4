//! In the plans: what is sent, and in which order.

use crate::teeth::bug::{Bug, Suite};

/// See the module.
pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "removes-before-adding",
        danger: "a changed list lets nobody in for a moment",
        file: "src/kinds/access_list/plan.rs",
        find: "    if !entries.is_empty() {\n        return Ok(vec![Planned::new(",
        put: "    if PLANTED {\n        let first = remove_owned(view, \"first\")?;\n        if !first.is_empty() {\n            return Ok(first);\n        }\n    }\n    if !entries.is_empty() {\n        return Ok(vec![Planned::new(",
        suite: Suite::Simulation,
    },
    Bug {
        name: "locks-out-who-is-not-listed-yet",
        danger: "access is restricted while another object's addresses are still to be added",
        file: "src/kinds/access_list/plan.rs",
        find: "if let Some((peer, network)) = unlisted(view) {",
        put: "if let Some((peer, network)) = unlisted(view).filter(|_| !PLANTED) {",
        suite: Suite::Perils,
    },
    Bug {
        name: "takes-what-is-switched-off-for-listed",
        danger: "access is restricted while another object is about to switch an entry on",
        file: "src/kinds/access_list/plan.rs",
        find: "observed.all(network).any(|entry| entry.enabled)",
        put: "observed.all(network).any(|entry| PLANTED || entry.enabled)",
        suite: Suite::Corpus,
    },
    Bug {
        name: "removes-the-larger-network-first",
        danger: "clients are locked out until another object has added its part of the same addresses",
        file: "src/kinds/access_list/plan.rs",
        find: "match about_to_let_in(view, network) {",
        put: "match about_to_let_in(view, network).filter(|_| !PLANTED) {",
        suite: Suite::Corpus,
    },
    // In the end both are gone; only who reads the plan sees the order.
    Bug {
        name: "principals-before-endpoints",
        danger: "a principal is taken away under an endpoint that is still connected",
        file: "src/kinds/private_endpoint/plan.rs",
        find: "    steps\n}\n\n/// All is sent and seen; are the endpoints accepted?",
        put: "    if PLANTED {\n        steps.reverse();\n    }\n    steps\n}\n\n/// All is sent and seen; are the endpoints accepted?",
        suite: Suite::Plans,
    },
    Bug {
        name: "disconnects-before-connecting",
        danger: "an endpoint is taken away before the one that replaces it is there",
        file: "src/kinds/private_endpoint/plan.rs",
        find: "if additions.is_empty() { removals(view, desired.management) } else { additions }",
        put: "let first = if PLANTED { removals(view, desired.management) } else { Steps::new() };\n            if !first.is_empty() { first } else if additions.is_empty() { removals(view, desired.management) } else { additions }",
        suite: Suite::Simulation,
    },
    // It takes a peering that is replaced behind the operator's back under a record that survives it.
    Bug {
        name: "deletes-any-peering",
        danger: "the deletion of an object takes away a peering that is not its own",
        file: "src/kinds/vpc_peering/plan.rs",
        find: "(Some(declared), recorded) => declared && recorded != Some(false),",
        put: "(Some(_), _) if PLANTED => true,\n            (Some(declared), recorded) => declared && recorded != Some(false),",
        suite: Suite::Plans,
    },
    Bug {
        name: "peers-while-the-old-one-goes",
        danger: "a peering is asked for while Astra still deletes the earlier one",
        file: "src/kinds/vpc_peering/plan.rs",
        find: "(Goal::Present(_), Some(peering)) if is_going(peering) =>",
        put: "(Goal::Present(desired), Some(peering)) if PLANTED && is_going(peering) => Plan::Act(vec![Planned::new(Step::Create { network: desired.network.clone() }, \"it is going\")]),\n        (Goal::Present(_), Some(peering)) if is_going(peering) =>",
        suite: Suite::Perils,
    },
];
