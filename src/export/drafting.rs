//! Goes through the databases and puts together what is said of each.

use std::collections::BTreeSet;

use astra_devops::{
    databases::Database,
    peering::{Peering, Provider},
};

use super::{
    Draft, Export, Exported, LeftOut, Options, Unread, access_list, document::Manifest, forms, names::Names,
    private_endpoint, vpc_peering,
};
use crate::{
    engine::{Kind, resolve},
    kinds::{AstraAccessList, AstraPrivateEndpoint, AstraVpcPeering},
    preview::stage::World,
    resource::DatabaseRef,
};

/// One export being drafted.
pub(super) struct Drafting<'a> {
    world: &'a World,
    unread: &'a [Unread],
    options: &'a Options,
    names: Names,
    export: Export,
    /// The databases that have no access list to speak of.
    open: Vec<String>,
}

impl<'a> Drafting<'a> {
    pub(super) fn new(world: &'a World, unread: &'a [Unread], options: &'a Options) -> Self {
        let names = Names::of(&world.databases);
        Self { world, unread, options, names, export: Export::default(), open: Vec::new() }
    }

    /// Says all of one database.
    pub(super) fn database(&mut self, database: &Database) {
        if database.status.is_terminal() {
            let note = format!("{} is {}: nothing of it is exported", named(database), database.status.0);
            return self.export.notes.push(note);
        }
        if let Some(problem) = resolve::unavailable(database) {
            // It begins with the database's name, which stands before it here already.
            let known = format!("database {} ", named(database));
            let why = problem.message.strip_prefix(&known).unwrap_or(&problem.message);
            return self.left_out(database, "", "all of it", format!("it {why}; export it then"));
        }
        let Some(reference) = self.reference(database) else {
            let why = "it can be named neither by its name, which others have too or no manifest can hold, nor by its id, which is no UUID";
            return self.left_out(database, "", "all of it", why.to_owned());
        };
        self.access_list(database, &reference);
        self.private_endpoints(database, &reference);
        self.peering(database, &reference);
    }

    /// By name, because that is what a person would write; by id where the name would not do.
    fn reference(&self, database: &Database) -> Option<DatabaseRef> {
        let name = &database.info.name;
        let same = |other: &&Database| other.info.name == *name && !other.status.is_terminal();
        let alone = self.world.databases.iter().filter(same).count() == 1;
        if alone && !self.options.by_id && forms::database_name(name) {
            return Some(DatabaseRef { id: None, name: Some(name.clone()) });
        }
        let id = database.id.as_str();
        forms::guid(id).then(|| DatabaseRef { id: Some(id.to_owned()), name: None })
    }

    fn access_list(&mut self, database: &Database, reference: &DatabaseRef) {
        if !self.may_say(database, AstraAccessList::KIND) {
            return;
        }
        let list = self.world.access_lists.get(&database.id);
        let draft = access_list::draft(reference, list, self.options.management);
        if draft.spec.is_none() && draft.left_out.is_empty() {
            self.open.push(named(database));
        }
        let name = self.names.of_database(database).to_owned();
        self.add(database, AstraAccessList::KIND, "access-list.yaml".to_owned(), name, draft);
    }

    fn private_endpoints(&mut self, database: &Database, reference: &DatabaseRef) {
        if !self.may_say(database, AstraPrivateEndpoint::KIND) {
            return;
        }
        let links = self.world.links.get(&database.id).map(|links| links.datacenters.as_slice());
        let mut seen = BTreeSet::new();
        for link in links.unwrap_or_default() {
            let found = database.info.datacenters.iter().find(|known| known.id.as_str() == link.datacenter);
            let Some(datacenter) = found else {
                if !link.allowed_principals.is_empty() || !link.endpoints.is_empty() {
                    let what = format!("the private link of datacenter {:?}", link.datacenter);
                    let why = "the database has no such datacenter".to_owned();
                    self.left_out(database, AstraPrivateEndpoint::KIND, &what, why);
                }
                continue;
            };
            // The operator looks at the first one, too.
            if !seen.insert(&link.datacenter) {
                continue;
            }
            let draft =
                private_endpoint::draft(reference, database, datacenter, link, self.options.management);
            let names = self.names.of_datacenter(database, datacenter);
            let (file, name) = (format!("private-endpoint-{}.yaml", names.region), names.object.clone());
            self.add(database, AstraPrivateEndpoint::KIND, file, name, draft);
        }
    }

    fn peering(&mut self, database: &Database, reference: &DatabaseRef) {
        if !self.may_say(database, AstraVpcPeering::KIND) {
            return;
        }
        let Some((provider, peering)) = self.peering_of(database) else { return };
        if database.info.tier.eq_ignore_ascii_case("serverless") {
            let why = "the database is serverless, and only Classic ones are peered by a manifest".to_owned();
            return self.left_out(database, AstraVpcPeering::KIND, "the peering", why);
        }
        let draft = vpc_peering::draft(reference, provider, peering);
        let name = self.names.of_database(database).to_owned();
        self.add(database, AstraVpcPeering::KIND, "vpc-peering.yaml".to_owned(), name, draft);
    }

    fn peering_of(&self, database: &Database) -> Option<(Provider, &Peering)> {
        let provider = Provider::parse(&database.info.cloud_provider)?;
        let key = (provider.as_str().to_owned(), database.id.clone());
        Some((provider, self.world.peerings.get(&key)?))
    }

    /// Is it wanted, and was it shown? What was not shown must not pass for what is not there.
    fn may_say(&mut self, database: &Database, kind: &'static str) -> bool {
        if !self.options.wants(kind) {
            return false;
        }
        let unread = self.unread.iter().find(|unread| unread.kind == kind && unread.database == database.id);
        let Some(Unread { why, .. }) = unread else { return true };
        self.left_out(database, kind, "all of it", format!("the token may not read it: {why}"));
        false
    }

    fn add(&mut self, database: &Database, kind: &'static str, file: String, name: String, draft: Draft) {
        let Draft { comments, left_out, spec, unfinished } = draft;
        for (what, why) in &left_out {
            self.left_out(database, kind, what, why.clone());
        }
        let Some(spec) = spec else { return };
        let gone = left_out.iter().map(|(what, why)| format!("Left out: {what}: {why}."));
        self.export.objects.push(Exported {
            directory: self.names.of_database(database).to_owned(),
            file,
            comments: [about(database)].into_iter().chain(comments).chain(gone).collect(),
            manifest: Manifest::new(kind, name, self.options.namespace.clone(), spec),
            unfinished,
        });
    }

    fn left_out(&mut self, database: &Database, kind: &'static str, what: &str, why: String) {
        let database = named(database);
        self.export.left_out.push(LeftOut { database, kind, what: what.to_owned(), why });
    }

    pub(super) fn finish(mut self) -> Export {
        if !self.open.is_empty() {
            self.open.sort();
            self.export.notes.push(format!(
                "open to everybody, and without an access list that could be exported: {}",
                shortened(&self.open)
            ));
        }
        self.export.notes.sort();
        self.export.objects.sort_by(|one, other| place(one).cmp(&place(other)));
        self.export.left_out.sort();
        self.export
    }
}

fn place(object: &Exported) -> (&str, &str) {
    (&object.directory, &object.file)
}

/// The name and the id, for people.
fn named(database: &Database) -> String {
    format!("{} ({})", database.info.name, database.id)
}

/// What a reader should know of the database.
fn about(database: &Database) -> String {
    let info = &database.info;
    let mut regions: Vec<&str> = info.datacenters.iter().map(|one| one.region.as_str()).collect();
    regions.sort_unstable();
    let facts = [info.cloud_provider.as_str(), info.tier.as_str()].into_iter().chain(regions);
    let facts: Vec<&str> = facts.filter(|fact| !fact.is_empty()).collect();
    format!("Database {}, {}: {}.", info.name, database.id, facts.join(", "))
}

/// The first ten.
fn shortened(names: &[String]) -> String {
    let mut text = names.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > 10 {
        text = format!("{text} and {} more", names.len() - 10);
    }
    text
}
