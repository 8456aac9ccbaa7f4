use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use astra_operator::{
    kinds::{AstraAccessList, access_list::PublicAccess},
    resource::Management,
};
use astra_simulator::{
    Event, Recorded,
    state::{AccessList, AddressEntry, Database},
};
use ipnet::Ipv4Net;
use serde_json::{Value, json};

use super::{common, management};
use crate::{
    case::{Case, Thing, Wish},
    lawful::{Lawful, Things, Write},
    world,
};

/// Networks, some within others.
const POOL: [&str; 7] = [
    "203.0.113.0/24",
    "203.0.113.7/32",
    "198.51.100.7/32",
    "192.0.2.0/25",
    "10.0.0.0/8",
    "192.0.2.128/25",
    "0.0.0.0/0",
];

/// One caller in each part of the pool's networks, and one that is in none but the whole internet.
const CALLERS: [[u8; 4]; 7] = [
    [203, 0, 113, 1],
    [203, 0, 113, 7],
    [198, 51, 100, 7],
    [192, 0, 2, 1],
    [10, 1, 1, 1],
    [192, 0, 2, 200],
    [8, 8, 8, 8],
];

type Callers = BTreeSet<Ipv4Addr>;

fn address(thing: Thing) -> String {
    let text = POOL[usize::from(thing.id) % POOL.len()];
    // One network, two texts.
    if thing.variety % 2 == 1 { text.trim_end_matches("/32").into() } else { text.into() }
}

fn description(thing: Thing) -> &'static str {
    ["", "office", "build runners"][usize::from(thing.variety) % 3]
}

fn enabled(thing: Thing) -> bool {
    thing.variety < 4
}

fn network(text: &str) -> Ipv4Net {
    text.parse().unwrap_or_else(|_| format!("{text}/32").parse().unwrap())
}

fn value(enabled: bool, description: &str) -> String {
    format!("{} {description:?}", if enabled { "on" } else { "off" })
}

fn spec(wish: &Wish) -> Value {
    let (access, empty) = match (wish.exclusive, wish.choice) {
        (true, 2) => (Some("Blocked"), true),
        (true, 3) => (Some("Open"), false),
        (true, 1) | (false, 2..) => (Some("Listed"), false),
        _ => (None, false),
    };
    let mut things = wish.things.clone();
    if things.is_empty() && access != Some("Open") {
        things.push(Thing { id: 0, variety: 0 });
    }
    // An Exclusive list that lets nobody in is refused, unless it says Blocked.
    if wish.exclusive && matches!(access, None | Some("Listed")) && !things.iter().copied().any(enabled) {
        things[0].variety = 0;
    }
    let addresses = things.iter().filter(|_| !empty).map(|thing| {
        json!({ "address": address(*thing), "description": description(*thing), "enabled": enabled(*thing) })
    });
    let mut spec =
        json!({ "addresses": addresses.collect::<Vec<_>>(), "management": management(wish.exclusive) });
    if let Some(access) = access {
        spec["publicAccess"] = json!(access);
    }
    spec
}

fn build(mut value: Value, wish: &Wish) -> AstraAccessList {
    let fields = value["spec"].as_object_mut().unwrap();
    fields.remove("publicAccess");
    fields.extend(spec(wish).as_object().unwrap().clone());
    fields.insert("deletionPolicy".into(), json!(if wish.delete { "Delete" } else { "Retain" }));
    serde_json::from_value(value).unwrap()
}

/// Who gets in from the internet.
fn let_in(database: &Database) -> Callers {
    let all = CALLERS.into_iter().map(Ipv4Addr::from);
    match database.access_list.as_ref().filter(|list| list.access_list_enabled) {
        None => all.collect(),
        Some(list) => all
            .filter(|caller| {
                list.addresses.iter().any(|entry| entry.enabled && network(&entry.address).contains(caller))
            })
            .collect(),
    }
}

fn is_open(object: &AstraAccessList) -> bool {
    object.spec.public_access == Some(PublicAccess::Open)
}

/// Whom any of these objects wants to get in.
fn wanted_by_any(objects: &[AstraAccessList]) -> Callers {
    objects.iter().flat_map(|object| wanted_by_all(std::slice::from_ref(object))).collect()
}

/// Whom these objects, oldest first, want to get in together: where they contradict each other, the oldest one's switch
/// counts.
fn wanted_by_all(objects: &[AstraAccessList]) -> Callers {
    let mut seen = BTreeSet::new();
    let mut callers = Callers::new();
    for object in objects {
        if is_open(object) {
            callers.extend(CALLERS.map(Ipv4Addr::from));
        }
        for address in &object.spec.addresses {
            let network = network(&address.address);
            if seen.insert(network) && address.enabled {
                callers.extend(CALLERS.map(Ipv4Addr::from).iter().filter(|caller| network.contains(*caller)));
            }
        }
    }
    callers
}

impl Lawful for AstraAccessList {
    fn database(case: &Case) -> Database {
        let mut database = world::database("01", "orders", case.cloud, "serverless", case.regions);
        let entries: Vec<_> = case
            .foreign
            .iter()
            .map(|thing| AddressEntry {
                // A server that writes a prefix length to each address has written it to these.
                address: if case.flags & 4 != 0 {
                    network(&address(*thing)).to_string()
                } else {
                    address(*thing)
                },
                description: format!("foreign {}", description(*thing)),
                enabled: enabled(*thing),
                last_update_date_time: None,
            })
            .collect();
        if case.flags & 1 != 0 || !entries.is_empty() {
            database.access_list =
                Some(AccessList { addresses: entries, access_list_enabled: case.flags & 2 != 0 });
        }
        database
    }

    fn object(name: &str, wish: &Wish, _: &Case) -> Self {
        build(common(name, "AstraAccessList", wish), wish)
    }

    fn edited(&self, wish: &Wish, _: &Case) -> Self {
        build(serde_json::to_value(self).unwrap(), wish)
    }

    fn is_exclusive(&self) -> bool {
        self.spec.management == Management::Exclusive
    }

    fn things(database: &Database) -> Things {
        let mut things = Things::new();
        for entry in database.access_list.iter().flat_map(|list| &list.addresses) {
            let value = value(entry.enabled, &entry.description);
            // One network may be there in two texts: what differs between them is shown.
            let known = things.entry(format!("address/{}", network(&entry.address))).or_default();
            match known.as_str() {
                "" => *known = value,
                same if *same == value => {}
                _ => *known = format!("{known} and {value}"),
            }
        }
        things
    }

    fn wants(&self) -> Things {
        let addresses = self.spec.addresses.iter();
        addresses
            .map(|address| {
                let network = network(&address.address);
                (format!("address/{network}"), value(address.enabled, &address.description))
            })
            .collect()
    }

    fn drift(database: &Database, _: &Case, what: u8, thing: Thing) -> Option<Event> {
        let id = database.id.clone();
        let list = database.access_list.as_ref();
        let text = address(thing);
        let known = list
            .and_then(|list| list.addresses.iter().find(|entry| network(&entry.address) == network(&text)))
            .map(|entry| entry.address.clone());
        match what {
            0 => Some(Event::RemoveAddress { database: id, address: known? }),
            1 => Some(Event::SetRestriction { database: id, enabled: thing.variety.is_multiple_of(2) }),
            2 => list.map(|_| Event::RemoveAccessList { database: id }),
            _ => Some(Event::AddAddress {
                database: id,
                address: known.unwrap_or(text),
                description: format!("drifted {}", description(thing)),
                enabled: enabled(thing),
            }),
        }
    }

    /// Access never widens by the way, nobody who was in and stays in is ever out, and the restriction goes only when a
    /// spec says so.
    fn judge(write: &Write<'_, Self>) -> Vec<String> {
        let (before, after) = (let_in(write.before), let_in(write.after));
        let all: Vec<Callers> = write.moments.iter().map(|objects| wanted_by_all(objects)).collect();
        let ever: Callers = write.moments.iter().flat_map(|objects| wanted_by_any(objects)).collect();
        let mut found = Vec::new();
        for caller in after.difference(&before).filter(|caller| !ever.contains(*caller)) {
            found.push(format!("it lets {caller} in, which nobody wants"));
        }
        for caller in
            before.difference(&after).filter(|caller| all.iter().all(|wanted| wanted.contains(*caller)))
        {
            found.push(format!("it locks {caller} out, which is wanted throughout"));
        }
        let restricted =
            |database: &Database| database.access_list.as_ref().is_some_and(|list| list.access_list_enabled);
        let open = write.moments.iter().flatten().any(is_open);
        if restricted(write.before) && !restricted(write.after) && !open {
            found.push("it switches the restriction off, and no spec says Open".into());
        }
        if write.before.access_list.is_some() && write.after.access_list.is_none() {
            found.push("it removes the whole list".into());
        }
        found
    }

    fn reason(&self, elders: &[&Self], database: &Database) -> &'static str {
        // Of several elders that want an address, the oldest one's switch counts.
        let contradicted = self.spec.addresses.iter().any(|ours| {
            let theirs = elders.iter().flat_map(|elder| &elder.spec.addresses);
            let mut same = theirs.filter(|theirs| network(&theirs.address) == network(&ours.address));
            same.next().is_some_and(|theirs| theirs.enabled != ours.enabled)
        });
        if contradicted {
            return "Conflict";
        }
        let restricted = database.access_list.as_ref().is_some_and(|list| list.access_list_enabled);
        let expected = match (self.spec.public_access, self.spec.management) {
            (None, Management::Shared) => restricted,
            (Some(PublicAccess::Open), _) => false,
            _ => true,
        };
        if restricted == expected { "UpToDate" } else { "the restriction to be as the spec says" }
    }

    fn creates(_: &Recorded) -> Option<String> {
        // Adding an address and replacing a list leave the same world when they are sent twice.
        None
    }
}
