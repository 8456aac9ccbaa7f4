//! Each kind, as the laws see it.

mod access_list;
mod private_endpoint;
mod vpc_peering;

use serde_json::{Value, json};

use crate::case::Wish;

/// The fields that all kinds have.
fn common(name: &str, kind: &str, wish: &Wish) -> Value {
    let database = if wish.by_name {
        json!({ "name": "orders" })
    } else {
        json!({ "id": crate::world::database("01", "", 0, "", 1).id })
    };
    json!({
        "apiVersion": "astra.datastax.com/v1beta1",
        "kind": kind,
        "metadata": { "name": name },
        "spec": {
            "database": database,
            "deletionPolicy": if wish.delete { "Delete" } else { "Retain" },
        },
    })
}

fn management(exclusive: bool) -> &'static str {
    if exclusive { "Exclusive" } else { "Shared" }
}
