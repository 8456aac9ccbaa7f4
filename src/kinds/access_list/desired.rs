//! The spec of an `AstraAccessList` after parsing.

use std::{collections::BTreeMap, net::Ipv4Addr};

use astra_devops::access_list::{AddressText, Entry};
use ipnet::Ipv4Net;

use super::resource::{Address, AstraAccessListSpec, PublicAccess};
use crate::{engine::Problem, resource::Management};

/// What the list shall be.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Who gets in.
    pub access: Access,
    /// Whether it is the whole list.
    pub management: Management,
    /// The entries, in the order of the spec, each network once.
    pub entries: Vec<Wanted>,
}

/// Who gets in from the internet, with the default made plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only the listed.
    Listed,
    /// Nobody.
    Blocked,
    /// Everybody.
    Open,
    /// The switch is left as it is found.
    Leave,
}

/// One entry that shall be there.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// What it lets in: entries compare by this and not by their text.
    pub network: Ipv4Net,
    /// What is sent.
    pub entry: Entry,
}

impl Desired {
    /// Parses a spec. Most of what is refused here is refused by the API server's schema already; this is for objects
    /// that were stored before a rule was there, and for what a rule cannot see.
    ///
    /// # Errors
    /// The field, what was found there and what is expected.
    pub fn parse(spec: &AstraAccessListSpec) -> Result<Self, Problem> {
        let access = access(spec)?;
        let entries = entries(&spec.addresses)?;
        match access {
            Access::Listed | Access::Leave if entries.is_empty() => Err(Problem::invalid(
                "spec.addresses",
                "at least one address is needed, or everybody would be locked out",
            )),
            Access::Listed
                if spec.management == Management::Exclusive
                    && !entries.iter().any(|wanted| wanted.entry.enabled) =>
            {
                let problem = "at least one address must be enabled, or everybody would be locked out";
                Err(Problem::invalid("spec.addresses", problem))
            }
            Access::Blocked if !entries.is_empty() => {
                Err(Problem::invalid("spec.addresses", "must be empty with publicAccess: Blocked"))
            }
            _ => Ok(Self { access, management: spec.management, entries }),
        }
    }
}

fn access(spec: &AstraAccessListSpec) -> Result<Access, Problem> {
    Ok(match (spec.public_access, spec.management) {
        (Some(PublicAccess::Listed), _) | (None, Management::Exclusive) => Access::Listed,
        (Some(PublicAccess::Blocked), Management::Exclusive) => Access::Blocked,
        (Some(PublicAccess::Open), Management::Exclusive) => Access::Open,
        (None, Management::Shared) => Access::Leave,
        (Some(PublicAccess::Blocked | PublicAccess::Open), Management::Shared) => {
            return Err(Problem::invalid("spec.publicAccess", "Blocked and Open need management: Exclusive"));
        }
    })
}

fn entries(addresses: &[Address]) -> Result<Vec<Wanted>, Problem> {
    let mut seen = BTreeMap::new();
    let mut entries = Vec::with_capacity(addresses.len());
    for (i, address) in addresses.iter().enumerate() {
        let field = format!("spec.addresses[{i}].address");
        let network = parse(&address.address).map_err(|problem| Problem::invalid(&field, problem))?;
        if let Some(first) = seen.insert(network, i) {
            let problem = format!("{} is the same network as spec.addresses[{first}]", address.address);
            return Err(Problem::invalid(&field, problem));
        }
        let entry = Entry {
            address: address.address.clone(),
            description: address.description.clone(),
            enabled: address.enabled,
        };
        entries.push(Wanted { network, entry });
    }
    Ok(entries)
}

/// An address or a network without bits behind its prefix.
fn parse(text: &str) -> Result<Ipv4Net, String> {
    let network = match text.parse::<Ipv4Addr>() {
        Ok(address) => Ipv4Net::from(address),
        Err(_) => AddressText::new(text).and_then(|text| text.as_str().parse::<Ipv4Net>().ok()).ok_or_else(|| {
            format!("{text:?} is no IPv4 address such as 203.0.113.7 or network such as 203.0.113.0/24; Astra takes no IPv6")
        })?,
    };
    if network.trunc() == network {
        Ok(network)
    } else {
        Err(format!(
            "{text} has bits set behind its prefix; the network is {}, the single address {}",
            network.trunc(),
            network.addr()
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(access: Option<&str>, management: &str, addresses: &[&str]) -> AstraAccessListSpec {
        let addresses: Vec<_> = addresses.iter().map(|address| json!({ "address": address })).collect();
        let mut spec =
            json!({ "database": { "name": "orders" }, "management": management, "addresses": addresses });
        if let Some(access) = access {
            spec["publicAccess"] = json!(access);
        }
        serde_json::from_value(spec).unwrap()
    }

    #[test]
    fn who_gets_in_is_made_plain() {
        for (access, management, addresses, expected) in [
            (None, "Exclusive", &["10.0.0.1"][..], Access::Listed),
            (Some("Listed"), "Exclusive", &["10.0.0.1"], Access::Listed),
            (Some("Blocked"), "Exclusive", &[], Access::Blocked),
            (Some("Open"), "Exclusive", &[], Access::Open),
            (Some("Open"), "Exclusive", &["10.0.0.1"], Access::Open),
            (None, "Shared", &["10.0.0.1"], Access::Leave),
            (Some("Listed"), "Shared", &["10.0.0.1"], Access::Listed),
        ] {
            let desired = Desired::parse(&spec(access, management, addresses)).unwrap();
            assert_eq!(desired.access, expected, "{access:?} {management} {addresses:?}");
            assert!(desired.entries.iter().all(|wanted| wanted.entry.enabled), "enabled is the default");
        }
    }

    #[test]
    fn bad_input_is_told_with_its_field() {
        for (access, management, addresses, field, words) in [
            (None, "Exclusive", &[][..], "spec.addresses: ", "at least one"),
            (None, "Shared", &[], "spec.addresses: ", "at least one"),
            (Some("Blocked"), "Exclusive", &["10.0.0.1"], "spec.addresses: ", "must be empty"),
            (Some("Blocked"), "Shared", &[], "spec.publicAccess: ", "Exclusive"),
            (Some("Open"), "Shared", &["10.0.0.1"], "spec.publicAccess: ", "Exclusive"),
            (None, "Exclusive", &["10.0.0.1", "10.0.0.5/24"], "spec.addresses[1].address: ", "10.0.0.0/24"),
            (
                None,
                "Exclusive",
                &["10.0.0.1", "10.0.0.1"],
                "spec.addresses[1].address: ",
                "spec.addresses[0]",
            ),
            (
                None,
                "Exclusive",
                &["10.0.0.1", "10.0.0.1/32"],
                "spec.addresses[1].address: ",
                "spec.addresses[0]",
            ),
            (None, "Exclusive", &["2001:db8::1"], "spec.addresses[0].address: ", "no IPv6"),
            (None, "Exclusive", &["::ffff:10.0.0.1"], "spec.addresses[0].address: ", "no IPv6"),
            (None, "Exclusive", &["10.0.0.256"], "spec.addresses[0].address: ", "no IPv4 address"),
            (None, "Exclusive", &["10.0.0.0/33"], "spec.addresses[0].address: ", "no IPv4 address"),
            (None, "Exclusive", &["10.0.0.0/08"], "spec.addresses[0].address: ", "no IPv4 address"),
            (None, "Exclusive", &["10.0.0.1 "], "spec.addresses[0].address: ", "no IPv4 address"),
            (None, "Exclusive", &[""], "spec.addresses[0].address: ", "no IPv4 address"),
        ] {
            let problem = Desired::parse(&spec(access, management, addresses)).unwrap_err();
            assert_eq!(problem.reason, crate::engine::Reason::InvalidSpec);
            assert!(problem.message.starts_with(field), "{addresses:?}: {}", problem.message);
            assert!(problem.message.contains(words), "{addresses:?}: {}", problem.message);
        }
    }
}
