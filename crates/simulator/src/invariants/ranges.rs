//! Sets of IPv4 addresses. Access is compared by who gets in, and never by the texts of entries: `10.0.0.0/8` and its
//! two halves let in the same people.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// A set of addresses: ranges with both ends in, in order, with gaps between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    /// Everybody.
    pub(super) fn everybody() -> Self {
        Self(vec![(0, u32::MAX)])
    }

    /// All that is within any of these networks.
    pub(super) fn of(networks: impl IntoIterator<Item = Ipv4Net>) -> Self {
        let ends = networks
            .into_iter()
            .map(|network| (u32::from(network.network()), u32::from(network.broadcast())));
        Self::tidy(ends.collect())
    }

    /// Nobody?
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is in either.
    pub(super) fn union(&self, other: &Self) -> Self {
        Self::tidy(self.0.iter().chain(&other.0).copied().collect())
    }

    /// What is in both.
    pub(super) fn intersection(&self, other: &Self) -> Self {
        self.minus(&other.complement())
    }

    /// What is in this and not in the other.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        for &(mut from, to) in &self.0 {
            let mut ends_inside = true;
            for &(start, end) in other.0.iter().filter(|(start, _)| *start <= to) {
                if end < from {
                    continue;
                }
                if start > from {
                    left.push((from, start - 1));
                }
                ends_inside = end < to;
                if !ends_inside {
                    break;
                }
                from = end + 1;
            }
            if ends_inside {
                left.push((from, to));
            }
        }
        Self(left)
    }

    /// In words: the first of it.
    pub(super) fn sample(&self) -> String {
        let text = |&(from, to): &(u32, u32)| {
            let (from, to) = (Ipv4Addr::from(from), Ipv4Addr::from(to));
            if from == to { from.to_string() } else { format!("{from}-{to}") }
        };
        let shown: Vec<String> = self.0.iter().take(3).map(text).collect();
        let more = if self.0.len() > 3 { " and more" } else { "" };
        format!("{}{more}", shown.join(", "))
    }

    fn complement(&self) -> Self {
        Self::everybody().minus(self)
    }

    fn tidy(mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.sort_unstable();
        let mut tidy: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (from, to) in ranges {
            match tidy.last_mut() {
                Some((_, end)) if from <= end.saturating_add(1) => *end = (*end).max(to),
                _ => tidy.push((from, to)),
            }
        }
        Self(tidy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(texts: &[&str]) -> Ranges {
        Ranges::of(texts.iter().map(|text| text.parse().unwrap()))
    }

    #[test]
    fn sets_compare_by_who_is_in_them() {
        let halves = set(&["10.128.0.0/9", "10.0.0.0/9"]);
        assert_eq!(halves, set(&["10.0.0.0/8"]));
        assert_eq!(set(&["0.0.0.0/0", "10.0.0.0/8"]), Ranges::everybody());
        assert_eq!(set(&["10.0.0.0/24", "10.0.0.7/32"]), set(&["10.0.0.0/24"]));
        assert_eq!(set(&["0.0.0.0/1", "128.0.0.0/1"]), Ranges::everybody());
        assert!(set(&[]).is_empty() && !Ranges::everybody().is_empty());
    }

    #[test]
    fn what_is_taken_out_is_out_and_nothing_else() {
        for (from, out, left) in [
            (&["10.0.0.0/30"][..], &["10.0.0.1/32"][..], &["10.0.0.0/32", "10.0.0.2/31"][..]),
            (&["10.0.0.0/30"], &["10.0.0.0/8"], &[]),
            (&["10.0.0.0/30"], &["10.0.0.0/31"], &["10.0.0.2/31"]),
            (&["10.0.0.0/30"], &["10.0.0.2/31"], &["10.0.0.0/31"]),
            (&["10.0.0.0/30"], &["10.0.1.0/24"], &["10.0.0.0/30"]),
            (
                &["10.0.0.0/30", "10.0.0.8/30"],
                &["10.0.0.0/32", "10.0.0.11/32"],
                &["10.0.0.1/32", "10.0.0.2/31", "10.0.0.8/31", "10.0.0.10/32"],
            ),
            (&["255.255.255.254/31"], &["255.255.255.255/32"], &["255.255.255.254/32"]),
            (&["0.0.0.0/0"], &["0.0.0.0/0"], &[]),
            (&[], &["0.0.0.0/0"], &[]),
        ] {
            assert_eq!(set(from).minus(&set(out)), set(left), "{from:?} without {out:?}");
        }
    }

    #[test]
    fn what_is_in_both_and_in_either() {
        let (one, other) = (set(&["10.0.0.0/24", "10.0.2.0/24"]), set(&["10.0.0.128/25", "10.0.1.0/24"]));
        assert_eq!(one.intersection(&other), set(&["10.0.0.128/25"]));
        assert_eq!(one.union(&other), set(&["10.0.0.0/23", "10.0.2.0/24"]));
        assert_eq!(one.intersection(&Ranges::everybody()), one);
        assert_eq!(one.union(&other).sample(), "10.0.0.0-10.0.2.255");
    }
}
