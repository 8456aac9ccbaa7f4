//! Ids and names that the real service would make: here they follow from the seed and from what they name, so that the
//! same world always has the same names, whatever the order of calls.

use crate::state::Cloud;

/// 128 bits that follow from the seed and the parts. FNV-1a with a finisher: stable for ever, unlike the hasher of the
/// standard library; it need not be strong.
fn bits(seed: u64, parts: &[&str]) -> u128 {
    let half = |salt: u64| {
        let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed.rotate_left(17) ^ salt;
        for part in parts {
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            for byte in (part.len() as u64).to_le_bytes().into_iter().chain(part.bytes()) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u128::from(hash ^ (hash >> 31))
    };
    (half(0) << 64) | half(0x9e37_79b9_7f4a_7c15)
}

/// Lower-case hexadecimal digits, at most 32.
#[must_use]
pub fn hex(seed: u64, parts: &[&str], digits: usize) -> String {
    format!("{:032x}", bits(seed, parts)).chars().take(digits).collect()
}

/// A UUID in the form of version 4.
#[must_use]
pub fn uuid(seed: u64, parts: &[&str]) -> String {
    let hex = hex(seed, parts, 32);
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

/// An AWS account id.
#[must_use]
pub fn account(seed: u64, parts: &[&str]) -> String {
    format!("{:012}", bits(seed, parts) % 1_000_000_000_000)
}

/// A private network that somebody might have, e.g. `10.37.0.0/16`.
#[must_use]
pub fn network(seed: u64, parts: &[&str]) -> String {
    format!("10.{}.0.0/16", bits(seed, parts) % 256)
}

/// A datacenter's private link service, in the form of its cloud.
#[must_use]
pub fn service(seed: u64, cloud: Cloud, region: &str, datacenter: &str) -> String {
    let parts = ["service", datacenter];
    let short = hex(seed, &["service name", datacenter], 8);
    match cloud {
        Cloud::Aws => format!("com.amazonaws.vpce.{region}.vpce-svc-{}", hex(seed, &parts, 17)),
        Cloud::Azure => format!("astra-{short}.{}.{region}.azure.privatelinkservice", uuid(seed, &parts)),
        Cloud::Gcp => format!(
            "projects/astra-{short}/regions/{region}/serviceAttachments/astra-{}",
            hex(seed, &parts, 12)
        ),
    }
}

/// The id under which an endpoint is kept. On Azure it is not the one that was sent, but the endpoint's name and a GUID.
#[must_use]
pub fn endpoint(seed: u64, cloud: Cloud, datacenter: &str, sent: &str) -> String {
    match cloud {
        Cloud::Azure => {
            let name = sent.rsplit('/').next().unwrap_or(sent);
            format!("{name}.{}", uuid(seed, &["endpoint", datacenter, sent]))
        }
        Cloud::Aws | Cloud::Gcp => sent.to_owned(),
    }
}
