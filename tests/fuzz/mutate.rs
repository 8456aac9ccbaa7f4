//! Mutations of a corpus, as a fuzzer makes them, but drawn from one fixed seed: a failure comes back in the next run.

use fastrand::Rng;

/// Pieces that readers of these formats treat in their own way.
const PIECES: [&[u8]; 24] = [
    b"null",
    b"{}",
    b"[]",
    b"\"\"",
    b"0",
    b"-1",
    b"18446744073709551616",
    b"1e999",
    b"{\"errors\":[]}",
    b"../",
    b"%2f",
    b"?",
    b"#",
    b"\\u0000",
    b"\\ud800",
    b"\xff",
    b"\n",
    b"\r\n",
    b"\x1b[31m",
    b"\xc2\x9b",
    b"\xe2\x80\xae",
    b"/32",
    b"<html>",
    b"\xef\xbb\xbf",
];

/// An endless row of mutations.
pub(crate) struct Mutations<'a> {
    seeds: &'a [Vec<u8>],
    random: Rng,
}

impl<'a> Mutations<'a> {
    /// Of these inputs.
    pub(crate) fn of(seeds: &'a [Vec<u8>]) -> Self {
        Self { seeds, random: Rng::with_seed(0x00A5_74A0) }
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let random = &mut self.random;
        let at = random.usize(..=input.len());
        match random.u8(..8) {
            0 if at < input.len() => input[at] ^= 1 << random.u8(..8),
            1 if at < input.len() => input[at] = random.u8(..),
            2 => input.insert(at, random.u8(..)),
            3 if at < input.len() => drop(input.drain(at..random.usize(at + 1..=input.len().min(at + 16)))),
            4 => drop(input.splice(at..at, PIECES[random.usize(..PIECES.len())].iter().copied())),
            5 => input.truncate(at),
            6 => {
                let end = random.usize(at..=input.len());
                let piece = input[at..end].to_vec();
                let to = random.usize(..=input.len());
                input.splice(to..to, piece);
            }
            _ => {
                let other = &self.seeds[random.usize(..self.seeds.len())];
                let from = random.usize(..=other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
        }
    }
}

impl Iterator for Mutations<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut input = self.seeds.get(self.random.usize(..self.seeds.len().max(1)))?.clone();
        for _ in 0..self.random.u8(1..=6) {
            self.change(&mut input);
        }
        // Doubling upon doubling would make inputs that only cost time.
        input.truncate(4096);
        Some(input)
    }
}
