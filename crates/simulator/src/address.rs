//! IPv4 addresses and networks, as access lists take them.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// Is this an address or network that a list takes? If not, why. A network with host bits set is taken: the documented
/// pattern allows it.
pub(crate) fn check(text: &str) -> Result<(), String> {
    parse(text).map(|_| ()).ok_or_else(|| {
        if text.contains(':') {
            format!("invalid address {text:?}: only IPv4 is supported")
        } else {
            format!("invalid address {text:?}: must be an IPv4 address or CIDR")
        }
    })
}

/// The text that is stored for an address: itself, or with its prefix length.
pub(crate) fn stored(text: &str, normalize: bool) -> String {
    if normalize && !text.contains('/') { format!("{text}/32") } else { text.to_owned() }
}

/// Is `caller` within the address or network?
pub(crate) fn contains(text: &str, caller: Ipv4Addr) -> bool {
    parse(text).is_some_and(|network| network.contains(&caller))
}

/// The network that a text is; bits behind the prefix do not matter.
pub(crate) fn network(text: &str) -> Option<Ipv4Net> {
    parse(text).map(|network| network.trunc())
}

fn parse(text: &str) -> Option<Ipv4Net> {
    match text.split_once('/') {
        // `08` and `+8` are no prefix lengths.
        Some((_, length)) if length.len() > 1 && !length.starts_with(['1', '2', '3']) => None,
        Some(_) => text.parse().ok(),
        None => text.parse::<Ipv4Addr>().ok().map(Ipv4Net::from),
    }
}
