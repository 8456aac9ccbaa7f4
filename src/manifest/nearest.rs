//! Did you mean …?

/// Longer words are no slip of the hand, and comparing them takes time.
const LONGEST: usize = 64;

/// The word that was probably meant.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let distance = |other: &str| strsim::damerau_levenshtein(&word, &other.to_lowercase());
    let best = known.map(|other| (distance(other), other)).min()?;
    // A third of the letters may be wrong, of a short word one.
    let allowed = (word.chars().count().max(best.1.len()) / 3).max(1);
    (best.0 <= allowed).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let known = ["addresses", "database", "deletionPolicy", "management", "publicAccess"];
        for (word, expected) in [
            ("publicaccess", Some("publicAccess")),
            ("public_access", Some("publicAccess")),
            ("adresses", Some("addresses")),
            ("address", Some("addresses")),
            ("databse", Some("database")),
            ("managment", Some("management")),
            ("deletePolicy", Some("deletionPolicy")),
            ("owner", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known.into_iter()), expected, "{word}");
        }
        assert_eq!(nearest(&"a".repeat(65), known.into_iter()), None);
    }
}
