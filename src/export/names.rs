//! Names of directories and objects, made from what databases and regions are called: of RFC 1123, unique, and the same
//! whatever part of the organization is exported.

use std::collections::{BTreeMap, HashMap};

use astra_devops::{
    databases::{Database, Datacenter},
    id::{DatabaseId, DatacenterId},
};

/// The longest part of a name that comes from one text of Astra's.
const LONGEST: usize = 60;

/// The names of an organization.
#[derive(Clone, Debug, Default)]
pub struct Names {
    databases: HashMap<DatabaseId, String>,
    datacenters: HashMap<(DatabaseId, DatacenterId), OfDatacenter>,
}

/// How a datacenter is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfDatacenter {
    /// Within its database: the region, where that tells it from the others.
    pub region: String,
    /// Among all: with the database's name before it.
    pub object: String,
}

impl Names {
    /// Names all of these. Databases that are gone or going take no name from one that stays.
    #[must_use]
    pub fn of(databases: &[Database]) -> Self {
        let mut names = Self::default();
        let (going, staying): (Vec<_>, Vec<_>) =
            databases.iter().partition(|database| database.status.is_terminal());
        names.databases(&staying);
        names.datacenters(&staying);
        for database in going {
            names.databases.insert(database.id.clone(), id_slug(database.id.as_str()));
        }
        names
    }

    /// The name of a database's directory, and of its objects of which it has one each.
    #[must_use]
    pub fn of_database(&self, database: &Database) -> &str {
        self.databases.get(&database.id).map(String::as_str).unwrap_or_default()
    }

    /// The names of one of its datacenters.
    #[must_use]
    pub fn of_datacenter(&self, database: &Database, datacenter: &Datacenter) -> OfDatacenter {
        let key = (database.id.clone(), datacenter.id.clone());
        self.datacenters.get(&key).cloned().unwrap_or_default()
    }

    fn databases(&mut self, databases: &[&Database]) {
        let forms = databases.iter().map(|database| {
            let (name, id) = (slug(&database.info.name), id_slug(database.id.as_str()));
            let name = if name.is_empty() { "database".to_owned() } else { name };
            let short = id.split('-').next().unwrap_or_default();
            vec![name.clone(), format!("{name}-{short}"), format!("{name}-{id}")]
        });
        let found = unique(&forms.collect::<Vec<_>>());
        self.databases = databases.iter().map(|database| database.id.clone()).zip(found).collect();
    }

    fn datacenters(&mut self, databases: &[&Database]) {
        let mut keys = Vec::new();
        let mut forms = Vec::new();
        let mut regions = Vec::new();
        for database in databases {
            let name = self.of_database(database).to_owned();
            let all = &database.info.datacenters;
            let within = unique(&all.iter().map(forms_within).collect::<Vec<_>>());
            for (datacenter, region) in all.iter().zip(within) {
                keys.push((database.id.clone(), datacenter.id.clone()));
                // The names `a` with `b-c` and `a-b` with `c` come to the same.
                let id = id_slug(datacenter.id.as_str());
                forms.push(vec![format!("{name}-{region}"), format!("{name}-{region}-{id}")]);
                regions.push(region);
            }
        }
        let of = regions.into_iter().zip(unique(&forms));
        let of = of.map(|(region, object)| OfDatacenter { region, object });
        self.datacenters = keys.into_iter().zip(of).collect();
    }
}

fn forms_within(datacenter: &Datacenter) -> Vec<String> {
    let (region, id) = (slug(&datacenter.region), id_slug(datacenter.id.as_str()));
    if region.is_empty() { vec![id] } else { vec![region.clone(), format!("{region}-{id}")] }
}

/// For each the shortest of its forms that nobody else has. Who shares one takes the next, all of them alike, so that
/// the order does not matter.
fn unique(forms: &[Vec<String>]) -> Vec<String> {
    let mut at = vec![0; forms.len()];
    loop {
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        for (forms, at) in forms.iter().zip(&at) {
            *count.entry(&forms[*at]).or_default() += 1;
        }
        let mut moved = false;
        for (forms, at) in forms.iter().zip(&mut at) {
            if count[forms[*at].as_str()] > 1 && *at + 1 < forms.len() {
                *at += 1;
                moved = true;
            }
        }
        if !moved {
            return forms.iter().zip(at).map(|(forms, at)| forms[at].clone()).collect();
        }
    }
}

/// Lower-case letters, digits, and single hyphens between them.
fn slug(text: &str) -> String {
    cut(text, LONGEST)
}

/// Ids are never cut: what tells two apart may be at their end.
fn id_slug(id: &str) -> String {
    cut(id, usize::MAX)
}

fn cut(text: &str, longest: usize) -> String {
    let mut slug = String::new();
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            slug.push(c);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
        if slug.len() == longest {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ONE: &str = "4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01";
    const TWO: &str = "4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b02";
    const THREE: &str = "0a000000-0f1d-4e6a-9c3b-1d2e3f4a5b03";

    fn database(id: &str, name: &str, regions: &[&str]) -> Database {
        let datacenter =
            |(n, region): (usize, &&str)| json!({ "id": format!("{id}-{}", n + 1), "region": region });
        let datacenters: Vec<_> = regions.iter().enumerate().map(datacenter).collect();
        let info = json!({ "name": name, "datacenters": datacenters });
        serde_json::from_value(json!({ "id": id, "info": info, "status": "ACTIVE" })).unwrap()
    }

    fn names(databases: &[Database]) -> Vec<String> {
        let names = Names::of(databases);
        databases.iter().map(|database| names.of_database(database).to_owned()).collect()
    }

    #[test]
    fn a_name_is_what_kubernetes_takes() {
        for (text, expected) in [
            ("orders", "orders"),
            ("Orders (EU) 2", "orders-eu-2"),
            ("--a__b--", "a-b"),
            ("données", "donn-es"),
            ("日本語", "database"),
            ("", "database"),
            ("../../etc", "etc"),
        ] {
            assert_eq!(names(&[database(ONE, text, &[])]), [expected], "{text:?}");
        }
        let long = names(&[database(ONE, &"x-".repeat(100), &[])]);
        assert!(long[0].len() <= LONGEST && long[0].ends_with('x'), "{long:?}");
    }

    #[test]
    fn databases_of_one_name_are_told_apart_by_their_ids() {
        let one = |id, name| database(id, name, &[]);
        let (short, full) = ("4b8a1c52", slug(ONE));
        for (databases, expected) in [
            (vec![one(ONE, "a"), one(THREE, "a")], vec![format!("a-{short}"), "a-0a000000".to_owned()]),
            // The ids begin alike, so all of them is needed.
            (vec![one(ONE, "a"), one(TWO, "A")], vec![format!("a-{full}"), format!("a-{}", slug(TWO))]),
            // One is called as another would be told apart by.
            (
                vec![one(ONE, "a"), one(THREE, "a"), one(TWO, "a-4b8a1c52")],
                vec![format!("a-{full}"), "a-0a000000".to_owned(), format!("a-4b8a1c52-{short}")],
            ),
        ] {
            assert_eq!(names(&databases), expected, "{databases:?}");
            let mut turned = databases.clone();
            turned.reverse();
            let mut back = names(&turned);
            back.reverse();
            assert_eq!(back, expected, "the order does not matter");
        }
    }

    #[test]
    fn a_datacenter_is_called_by_its_region_where_that_will_do() {
        let databases = [
            database(ONE, "a", &["us-east-2", "eu-west-1"]),
            database(TWO, "b", &["us-east-2", "us-east-2"]),
            database(THREE, "a-us", &["east-2"]),
        ];
        let names = Names::of(&databases);
        let all = databases.iter().flat_map(|database| {
            let of = |one| names.of_datacenter(database, one).object;
            database.info.datacenters.iter().map(of)
        });
        let expected = [
            format!("a-us-east-2-{ONE}-1"),
            "a-eu-west-1".to_owned(),
            format!("b-us-east-2-{TWO}-1"),
            format!("b-us-east-2-{TWO}-2"),
            format!("a-us-east-2-{THREE}-1"),
        ];
        assert_eq!(all.collect::<Vec<_>>(), expected);
        assert_eq!(names.of_datacenter(&databases[0], &databases[0].info.datacenters[0]).region, "us-east-2");
    }
}
