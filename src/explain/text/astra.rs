//! The part of an explanation that tells what Astra has.

use std::fmt;

use astra_devops::{databases::Database, private_link::PrivateLink};

use super::{GREEN, MOST, Page, RED, YELLOW};
use crate::{
    explain::{Explanation, astra::Astra},
    text::printable,
};

impl Page<'_> {
    /// What Astra has at the object's place, or why that is not known.
    pub(super) fn astra(&mut self, it: &Explanation) -> fmt::Result {
        self.section("Astra")?;
        let astra = &it.astra;
        if let Some(problem) = &astra.problem {
            self.line(&format!("{RED}{}{RED:#}", printable(problem)))?;
        }
        let Some(database) = &astra.database else { return Ok(()) };
        self.database(database)?;
        match it.kind {
            "AstraAccessList" => self.access_list(astra),
            "AstraPrivateEndpoint" => self.private_links(astra, database),
            _ => self.peering(astra),
        }
    }

    fn database(&mut self, database: &Database) -> fmt::Result {
        let info = &database.info;
        let regions: Vec<&str> =
            info.datacenters.iter().map(|datacenter| datacenter.region.as_str()).collect();
        let regions = if regions.is_empty() { info.region.clone() } else { regions.join(", ") };
        let style = if database.status.takes_changes() { GREEN } else { YELLOW };
        let line = format!(
            "database {} ({}): {style}{}{style:#}, {} on {} in {}",
            printable(&info.name),
            database.id,
            printable(&database.status.0),
            printable(&info.tier),
            printable(&info.cloud_provider),
            printable(&regions),
        );
        self.line(&line)
    }

    fn access_list(&mut self, astra: &Astra) -> fmt::Result {
        let Some(list) = &astra.access_list else {
            return self.line("it has no access list: everybody gets in from the internet");
        };
        let switch = if list.configurations.access_list_enabled {
            "access is restricted to the list"
        } else {
            "access is not restricted to the list: everybody gets in"
        };
        self.line(&format!("{switch}; entries: {}", list.addresses.len()))?;
        for entry in list.addresses.iter().take(MOST) {
            let off = if entry.enabled { "" } else { "(switched off) " };
            let line = format!("  {:<18} {off}{}", printable(&entry.address), printable(&entry.description));
            self.line(line.trim_end())?;
        }
        self.more(list.addresses.len())
    }

    fn private_links(&mut self, astra: &Astra, database: &Database) -> fmt::Result {
        let links: &[PrivateLink] = astra.private_links.as_ref().map_or(&[], |links| &links.datacenters);
        if links.is_empty() {
            return self.line("no datacenter of it has a private link");
        }
        for link in links {
            let place = database.info.datacenters.iter().find(|place| place.id.as_str() == link.datacenter);
            let region = place.map_or("", |place| place.region.as_str());
            self.line(&format!(
                "private link of {} {}: {}",
                printable(&link.datacenter),
                printable(region),
                printable(if link.service_name.is_empty() { "no service yet" } else { &link.service_name })
            ))?;
            for principal in link.allowed_principals.iter().take(MOST) {
                self.line(&format!("  principal {}", printable(principal)))?;
            }
            self.more(link.allowed_principals.len())?;
            for endpoint in link.endpoints.iter().take(MOST) {
                let (status, description) = (printable(&endpoint.status), printable(&endpoint.description));
                let line =
                    format!("  endpoint  {}  {status}  {description}", printable(endpoint.id.as_str()));
                self.line(line.trim_end())?;
            }
            self.more(link.endpoints.len())?;
        }
        Ok(())
    }

    fn peering(&mut self, astra: &Astra) -> fmt::Result {
        let Some(peering) = &astra.peering else {
            return self.line("it has no peering");
        };
        let other = &peering.other_vpc;
        let line = format!(
            "peering with {} {} {}: {} (connection {})",
            printable(&other.account),
            printable(&other.vpc_id),
            printable(&other.cidr_block),
            printable(&peering.status),
            printable(&peering.connection_id),
        );
        self.line(&line)
    }
}
