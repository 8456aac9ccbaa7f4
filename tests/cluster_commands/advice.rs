//! What to do about each reason: there is a word on every one.

use std::collections::BTreeSet;

use astra_operator::{
    engine::Reason,
    explain::advice::{About, Advised, advice},
};

const ABOUT: About<'static> = About {
    kind: "aal",
    namespace: "team-a",
    name: "orders",
    secret: "astra-credentials",
    key: "token",
    message: "6 of the 6 entries …; annotate the object with astra.datastax.com/allow-mass-removal=6; to keep them",
};

#[test]
fn every_reason_has_an_advice_of_its_own_in_whole_sentences() {
    let mut texts = BTreeSet::new();
    for reason in Reason::ALL {
        let Advised { text, command } = advice(*reason, &ABOUT);
        assert!(text.len() > 20 && text.ends_with('.'), "{reason}: {text:?}");
        let sentences = text.matches(". ").count() + 1;
        assert!(sentences <= 3, "{reason}: {sentences} sentences are too many for 3 a.m.");
        assert!(texts.insert(text), "{reason} has the text of another");
        let command = command.unwrap_or_default();
        assert!(command.is_empty() || command.starts_with("kubectl -n team-a "), "{reason}: {command}");
        // Whoever waits is not told to change something, and whoever has to change something is told what.
        assert!(command.is_empty() || reason.needs_a_person(), "{reason}: {command}");
    }
}

#[test]
fn the_number_to_be_allowed_is_that_of_the_message() {
    let command = |message| advice(Reason::MassRemoval, &About { message, ..ABOUT }).command;
    let expected =
        "kubectl -n team-a annotate aal orders --overwrite astra.datastax.com/allow-mass-removal=6";
    assert_eq!(command(ABOUT.message).as_deref(), Some(expected));
    assert_eq!(command("without a number"), None);
}
