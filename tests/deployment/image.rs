//! The image and the release, as far as they can be judged without building them.

use std::{fs, process::Command};

use serde_json::Value;

use crate::page::root;

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The lines of the last stage, with continued lines joined.
fn last_stage(dockerfile: &str) -> Vec<String> {
    let text = dockerfile.replace("\\\n", " ");
    let lines: Vec<_> =
        text.lines().map(str::trim).filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let from = lines.iter().rposition(|line| line.starts_with("FROM ")).unwrap();
    lines[from..].iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn the_image_holds_the_program_and_the_roots_and_is_nobody() {
    let stage = last_stage(&read("Dockerfile"));
    let of = |word: &str| {
        stage.iter().filter(|line| line.starts_with(word)).map(String::as_str).collect::<Vec<_>>()
    };
    assert_eq!(of("FROM "), ["FROM scratch"]);
    assert_eq!(
        of("COPY "),
        [
            "COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt",
            "COPY --from=build /out/astra-operator /astra-operator",
        ]
    );
    assert_eq!(of("USER "), ["USER 65532:65532"]);
    assert!(of("RUN ").is_empty() && of("ADD ").is_empty());
    for label in ["title", "description", "licenses", "version", "revision", "source"] {
        assert!(of("LABEL ").concat().contains(&format!("org.opencontainers.image.{label}=")), "{label}");
    }
}

#[test]
fn the_image_is_built_with_the_toolchain_of_the_project() {
    let toolchain = read("rust-toolchain.toml");
    let version =
        toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap().trim_matches('"');
    let minor = version.rsplit_once('.').unwrap().0;
    assert!(read("Dockerfile").contains(&format!("ARG BUILDER=rust:{minor}-")), "{version}");
    assert!(read("docs/guide/install.md").contains(&format!("rust:{minor}-alpine")));
}

/// All that is not named stays outside: a token that lies about in a checkout must not get into a layer.
#[test]
fn the_context_of_the_build_is_a_list_of_what_it_needs() {
    let ignored = read(".dockerignore");
    let rules: Vec<_> = ignored.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(rules[0], "*");
    for needed in ["Cargo.toml", "Cargo.lock", "crates", "src", "tests"] {
        assert!(rules.contains(&format!("!{needed}").as_str()), "{needed}");
    }
}

#[test]
fn the_release_uses_actions_by_commit_and_puts_no_expression_into_a_shell() {
    let workflow: Value = serde_saphyr::from_str(&read(".github/workflows/release.yml")).unwrap();
    let mut steps = 0;
    for job in workflow["jobs"].as_object().unwrap().values() {
        for step in job["steps"].as_array().unwrap() {
            steps += 1;
            if let Some(uses) = step["uses"].as_str() {
                let commit = uses.split_once('@').unwrap().1;
                assert!(commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()), "{uses}");
            }
            // A tag's name is anybody's who may push one; in a variable it is no code.
            let run = step["run"].as_str().unwrap_or_default();
            assert!(!run.contains("${{"), "{run}");
            if !run.is_empty() {
                let checked = Command::new("sh").args(["-n", "-c", run]).status().unwrap();
                assert!(checked.success(), "{run}");
            }
        }
    }
    assert!(steps > 15, "only {steps} steps were found");
    assert_eq!(workflow["permissions"], serde_json::json!({ "contents": "read" }));
}

#[test]
fn what_is_let_into_the_program_is_written_down() {
    let deny = read("deny.toml");
    for part in ["[advisories]", "[licenses]", "[bans]", "[sources]", "unknown-registry = \"deny\""] {
        assert!(deny.contains(part), "{part}");
    }
    let lock = read("Cargo.lock");
    for banned in ["openssl-sys", "native-tls", "aws-lc-sys"] {
        assert!(deny.contains(&format!("{{ crate = \"{banned}\" }}")), "{banned}");
        assert!(!lock.contains(&format!("name = \"{banned}\"\n")), "{banned} is in Cargo.lock");
    }
    assert!(!lock.contains("source = \"git+"), "a dependency comes from a repository");
}
