//! Puts mutants into a source, each behind its switch: where the mutant's number is switched on the changed text is
//! carried out, and else what stood there. So all are built at once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::{Context as _, Result};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use super::list::{Genre, Mutant, Place};

/// A source with mutants in it.
#[derive(Debug)]
pub(super) struct Planted {
    pub(super) text: String,
    /// What of the text is there because of which mutants.
    marks: Vec<Mark>,
    /// Mutants without a place.
    pub(super) without: BTreeSet<usize>,
}

#[derive(Debug)]
struct Mark {
    range: Range<usize>,
    mutants: Vec<usize>,
}

impl Planted {
    /// The mutants because of which there is what stands at these bytes: as few as can be told.
    pub(super) fn to_blame(&self, at: &Range<usize>) -> Option<&[usize]> {
        let around =
            self.marks.iter().filter(|mark| mark.range.start <= at.start && at.end <= mark.range.end);
        around.min_by_key(|mark| mark.range.len()).map(|mark| mark.mutants.as_slice())
    }
}

/// Plants these mutants of one file, known by their numbers. A function that asks for a switch cannot be `const`;
/// `constant` names those that have to stay so.
pub(super) fn plant(
    source: &str,
    mutants: &[(usize, &Mutant)],
    constant: &BTreeSet<String>,
) -> Result<Planted> {
    let file = syn::parse_file(source).context("it is not Rust")?;
    let lines: Vec<usize> =
        std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let mut asked: BTreeMap<(Genre, usize), Vec<Asked>> = BTreeMap::new();
    for (number, mutant) in mutants {
        let bytes = |place| byte(source, &lines, place);
        let range = bytes(mutant.span.start)..bytes(mutant.span.end);
        let new = Asked { number: *number, range, replacement: mutant.replacement.clone() };
        asked.entry((mutant.genre, new.range.start)).or_default().push(new);
    }
    let mut planter = Planter { source, asked, constant, edits: Vec::new() };
    planter.visit_file(&file);
    let without = planter.asked.into_values().flatten().map(|asked| asked.number).collect();
    let (text, marks) = written(source, planter.edits);
    Ok(Planted { text, marks, without })
}

fn byte(source: &str, lines: &[usize], place: Place) -> usize {
    let start = lines.get(place.line - 1).copied().unwrap_or(source.len());
    let chars = source[start..].char_indices().nth(place.column - 1);
    chars.map_or(source.len(), |(at, _)| start + at)
}

/// One mutant, by the bytes of the source.
#[derive(Clone)]
struct Asked {
    number: usize,
    range: Range<usize>,
    replacement: String,
}

/// Something new at a place of the source.
struct Edit {
    /// What is taken away; for all but one it is empty.
    range: Range<usize>,
    pieces: Vec<Piece>,
}

enum Piece {
    Text(String),
    Begin(Vec<usize>),
    End,
}

struct Planter<'a> {
    source: &'a str,
    /// By kind and first byte.
    asked: BTreeMap<(Genre, usize), Vec<Asked>>,
    constant: &'a BTreeSet<String>,
    edits: Vec<Edit>,
}

impl Planter<'_> {
    fn take(&mut self, genre: Genre, at: usize) -> Vec<Asked> {
        self.asked.remove(&(genre, at)).unwrap_or_default()
    }

    fn insert(&mut self, at: usize, pieces: Vec<Piece>) {
        self.edits.push(Edit { range: at..at, pieces });
    }

    /// Each of the mutants as a whole expression, from the source; and the expression itself, in which there may be more of
    /// them, where none of these is switched on.
    fn choose(&mut self, node: &Range<usize>, mutants: Vec<Asked>, inner: impl FnOnce(&mut Self)) {
        if mutants.is_empty() {
            return inner(self);
        }
        let mut open = vec![Piece::Begin(mutants.iter().map(|mutant| mutant.number).collect())];
        // What ends with a brace may be a statement, and then it must not begin with a parenthesis.
        let is_block = self.source[node.clone()].starts_with("match");
        open.push(Piece::Text(if is_block { String::new() } else { "(".to_owned() }));
        for mutant in mutants {
            let (start, end) =
                (&self.source[node.start..mutant.range.start], &self.source[mutant.range.end..node.end]);
            open.push(Piece::Text(format!("if crate::planted::at({}) {{ ", mutant.number)));
            open.push(Piece::Begin(vec![mutant.number]));
            open.push(Piece::Text(format!("{start}{}{end}", mutant.replacement)));
            open.extend([Piece::End, Piece::Text(" } else ".to_owned())]);
        }
        open.push(Piece::Text("{ ".to_owned()));
        self.insert(node.start, open);
        inner(self);
        let close = Piece::Text(if is_block { " }" } else { " })" }.to_owned());
        self.insert(node.end, vec![close, Piece::End]);
    }

    fn function(&mut self, signature: &syn::Signature, block: &syn::Block, inner: impl FnOnce(&mut Self)) {
        let body = block.span().byte_range();
        let mutants = match block.stmts.first() {
            Some(first) => self.take(Genre::FnValue, first.span().byte_range().start),
            None => Vec::new(),
        };
        let has_some = |asked: &Asked| body.start <= asked.range.start && asked.range.end <= body.end;
        let asks = !mutants.is_empty() || self.asked.values().flatten().any(has_some);
        if let Some(word) =
            signature.constness.filter(|_| asks && !self.constant.contains(&signature.ident.to_string()))
        {
            self.edits.push(Edit { range: word.span().byte_range(), pieces: Vec::new() });
        }
        if mutants.is_empty() {
            return inner(self);
        }
        // Where the compiler complains of the body, it may be because of what is returned before it.
        self.insert(body.start, vec![Piece::Begin(mutants.iter().map(|mutant| mutant.number).collect())]);
        let opaque = opaque(&signature.output).map(|bounds| self.source[bounds].to_owned());
        let mut open = Vec::new();
        open.extend(
            opaque.iter().map(|bounds| Piece::Text(format!(" let planted: Box<dyn {bounds} + '_> ="))),
        );
        for mutant in mutants {
            let (before, after) = match opaque {
                Some(_) => ("Box::new(", ") } else"),
                None => ("return ", "; }"),
            };
            open.push(Piece::Begin(vec![mutant.number]));
            let number = mutant.number;
            open.push(Piece::Text(format!(
                " if crate::planted::at({number}) {{ {before}{}{after}",
                mutant.replacement
            )));
            open.push(Piece::End);
        }
        let close = opaque.as_ref().map(|_| Piece::Text(" ) }; planted ".to_owned()));
        open.extend(close.as_ref().map(|_| Piece::Text(" { Box::new({ ".to_owned())));
        self.insert(body.start + 1, open);
        inner(self);
        // The body's own brace comes in between.
        self.insert(
            body.end - 1,
            close.map(|close| vec![Piece::Text(" }".to_owned()), close]).unwrap_or_default(),
        );
        self.insert(body.end, vec![Piece::End]);
    }
}

/// Where the bounds of `impl Bounds` are. What such a function returns is of one type, whatever mutant is on: a box of it.
fn opaque(output: &syn::ReturnType) -> Option<Range<usize>> {
    match output {
        syn::ReturnType::Type(_, kind) => match &**kind {
            syn::Type::ImplTrait(kind) => Some(kind.bounds.span().byte_range()),
            _ => None,
        },
        syn::ReturnType::Default => None,
    }
}

impl<'ast> Visit<'ast> for Planter<'_> {
    fn visit_item_fn(&mut self, node: &'ast syn::ItemFn) {
        self.function(&node.sig, &node.block, |this| visit::visit_item_fn(this, node));
    }

    fn visit_impl_item_fn(&mut self, node: &'ast syn::ImplItemFn) {
        self.function(&node.sig, &node.block, |this| visit::visit_impl_item_fn(this, node));
    }

    fn visit_trait_item_fn(&mut self, node: &'ast syn::TraitItemFn) {
        match &node.default {
            Some(block) => self.function(&node.sig, block, |this| visit::visit_trait_item_fn(this, node)),
            None => visit::visit_trait_item_fn(self, node),
        }
    }

    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        // In a chain of conditions with `let` there is no other operator, and no place for another expression.
        let mutants = if has_let(&node.left) || has_let(&node.right) {
            Vec::new()
        } else {
            self.take(Genre::BinaryOperator, node.op.span().byte_range().start)
        };
        self.choose(&node.span().byte_range(), mutants, |this| visit::visit_expr_binary(this, node));
    }

    fn visit_expr_unary(&mut self, node: &'ast syn::ExprUnary) {
        let range = node.span().byte_range();
        let mutants = self.take(Genre::UnaryOperator, range.start);
        self.choose(&range, mutants, |this| visit::visit_expr_unary(this, node));
    }

    fn visit_expr_match(&mut self, node: &'ast syn::ExprMatch) {
        let starts = node.arms.iter().map(|arm| arm.span().byte_range().start);
        let starts: Vec<usize> = starts.collect();
        let mutants = starts.into_iter().flat_map(|start| self.take(Genre::MatchArm, start)).collect();
        self.choose(&node.span().byte_range(), mutants, |this| visit::visit_expr_match(this, node));
    }

    fn visit_arm(&mut self, node: &'ast syn::Arm) {
        self.visit_pat(&node.pat);
        if let Some((_, guard)) = &node.guard {
            let range = guard.span().byte_range();
            let mutants = self.take(Genre::MatchArmGuard, range.start);
            self.choose(&range, mutants, |this| this.visit_expr(guard));
        }
        self.visit_expr(&node.body);
    }

    fn visit_expr_struct(&mut self, node: &'ast syn::ExprStruct) {
        let starts = node.fields.iter().map(|field| field.span().byte_range().start);
        let starts: Vec<usize> = starts.collect();
        let mutants = starts.into_iter().flat_map(|start| self.take(Genre::StructField, start)).collect();
        self.choose(&node.span().byte_range(), mutants, |this| visit::visit_expr_struct(this, node));
    }
}

fn has_let(expression: &syn::Expr) -> bool {
    match expression {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(node) => has_let(&node.left) || has_let(&node.right),
        _ => false,
    }
}

/// The source with the edits, and where the marks came to be.
fn written(source: &str, mut edits: Vec<Edit>) -> (String, Vec<Mark>) {
    // Those at one place are in their order already: an expression's end is met before what follows it.
    edits.sort_by_key(|edit| edit.range.start);
    let (mut text, mut marks, mut open) = (String::new(), Vec::new(), Vec::new());
    let mut done = 0;
    for edit in edits {
        text.push_str(&source[done..edit.range.start]);
        done = edit.range.end;
        for piece in edit.pieces {
            match piece {
                Piece::Text(new) => text.push_str(&new),
                Piece::Begin(mutants) => open.push((text.len(), mutants)),
                Piece::End => marks
                    .extend(open.pop().map(|(start, mutants)| Mark { range: start..text.len(), mutants })),
            }
        }
    }
    text.push_str(&source[done..]);
    (text, marks)
}

/// What a crate needs so that mutants can be switched on: the environment names one by its number, or a file for the
/// numbers of all that are met.
pub(super) fn switch(count: usize) -> String {
    format!(
        r#"
#[doc(hidden)]
#[allow(missing_docs, clippy::all)]
pub mod planted {{
    use std::sync::{{LazyLock, Mutex, atomic::{{AtomicBool, Ordering}}}};
    static ON: LazyLock<usize> = LazyLock::new(|| {{
        std::env::var("{ON}").ok().and_then(|number| number.parse().ok()).unwrap_or(usize::MAX)
    }});
    static FILE: LazyLock<Option<Mutex<std::fs::File>>> = LazyLock::new(|| {{
        let path = std::env::var_os("{MET}")?;
        std::fs::OpenOptions::new().append(true).create(true).open(path).ok().map(Mutex::new)
    }});
    static SEEN: [AtomicBool; {count}] = [const {{ AtomicBool::new(false) }}; {count}];
    #[must_use]
    pub fn at(number: usize) -> bool {{
        if let Some(file) = &*FILE {{
            if !SEEN[number].swap(true, Ordering::Relaxed) {{
                use std::io::Write as _;
                let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let _ = file.write_all(format!("{{number}}\n").as_bytes());
            }}
        }}
        *ON == number
    }}
}}
"#
    )
}

/// The environment variable with the number of the mutant that is there.
pub(super) const ON: &str = "MUTANT";

/// The environment variable with the file for the numbers of those that are met.
pub(super) const MET: &str = "MUTANTS_MET";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::list::tests::mutant;

    /// With one mutant, whose number is 7.
    fn planted(genre: Genre, source: &str, what: &str, replacement: &str) -> Planted {
        let mutant = mutant(genre, source, what, replacement);
        plant(source, &[(7, &mutant)], &BTreeSet::new()).unwrap()
    }

    #[test]
    fn each_kind_of_mutant_is_put_behind_its_switch() {
        use Genre::{BinaryOperator, FnValue, MatchArm, MatchArmGuard, StructField, UnaryOperator};
        let table = [
            (
                FnValue,
                "const fn f() -> u8 { one(); 2 }",
                "one(); 2",
                "0",
                " fn f() -> u8 { if crate::planted::at(7) { return 0; } one(); 2 }",
            ),
            (
                FnValue,
                "fn f() -> impl Iterator<Item = u8> { [1].into_iter() }",
                "[1].into_iter()",
                "::std::iter::empty()",
                "fn f() -> impl Iterator<Item = u8> { let planted: Box<dyn Iterator<Item = u8> + '_> = if crate::planted::at(7) { Box::new(::std::iter::empty()) } else { Box::new({  [1].into_iter()  } ) }; planted }",
            ),
            (
                BinaryOperator,
                "fn f() { if ä && !b { c } }",
                "&&",
                "||",
                "fn f() { if (if crate::planted::at(7) { ä || !b } else { ä && !b }) { c } }",
            ),
            (
                UnaryOperator,
                "fn f() { a(!b) }",
                "!",
                "",
                "fn f() { a((if crate::planted::at(7) { b } else { !b })) }",
            ),
            (
                MatchArm,
                "fn f() { match a { 1 => b, _ => c } }",
                "1 => b,",
                "",
                "fn f() { if crate::planted::at(7) { match a {  _ => c } } else { match a { 1 => b, _ => c } } }",
            ),
            (
                MatchArmGuard,
                "fn f() { match a { 1 if d => b, _ => c } }",
                "d",
                "true",
                "fn f() { match a { 1 if (if crate::planted::at(7) { true } else { d }) => b, _ => c } }",
            ),
            (
                StructField,
                "fn f() { A { b: 1, ..c } }",
                "b: 1,",
                "",
                "fn f() { (if crate::planted::at(7) { A {  ..c } } else { A { b: 1, ..c } }) }",
            ),
        ];
        for (genre, source, what, replacement, expected) in table {
            let planted = planted(genre, source, what, replacement);
            assert_eq!(planted.text, expected);
            assert!(planted.without.is_empty());
            let at = planted.text.find("planted").unwrap();
            assert_eq!(planted.to_blame(&(at..at + 1)), Some([7].as_slice()));
            assert_eq!(planted.to_blame(&(0..1)), None);
        }
    }

    #[test]
    fn mutants_in_mutants_are_all_there_and_the_innermost_is_blamed() {
        let source = "fn f() { a && b && c }";
        let first = mutant(Genre::BinaryOperator, source, "&& b", "|| b");
        let second = mutant(Genre::BinaryOperator, source, "&& c", "|| c");
        let planted = plant(source, &[(1, &first), (2, &second)], &BTreeSet::new()).unwrap();
        let inner = "(if crate::planted::at(1) { a || b } else { a && b })";
        let outer =
            format!("fn f() {{ (if crate::planted::at(2) {{ a && b || c }} else {{ {inner} && c }}) }}");
        assert_eq!(planted.text, outer);
        let at = planted.text.find("a || b").unwrap();
        assert_eq!(planted.to_blame(&(at..at + 2)), Some([1].as_slice()));
    }

    #[test]
    fn what_has_no_place_is_told() {
        let chain = planted(Genre::BinaryOperator, "fn f() { if a && let b = c { d } }", "&&", "||");
        assert_eq!(chain.without, BTreeSet::from([7]));
        let source = "const fn f() -> u8 { 2 }";
        let it = mutant(Genre::FnValue, source, "2", "0");
        let kept = plant(source, &[(7, &it)], &BTreeSet::from(["f".to_owned()])).unwrap();
        assert!(kept.text.starts_with("const fn f"), "{}", kept.text);
    }
}
