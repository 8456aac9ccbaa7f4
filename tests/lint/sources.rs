//! Files, directories, kustomizations.

use std::{fs, path::Path};

use astra_operator::manifest::{Sources, read};

const LIST: &str = "
apiVersion: astra.datastax.com/v1beta1
kind: AstraAccessList
metadata: {name: NAME}
spec: {database: {name: x}, publicAccess: Blocked}
";

fn write(directory: &Path, file: &str, name: &str) {
    let path = directory.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, LIST.replace("NAME", name)).unwrap();
}

/// The names that are read, and what was skipped; or why nothing was read.
fn names(directory: &Path, files: &[&str], recursive: bool) -> Result<(String, usize), String> {
    let sources = Sources {
        may_be_empty: false,
        files: files.iter().map(|file| directory.join(file)).collect(),
        kustomize: Vec::new(),
        recursive,
        namespace: "team".to_owned(),
    };
    let read =
        read(&sources).map_err(|error| error.to_string().replace(directory.to_str().unwrap(), "DIR"))?;
    assert_eq!(read.errors, []);
    assert!(read.objects.iter().all(|object| object.namespace == "team"));
    let names: Vec<_> = read.objects.into_iter().map(|object| object.name).collect();
    Ok((names.join(" "), read.skipped.values().sum()))
}

#[test]
fn directories_are_read_as_kubectl_does() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    for (file, name) in
        [("b.yml", "b"), ("a.yaml", "a"), ("c.json", "c"), ("sub/d.yaml", "d"), ("e.txt", "e")]
    {
        write(at, file, name);
    }
    fs::write(at.join("values.yaml"), "replicas: 3\n").unwrap();
    fs::create_dir(at.join("empty")).unwrap();
    for (files, recursive, expected) in [
        (&["."][..], false, Ok(("a b c", 1))),
        (&["."], true, Ok(("a b c d", 1))),
        (&["e.txt"], false, Ok(("e", 0))),
        (&["sub", "a.yaml", "./a.yaml", "."], false, Ok(("d a b c", 1))),
        (&["empty"], true, Err("DIR/empty: no file here ends in .yaml, .yml or .json")),
        (&["none.yaml"], false, Err("DIR/none.yaml: there is no such file or directory")),
        (&[], false, Err("nothing to read: name files or directories with -f, or a kustomization with -k")),
    ] {
        let found = names(at, files, recursive);
        let found = found.as_ref().map(|(names, skipped)| (names.as_str(), *skipped)).map_err(String::as_str);
        assert_eq!(found, expected, "{files:?}");
    }
    fs::write(at.join("bad.yaml"), b"a: \xff\n").unwrap();
    let sources = Sources { files: vec![at.join("bad.yaml")], ..Sources::default() };
    let errors = read(&sources).unwrap().errors;
    assert!(
        errors[0].to_string().ends_with("bad.yaml:1:4: is no text in UTF-8: save it as UTF-8"),
        "{errors:?}"
    );
}
