//! Markdown, as far as these tests need it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The top of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All pages of the documentation.
pub(crate) fn pages() -> Vec<Page> {
    let top = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let top = top.filter(|path| path.extension().is_some_and(|end| end == "md"));
    top.chain(files(&root().join("docs"), "md"))
        .map(|path| Page::new(&path, fs::read_to_string(&path).unwrap()))
        .collect()
}

/// The files below a directory that end so, in order.
pub(crate) fn files(directory: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, end));
        } else if path.extension().is_some_and(|found| found == end) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A Markdown file.
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// A fenced block of code.
pub(crate) struct Block {
    /// Of its fence, from 1.
    pub(crate) line: usize,
    pub(crate) language: String,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn new(path: &Path, text: String) -> Self {
        Self { path: path.to_owned(), text }
    }

    pub(crate) fn name(&self) -> String {
        self.path.strip_prefix(root()).unwrap_or(&self.path).display().to_string()
    }

    /// Blocks of code, without the indent of their fence.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<(usize, Block)> = None;
        for (i, line) in self.text.lines().enumerate() {
            let fence = line.trim_start().strip_prefix("```");
            match (&mut open, fence) {
                (None, Some(language)) => {
                    let indent = line.len() - line.trim_start().len();
                    let block =
                        Block { line: i + 1, language: language.trim().to_owned(), text: String::new() };
                    open = Some((indent, block));
                }
                (Some(_), Some(_)) => blocks.extend(open.take().map(|(_, block)| block)),
                (Some((indent, block)), None) => {
                    block.text.push_str(line.get(*indent..).unwrap_or_default());
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block of code is not closed", self.name());
        blocks
    }

    /// The text outside blocks of code.
    fn prose(&self) -> String {
        let mut inside = false;
        let outside = self.text.lines().filter(|line| {
            let fence = line.trim_start().starts_with("```");
            inside ^= fence;
            !inside && !fence
        });
        outside.collect::<Vec<_>>().join("\n")
    }

    /// Targets of links within the repository.
    pub(crate) fn links(&self) -> Vec<String> {
        // What stands in code is no link: a regular expression may look like one.
        let prose: String = self.prose().split('`').step_by(2).collect();
        let targets = prose.split("](").skip(1).filter_map(|after| Some(after.split_once(')')?.0.to_owned()));
        targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:")).collect()
    }

    /// What a link to one of its headings may say after `#`.
    pub(crate) fn anchors(&self) -> BTreeSet<String> {
        let prose = self.prose();
        let headings = prose.lines().filter(|line| line.starts_with('#'));
        headings
            .map(|line| {
                let words = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                words.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
            })
            .collect()
    }

    /// Text for a shell, with its first line: every `sh` block, what follows `$ ` in a `console` block, and the commands in
    /// the cells of tables.
    pub(crate) fn scripts(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for block in self.blocks() {
            match block.language.as_str() {
                "sh" => found.push((block.line + 1, block.text)),
                "console" => {
                    let lines = block.text.lines().enumerate();
                    let commands =
                        lines.filter_map(|(i, line)| Some((i, line.strip_prefix("$ ")?.to_owned())));
                    found.extend(commands.map(|(i, command)| (block.line + i + 1, command)));
                }
                _ => {}
            }
        }
        let cells = self.text.lines().enumerate().filter_map(|(i, line)| {
            let (command, _) = line.strip_prefix("| `cargo ")?.split_once('`')?;
            Some((i + 1, format!("cargo {command}")))
        });
        found.extend(cells);
        found
    }
}
