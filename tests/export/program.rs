//! The real program against the simulator: what it asks, what it says, and how it ends.

use std::{collections::BTreeSet, fs, path::Path, sync::Arc};

use astra_devops::{Client, Method, Token};
use astra_operator::{
    export::disturbs,
    manifest,
    preview::{self, Subject, observe::observe},
};
use astra_simulator::{
    Fault, State,
    state::{
        ACME, ACME_TOKEN, AccessList, AddressEntry, Cloud, Database, Datacenter, Endpoint, PrivateLink,
        READ_ONLY_TOKEN, database_id,
    },
};

use crate::server::{Server, nowhere, run};

fn entry(address: &str, enabled: bool) -> AddressEntry {
    AddressEntry {
        address: address.to_owned(),
        description: format!("of {address}"),
        enabled,
        last_update_date_time: None,
    }
}

fn endpoint(id: &str) -> Endpoint {
    Endpoint {
        endpoint_id: id.to_owned(),
        posted_id: None,
        description: "traffic".to_owned(),
        link_id: String::new(),
        status: "Accepted".to_owned(),
        created: None,
    }
}

/// 200 databases, each with a list and a private link in each of its regions; each ten have one name.
fn many() -> State {
    let database = |n: usize| {
        let id = format!("{n:08x}-0f1d-4e6a-9c3b-1d2e3f4a5b00");
        let datacenter = |(i, region): (usize, &str)| Datacenter {
            id: format!("{id}-{}", i + 1),
            region: region.to_owned(),
            status: "ACTIVE".to_owned(),
        };
        let datacenters: Vec<_> =
            ["us-east-2", "eu-west-1"].into_iter().enumerate().map(datacenter).collect();
        let links = datacenters.iter().enumerate().map(|(i, datacenter)| PrivateLink {
            datacenter_id: datacenter.id.clone(),
            service_name: String::new(),
            allowed_principals: vec!["arn:aws:iam::123456789012:root".to_owned()],
            endpoints: vec![endpoint(&format!("vpce-{n:04x}{i}"))],
        });
        let all = vec![entry(&format!("203.0.113.{n}"), true), entry("198.51.100.0/24", n.is_multiple_of(3))];
        Database {
            private_links: links.collect(),
            name: format!("database-{}", n / 10),
            access_list: Some(AccessList { addresses: all, access_list_enabled: !n.is_multiple_of(5) }),
            organization: ACME.to_owned(),
            cloud_provider: Cloud::Aws,
            datacenters,
            id,
            ..State::default().databases[0].clone()
        }
    };
    State { databases: (0..200).map(database).collect(), ..State::default() }
}

#[test]
fn two_hundred_databases_are_exported_with_a_handful_of_gets_and_planned_without_a_step() {
    let server = Server::start(many());
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("astra");
    let export = ["export", "--namespace", "data", "--strict", "--output-dir", directory.to_str().unwrap()];
    let said = server.run(&export);
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{}", said.err);
    // Three pages of databases, the lists and the links.
    assert_eq!(server.paths().len(), 5, "{:?}", server.paths());

    let sources = manifest::Sources {
        files: vec![directory.clone()],
        recursive: true,
        namespace: "default".to_owned(),
        ..manifest::Sources::default()
    };
    let read = manifest::read(&sources).unwrap();
    assert_eq!(read.errors, []);
    assert_eq!(read.objects.len(), 200 + 400);
    assert!(read.objects.iter().all(|object| object.namespace == "data"));
    let subjects = read.objects.into_iter();
    let subjects: Vec<Subject> =
        subjects.map(|object| Subject::of_manifest(object.kind, object.value, None)).collect();
    let client = Client::new(Arc::new(server.simulator.clone()), Token::new(ACME_TOKEN).unwrap(), 4);
    let plans = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let world = observe(&client, &preview::needs(&subjects)).await.unwrap();
        preview::plan(subjects, &world).await
    });
    assert_eq!(plans.len(), 600);
    let disturbing: Vec<_> = plans.iter().filter_map(disturbs).collect();
    assert_eq!(disturbing, <[String; 0]>::default());

    // The kustomization names what there is, and nothing else.
    let kustomization = fs::read_to_string(directory.join("kustomization.yaml")).unwrap();
    let named: BTreeSet<_> = kustomization.lines().filter_map(|line| line.strip_prefix("  - ")).collect();
    assert_eq!(named.len(), 600);
    assert!(named.iter().all(|path| directory.join(path).is_file()), "{named:?}");

    // The same again is the same, byte for byte; and nothing is overwritten unasked.
    let before = files(&directory);
    let refused = server.run(&export);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.err.contains("is there already (and 600 more files)") && refused.err.contains("--force"),
        "{}",
        refused.err
    );
    let forced: Vec<&str> = export.into_iter().chain(["--force"]).collect();
    assert_eq!(server.run(&forced).code, Some(0));
    assert_eq!(files(&directory), before);
}

fn files(directory: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn plan_itself_finds_nothing_to_do_for_an_export() {
    let mut state = many();
    state.databases.truncate(15);
    let server = Server::start(state);
    let said = server.run(&["export"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("export.yaml");
    fs::write(&file, &said.out).unwrap();
    let planned = server.run(&["plan", "-f", file.to_str().unwrap()]);
    assert_eq!(planned.code, Some(0), "{planned:?}");
    assert!(planned.out.contains("Nothing to do. 45 objects"), "{planned:?}");
    // And it does find something where there is something.
    fs::write(
        &file,
        said.out.replace("203.0.113.1\n", "203.0.113.99\n").replace("\"203.0.113.1\"", "203.0.113.99"),
    )
    .unwrap();
    assert_eq!(server.run(&["plan", "-f", file.to_str().unwrap()]).code, Some(2));
}

#[test]
fn a_part_is_exported() {
    let server = Server::start(many());
    let by_id = "00000007-0F1D-4e6a-9c3b-1d2e3f4a5b00";
    let said =
        server.run(&["export", "--database", by_id, "--database", "database-19", "--kind", "access-list"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let kinds = said.out.lines().filter(|line| line.starts_with("kind: ")).collect::<Vec<_>>();
    assert_eq!(kinds, ["kind: AstraAccessList"; 11]);
    assert!(said.out.contains("    id: 00000007-0f1d-4e6a-9c3b-1d2e3f4a5b00\n"), "{}", said.out);
    assert!(!server.paths().iter().any(|path| path.contains("private-link")), "{:?}", server.paths());

    let said = server.run(&["export", "--database", "Database-19"]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(said.err.contains("did you mean database-19?"), "{}", said.err);
    let said = server.run(&["export", "--kind", "database"]);
    assert_eq!(said.code, Some(2), "a command line that cannot be understood");
}

#[test]
fn what_one_token_may_not_see_is_told_and_the_rest_is_exported() {
    let server = Server::start(many());
    // The token of a role for single databases: no lists, and not this database.
    let refuse = |path: &str| server.simulator.add_fault(Fault::status(403).on(Method::Get, path));
    refuse("/v2/access-lists");
    refuse("/v2/databases/00000003-0f1d-4e6a-9c3b-1d2e3f4a5b00/access-list");
    let said = server.run(&["export", "--kind", "access-list"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(said.out.matches("kind: AstraAccessList").count(), 199);
    assert!(said.err.contains("reading access lists: 175 of 200 databases"), "{}", said.err);
    let warnings: Vec<&str> = said.err.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert_eq!(warnings.len(), 1, "{}", said.err);
    for words in ["database database-0 (00000003-", "AstraAccessList", "may not read it", "403"] {
        assert!(warnings[0].contains(words), "{warnings:?}");
    }
    let strict = server.run(&["export", "--kind", "access-list", "--strict"]);
    assert_eq!(strict.code, Some(1));
    assert_eq!(strict.out, said.out);
}

#[test]
fn a_peering_that_may_not_be_read_keeps_nothing_else_back() {
    let server = Server::start(State::default());
    let fault = Fault::status(403).on(Method::Get, "/v2/peering/provider/aws");
    server.simulator.add_fault(fault);
    let said = server.run(&["export"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains(&format!("warning: database legacy ({})", database_id("07"))), "{}", said.err);
    let asked = server.paths();
    let peerings: Vec<_> = asked.iter().filter(|path| path.contains("/peering/")).collect();
    // Classic ones that can be managed: not the parked one, and none that is serverless.
    assert_eq!(peerings.len(), 3, "{peerings:?}");
}

#[test]
fn a_token_that_may_see_databases_only_exports_nothing_and_says_so_once_for_each_kind() {
    let mut state = many();
    state.databases.truncate(30);
    let server = Server::start(state);
    let said = server.run_with(READ_ONLY_TOKEN, &["export"]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
    assert!(said.err.contains("the token may read nothing"), "{}", said.err);
    let warnings: Vec<&str> = said.err.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert_eq!(warnings.len(), 2, "{}", said.err);
    assert!(warnings.iter().all(|line| line.contains("and 29 more")), "{}", said.err);
    assert!(said.err.contains("exported 0 objects; 60 warnings"), "{}", said.err);
}

#[test]
fn without_a_token_or_astra_it_is_told_what_to_do() {
    let server = Server::start(State::default());
    let url = ("ASTRA_OPERATOR_DEVOPS_URL", server.url.as_str());
    let said = run(&[url], &["export"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.err.contains("set ASTRA_DB_APPLICATION_TOKEN") && said.err.contains("--token-file"),
        "{}",
        said.err
    );
    assert_eq!(server.paths(), <[String; 0]>::default());

    let token =
        "AstraCS:NobodyKnowsThisToken0001:b7e41c90d35fa28617c4e09b5d82f3a66f1d0c8e94b7235a0e6d1f98c3b47a52";
    let said = server.run_with(token, &["export"]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(said.err.contains("Astra refused the token of ASTRA_DB_APPLICATION_TOKEN"), "{}", said.err);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token.txt");
    fs::write(&file, format!("{token}\n")).unwrap();
    let said = server.run(&["export", "--token-file", file.to_str().unwrap()]);
    assert!(
        said.err.contains("Astra refused the token of --token-file"),
        "the file goes before: {}",
        said.err
    );
    assert!(!said.err.contains("0123456789abcdef"), "{}", said.err);

    let there_is_none = nowhere();
    let said = server.run(&["export", "--devops-url", &there_is_none]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    // Several calls are under way, and the first one to fail is told.
    assert!(said.err.contains(&there_is_none) && said.err.contains("check --devops-url"), "{}", said.err);
}

#[test]
fn a_reading_that_fails_half_way_gives_nothing() {
    let server = Server::start(State::default());
    let fault = Fault::status(500).on(Method::Get, "/v2/peering/provider/gcp");
    server.simulator.add_fault(fault);
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("astra");
    let said = server.run(&["export", "--output-dir", directory.to_str().unwrap()]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("was answered 500"), "{}", said.err);
    assert!(!directory.exists());
}
