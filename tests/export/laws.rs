//! What holds for the export of every organization.

use std::collections::BTreeSet;

use astra_operator::{
    export::{
        Export, Options, disturbs,
        document::{Spec, stream},
        draft, export, layout,
        select::Selection,
        subjects,
    },
    kinds::access_list::observed,
    manifest,
    preview::{Subject, plan, stage::World},
};
use proptest::prelude::*;
use serde_json::Value;

use crate::drawn;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn drafted(world: &World, options: &Options) -> Export {
    draft(world, &[], options).expect("nothing particular is asked for")
}

/// Cases in an ordinary run, and in a thorough one.
fn cases() -> ProptestConfig {
    let cases = if std::env::var_os("THOROUGH").is_some() { 20_000 } else { 256 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn applying_an_export_changes_nothing(world in drawn::world(), options in drawn::options()) {
        let drafted = drafted(&world, &options);
        let plans = block_on(plan(subjects(&drafted), &world));
        prop_assert_eq!(plans.len(), drafted.objects.iter().filter(|object| !object.unfinished).count());
        for plan in &plans {
            prop_assert_eq!(disturbs(plan), None, "{} {}", plan.kind, &plan.name);
            prop_assert!(plan.steps.is_empty());
        }
        // And so the rehearsal before it is given out holds nothing back.
        prop_assert_eq!(block_on(export(&world, &[], &options)).unwrap(), drafted);
    }

    #[test]
    fn the_api_server_would_take_what_is_written_and_reads_what_was_meant(
        world in drawn::world(),
        options in drawn::options(),
    ) {
        let drafted = drafted(&world, &options);
        let text = stream(&drafted.objects).unwrap();
        prop_assert!(text.chars().all(|c| c == '\n' || !astra_operator::text::is_unprintable(c)), "{}", text);
        let read = manifest::read_text("export.yaml", &text, "data");
        prop_assert_eq!(&read.errors, &[], "{}", text);
        let mut written: Vec<_> = subjects(&drafted).into_iter().map(|subject| spec(&subject)).collect();
        let mut found = Vec::new();
        for manifest in &read.objects {
            prop_assert_eq!(&manifest.namespace, "data");
            found.push(spec(&Subject::of_manifest(manifest.kind, manifest.value.clone(), None)));
        }
        // Defaults apart, which the schema adds.
        for (found, written) in found.iter_mut().zip(&written) {
            without_defaults(found, written);
        }
        written.sort_by_key(ToString::to_string);
        found.sort_by_key(ToString::to_string);
        prop_assert_eq!(found, written, "{}", text);
        // What is read is planned as what was meant.
        let again = read.objects.iter();
        let again = again.map(|found| Subject::of_manifest(found.kind, found.value.clone(), None)).collect();
        for plan in block_on(plan(again, &world)) {
            prop_assert_eq!(disturbs(&plan), None, "{}", text);
        }
    }

    #[test]
    fn one_organization_has_one_export(world in drawn::world(), options in drawn::options()) {
        let once = drafted(&world, &options);
        let again = drafted(&drawn::turned(&world), &options);
        prop_assert_eq!(stream(&once.objects).unwrap(), stream(&again.objects).unwrap());
        prop_assert_eq!(&once.left_out, &again.left_out);
        let files = layout::files(&once).unwrap();
        let paths: BTreeSet<_> = files.iter().map(|file| &file.path).collect();
        prop_assert_eq!(paths.len(), files.len(), "a file is written once: {:?}", &files);
        let names = once.objects.iter().map(|object| (object.manifest.kind, &object.manifest.metadata.name));
        prop_assert_eq!(names.clone().collect::<BTreeSet<_>>().len(), names.count());
    }

    #[test]
    fn a_part_of_an_organization_is_exported_as_in_the_whole(world in drawn::world(), options in drawn::options()) {
        let whole = drafted(&world, &options);
        let mut parts = Export::default();
        for database in &world.databases {
            let selection = Selection(vec![database.id.to_string().to_uppercase()]);
            // One may be called as another's id is.
            if world.databases.iter().any(|other| other.info.name == selection.0[0]) {
                return Ok(());
            }
            let part = drafted(&world, &Options { selection, ..options.clone() });
            parts.objects.extend(part.objects);
        }
        let sorted = |export: &Export| {
            let mut texts: Vec<String> = export.objects.iter().map(|object| object.yaml().unwrap()).collect();
            texts.sort();
            texts
        };
        prop_assert_eq!(sorted(&whole), sorted(&parts));
    }

    #[test]
    fn nothing_is_left_out_in_silence(world in drawn::world(), options in drawn::options()) {
        let export = drafted(&world, &options);
        for database in &world.databases {
            let named = format!("{} ({})", database.info.name, database.id);
            let told = |what: &str| {
                let about = |one: &&astra_operator::export::LeftOut| one.database == named;
                export.left_out.iter().filter(about).any(|one| one.kind.is_empty() || one.what.contains(what))
            };
            let gone = export.notes.iter().any(|note| note.starts_with(&format!("{named} is TERMINAT")));
            if gone || told("\0") {
                continue;
            }
            let said = Said::of(&export, database.id.as_str());
            if let Some(list) = world.access_lists.get(&database.id) {
                for entry in &list.addresses {
                    let network = observed::network(&entry.address).map(|network| network.to_string());
                    let said = network.is_some_and(|network| said.networks.contains(&network));
                    prop_assert!(said || told(&entry.address), "{named}: {entry:?} of {export:#?}");
                }
                let restricted = list.configurations.access_list_enabled;
                prop_assert!(!restricted || said.lists == 1 || told(""), "{named}: {export:#?}");
            }
            for link in world.links.get(&database.id).into_iter().flat_map(|links| &links.datacenters) {
                let whole = told(&format!("datacenter {:?}", link.datacenter));
                for principal in &link.allowed_principals {
                    let said = said.principals.contains(&principal.to_lowercase());
                    prop_assert!(whole || said || told(&format!("{principal:?}")), "{principal} of {named}");
                }
                for endpoint in &link.endpoints {
                    let id = endpoint.id.as_str();
                    prop_assert!(whole || said.endpoints.contains(id) || told(id), "{id} of {named}");
                }
            }
            let peered = world.peerings.keys().any(|(cloud, id)| {
                *id == database.id && ["aws", "azure", "gcp"].contains(&cloud.as_str())
            });
            prop_assert!(!peered || said.peerings == 1 || told("the peering"), "{named}");
        }
    }
}

/// What the export says of one database.
#[derive(Default)]
struct Said {
    lists: usize,
    networks: BTreeSet<String>,
    principals: BTreeSet<String>,
    endpoints: BTreeSet<String>,
    peerings: usize,
}

impl Said {
    fn of(export: &Export, id: &str) -> Self {
        let mut said = Self::default();
        // The first comment tells the id.
        let known = format!(", {id}: ");
        for object in export.objects.iter().filter(|object| object.comments[0].contains(&known)) {
            match &object.manifest.spec {
                Spec::AccessList(list) => {
                    said.lists += 1;
                    let networks = list.addresses.iter().filter_map(|one| observed::network(&one.address));
                    said.networks.extend(networks.map(|network| network.to_string()));
                }
                Spec::PrivateEndpoint(link) => {
                    said.principals.extend(link.allowed_principals.iter().map(|one| one.to_lowercase()));
                    said.endpoints.extend(link.endpoints.iter().map(|one| one.id.0.clone()));
                }
                Spec::VpcPeering(_) => said.peerings += 1,
            }
        }
        said
    }
}

fn spec(subject: &Subject) -> Value {
    serde_json::json!({
        "kind": subject.value["kind"],
        "name": subject.value["metadata"]["name"],
        "spec": subject.value["spec"],
    })
}

/// Takes away what is there and was not written.
fn without_defaults(found: &mut Value, written: &Value) {
    match (found, written) {
        (Value::Object(found), Value::Object(written)) => {
            found.retain(|name, _| written.contains_key(name));
            for (name, value) in found.iter_mut() {
                without_defaults(value, &written[name]);
            }
        }
        (Value::Array(found), Value::Array(written)) => {
            found.iter_mut().zip(written).for_each(|(found, written)| without_defaults(found, written));
        }
        _ => {}
    }
}
