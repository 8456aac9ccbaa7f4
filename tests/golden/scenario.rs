//! The input of the golden scenarios in `tests/plans`: a world and objects.

use std::collections::BTreeMap;

use astra_simulator::State;
use serde::Deserialize;
use serde_json::Value;

/// One input file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// What differs from the simulator's default world, by database name.
    #[serde(default)]
    pub(crate) databases: BTreeMap<String, Value>,
    /// What differs beside the databases.
    #[serde(default)]
    pub(crate) world: Value,
    /// The objects, the oldest first. `deleted: true` is for one that is being deleted.
    pub(crate) objects: Vec<Value>,
}

/// The default world with the scenario's changes.
pub(crate) fn state(scenario: &Scenario) -> State {
    let mut state = serde_json::to_value(State::default()).unwrap();
    merge(&mut state, &scenario.world);
    for (name, change) in &scenario.databases {
        let databases = state["databases"].as_array_mut().unwrap();
        let database = databases.iter_mut().find(|database| database["name"] == name.as_str());
        merge(database.unwrap_or_else(|| panic!("no database {name:?}")), change);
    }
    let state: State = serde_json::from_value(state).unwrap_or_else(|error| panic!("{error}"));
    state.validate().unwrap_or_else(|error| panic!("{error}"));
    state
}

/// As RFC 7396 merges.
pub(crate) fn merge(target: &mut Value, change: &Value) {
    match (target, change) {
        (Value::Object(target), Value::Object(change)) => {
            for (field, value) in change {
                merge(target.entry(field).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (target, change) => *target = change.clone(),
    }
}
