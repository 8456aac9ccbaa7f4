//! The program: arguments, standard input, kustomizations and exit codes.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

const WARNED: &str = "
apiVersion: astra.datastax.com/v1beta1
kind: AstraAccessList
metadata: {name: orders}
spec: {database: {name: orders}, publicAccess: Open}
";

/// The exit code, and what was written to standard output and standard error.
fn lint(arguments: &[&str], stdin: &str, path: Option<&Path>) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_astra-operator"));
    if let Some(path) = path {
        command.env("PATH", path);
    }
    let mut child = command
        .arg("lint")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who does not read it ends before it is written.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_exit_code_tells_what_was_found() {
    let refused = WARNED.replace("Open", "Opn");
    let clean = WARNED.replace("publicAccess: Open", "addresses: [{address: 203.0.113.7}]");
    for (arguments, stdin, code, words) in [
        (&["-f", "-"][..], WARNED, 0, "1 warning; 1 object read without a mistake"),
        (&["-f", "-", "--strict"], WARNED, 1, "stdin:5:48: warning[AL006]"),
        (&["-f", "-", "--strict", "--ignore", "AL005,AL006"], WARNED, 0, "nothing to complain of"),
        (&["-f", "-", "--strict"], &clean, 0, "nothing to complain of"),
        (
            &["-f", "-", "-n", "team"],
            &refused,
            1,
            "AstraAccessList team/orders: spec.publicAccess: must be one of",
        ),
        (&["-f", "-", "-o", "json"], &refused, 1, "\"errors\": 1"),
        (&["-f", "-", "-o", "sarif"], &refused, 1, "\"2.1.0\""),
        (&["-f", "-", "-o", "github"], &refused, 1, "::error file=stdin,line=5"),
    ] {
        let (found, out, err) = lint(arguments, stdin, None);
        assert_eq!(found, code, "{arguments:?}: {out}{err}");
        assert!(out.contains(words), "{arguments:?}: {out}");
        assert!(!out.contains('\u{1b}'), "no colours but on a terminal: {out:?}");
    }
}

#[test]
fn what_cannot_be_done_is_told_on_standard_error() {
    for (arguments, code, words) in [
        (&["-f", "/no/such/file"][..], 1, "error: /no/such/file: there is no such file or directory"),
        (&["-f", "https://example.com/a.yaml"], 1, "nothing is fetched from the network"),
        (&[], 2, "--filename"),
        (&["-f", "-", "--ignore", "AL001"], 2, "cannot be silenced"),
        (&["-f", "-", "--ignore", "open"], 2, "did you mean AL006?"),
        (&["-f", "-"], 1, "there is nothing to check"),
        (&["-f", "-", "-n", "Team"], 2, "nothing in Kubernetes can have this name"),
    ] {
        let (found, out, err) = lint(arguments, "", None);
        assert_eq!((found, out.as_str()), (code, ""), "{arguments:?}: {err}");
        assert!(err.contains(words), "{arguments:?}: {err}");
    }
}

#[test]
fn a_kustomization_is_built_with_what_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let program = |name: &str, script: &str| {
        let path = directory.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let here = directory.path().to_str().unwrap();
    let run = || lint(&["-k", here], "", Some(directory.path()));
    let (code, _, err) = run();
    assert_eq!(code, 1);
    assert!(err.contains("neither kubectl nor kustomize is installed"), "{err}");
    program("kustomize", &format!("[ \"$1\" = build ] && echo '{WARNED}'"));
    let (code, out, _) = run();
    assert_eq!(code, 0, "{out}");
    assert!(out.contains(&format!("kustomize build {here}:5:48: warning[AL006]")), "{out}");
    program("kubectl", "echo 'no kustomization.yaml here' >&2; exit 1");
    let (code, _, err) = run();
    assert_eq!(code, 1);
    assert!(err.contains("kubectl kustomize") && err.contains("no kustomization.yaml here"), "{err}");
    let (code, _, err) = lint(&["-k", "/no/such/directory"], "", None);
    assert_eq!(code, 1);
    assert!(err.contains("there is no such file or directory"), "{err}");
}
