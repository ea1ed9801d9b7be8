//! The special-purpose ranges of the IANA registries, and the IPv4 addresses that other addresses carry.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of addresses at which there is no mail server of the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Range {
    /// Its first address.
    pub address: IpAddr,
    /// Length of its prefix.
    pub prefix: u8,
    /// What it is for, and the range as the registry writes it.
    pub name: &'static str,
}

/// The ranges of both address families, the smallest first where one lies in another.
///
/// From the IANA registries of IPv4 and IPv6 special-purpose addresses (RFC 6890) and of multicast addresses. Ranges
/// that the registry calls globally reachable are here too: what they are for is no mail server. Addresses that carry an
/// IPv4 address in their range are judged by it; see [`special_range`].
pub fn special_ranges() -> impl Iterator<Item = Range> {
    let v4 = IPV4.iter().map(|&(address, prefix, name)| Range { address: IpAddr::V4(address), prefix, name });
    v4.chain(IPV6.iter().map(|&(address, prefix, name)| Range { address: IpAddr::V6(address), prefix, name }))
}

const fn v4(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

const fn v6(a: u16, b: u16, c: u16, d: u16) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)
}

const IPV4: [(Ipv4Addr, u8, &str); 21] = [
    (v4(0, 0, 0, 0), 8, "this network (0.0.0.0/8)"),
    (v4(10, 0, 0, 0), 8, "private (10.0.0.0/8)"),
    (v4(100, 64, 0, 0), 10, "shared address space (100.64.0.0/10)"),
    (v4(127, 0, 0, 0), 8, "loopback (127.0.0.0/8)"),
    (v4(169, 254, 0, 0), 16, "link-local (169.254.0.0/16)"),
    (v4(172, 16, 0, 0), 12, "private (172.16.0.0/12)"),
    (v4(192, 0, 0, 0), 24, "protocol assignments (192.0.0.0/24)"),
    (v4(192, 0, 2, 0), 24, "documentation (192.0.2.0/24)"),
    (v4(192, 31, 196, 0), 24, "AS112 (192.31.196.0/24)"),
    (v4(192, 52, 193, 0), 24, "AMT (192.52.193.0/24)"),
    (v4(192, 88, 99, 0), 24, "6to4 relay (192.88.99.0/24)"),
    (v4(192, 168, 0, 0), 16, "private (192.168.0.0/16)"),
    (v4(192, 175, 48, 0), 24, "AS112 (192.175.48.0/24)"),
    (v4(198, 18, 0, 0), 15, "benchmarking (198.18.0.0/15)"),
    (v4(198, 51, 100, 0), 24, "documentation (198.51.100.0/24)"),
    (v4(203, 0, 113, 0), 24, "documentation (203.0.113.0/24)"),
    (v4(233, 252, 0, 0), 24, "documentation (233.252.0.0/24)"),
    (v4(224, 0, 0, 0), 24, "local multicast (224.0.0.0/24)"),
    (v4(224, 0, 0, 0), 4, "multicast (224.0.0.0/4)"),
    (v4(255, 255, 255, 255), 32, "broadcast (255.255.255.255)"),
    (v4(240, 0, 0, 0), 4, "reserved (240.0.0.0/4)"),
];

const IPV6: [(Ipv6Addr, u8, &str); 27] = [
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified (::)"),
    (Ipv6Addr::LOCALHOST, 128, "loopback (::1)"),
    (v6(0, 0, 0, 0), 96, "IPv4-compatible (::/96)"),
    (Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96, "IPv4-translated (::ffff:0:0:0/96)"),
    (v6(0x64, 0xff9b, 1, 0), 48, "local translation (64:ff9b:1::/48)"),
    (v6(0x100, 0, 0, 0), 64, "discard (100::/64)"),
    (v6(0x100, 0, 0, 1), 64, "dummy prefix (100:0:0:1::/64)"),
    (v6(0x2001, 0, 0, 0), 32, "Teredo (2001::/32)"),
    (v6(0x2001, 1, 0, 0), 32, "anycast assignments (2001:1::/32)"),
    (v6(0x2001, 2, 0, 0), 48, "benchmarking (2001:2::/48)"),
    (v6(0x2001, 3, 0, 0), 32, "AMT (2001:3::/32)"),
    (v6(0x2001, 4, 0x112, 0), 48, "AS112 (2001:4:112::/48)"),
    (v6(0x2001, 0x10, 0, 0), 28, "ORCHID (2001:10::/28)"),
    (v6(0x2001, 0x20, 0, 0), 28, "ORCHIDv2 (2001:20::/28)"),
    (v6(0x2001, 0x30, 0, 0), 28, "drone identities (2001:30::/28)"),
    (v6(0x2001, 0, 0, 0), 23, "protocol assignments (2001::/23)"),
    (v6(0x2001, 0xdb8, 0, 0), 32, "documentation (2001:db8::/32)"),
    (v6(0x2002, 0, 0, 0), 16, "6to4 (2002::/16)"),
    (v6(0x2620, 0x4f, 0x8000, 0), 48, "AS112 (2620:4f:8000::/48)"),
    (v6(0x3fff, 0, 0, 0), 20, "documentation (3fff::/20)"),
    (v6(0x5f00, 0, 0, 0), 16, "segment identifiers (5f00::/16)"),
    (v6(0xfc00, 0, 0, 0), 7, "unique local (fc00::/7)"),
    (v6(0xfe80, 0, 0, 0), 10, "link-local (fe80::/10)"),
    (v6(0xfec0, 0, 0, 0), 10, "site-local (fec0::/10)"),
    (v6(0xff00, 0, 0, 0), 8, "multicast (ff00::/8)"),
    (v6(0x64, 0xff9b, 0, 0), 96, "translation (64:ff9b::/96)"),
    // Whatever is not unicast of the internet (RFC 4291 §2.4, and the registry of IPv6 address space).
    (v6(0, 0, 0, 0), 0, "outside the unicast addresses of the internet (2000::/3)"),
];

/// The special-purpose range that an address is in, if any: no such address is a server on the internet.
///
/// An address that carries an IPv4 address is in the range of that one. One that carries an IPv4 address of the internet
/// is in none, if it may lead there (6to4, NAT64), and in its own otherwise.
pub fn special_range(address: IpAddr) -> Option<&'static str> {
    match (address.to_canonical(), carried(address)) {
        (IpAddr::V4(v4), _) => name_v4(v4),
        (IpAddr::V6(v6), IpAddr::V4(v4)) => name_v4(v4).or_else(|| match v6.segments() {
            [0x64, 0xff9b, 0, ..] | [0x2002, ..] => None,
            _ => name_v6(v6),
        }),
        (IpAddr::V6(v6), IpAddr::V6(_)) => name_v6(v6),
    }
}

/// The address itself, or the IPv4 address that it carries in one of the ways there are: where a connection to it may
/// end.
///
/// IPv4-mapped and IPv4-compatible (RFC 4291 §2.5.5), IPv4-translated (RFC 2765 §2.1), NAT64 (RFC 6052 §2.1), Teredo
/// (RFC 4380 §4), 6to4 (RFC 3056 §2), ISATAP (RFC 5214 §6.1).
pub fn carried(address: IpAddr) -> IpAddr {
    let v4 = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match address.to_canonical() {
        IpAddr::V6(v6) => match v6.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0 | 1] => IpAddr::V6(v6),
            [0, 0, 0, 0, 0 | 0xffff, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
            [0x2001, 0, .., high, low] => v4(!high, !low),
            [0x2002, high, low, ..] => v4(high, low),
            [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => v4(high, low),
            _ => IpAddr::V6(v6),
        },
        canonical @ IpAddr::V4(_) => canonical,
    }
}

/// Why no single server can ever be at an address, if so.
pub(super) fn never_a_host(address: IpAddr) -> Option<&'static str> {
    match carried(address) {
        IpAddr::V4(v4) if v4.octets()[0] == 0 || v4.octets()[0] >= 224 => name_v4(v4),
        IpAddr::V6(v6) if v6.is_unspecified() || v6.is_multicast() => name_v6(v6),
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
}

fn name_v4(address: Ipv4Addr) -> Option<&'static str> {
    let lies_in = |&&(first, prefix, _): &&(Ipv4Addr, u8, &str)| {
        let differs = address.to_bits() ^ first.to_bits();
        differs.checked_shr(32 - u32::from(prefix)).unwrap_or(0) == 0
    };
    IPV4.iter().find(lies_in).map(|&(.., name)| name)
}

fn name_v6(address: Ipv6Addr) -> Option<&'static str> {
    let lies_in = |&&(first, prefix, _): &&(Ipv6Addr, u8, &str)| {
        let differs = address.to_bits() ^ first.to_bits();
        differs.checked_shr(128 - u32::from(prefix)).unwrap_or(0) == 0
    };
    let (_, prefix, name) = IPV6.iter().find(lies_in)?;
    let unicast = address.segments()[0] >> 13 == 1;
    (*prefix > 0 || !unicast).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn every_range_is_refused_from_its_first_address_to_its_last() {
        for range in special_ranges().filter(|range| range.prefix > 0) {
            let (first, last) = match range.address {
                IpAddr::V4(v4) => {
                    let host = u32::MAX.checked_shr(u32::from(range.prefix)).unwrap_or(0);
                    (range.address, IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() | host)))
                }
                IpAddr::V6(v6) => {
                    let host = u128::MAX.checked_shr(u32::from(range.prefix)).unwrap_or(0);
                    (range.address, IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() | host)))
                }
            };
            assert!(special_range(first).is_some(), "{first} of {}", range.name);
            assert!(special_range(last).is_some(), "{last} of {}", range.name);
        }
    }

    #[test]
    fn special_addresses_are_seen_through_every_spelling() {
        for text in [
            "127.0.0.1",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::808:808",
            "2002:7f00:1::",
            "2606:4700::5efe:7f00:1",
            "2606:4700::200:5efe:a00:1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "ff02::1",
            "fe80::1",
            "fd00::1",
            "192.0.2.1",
            "2001:0:0:0:0:0:80ff:fffe",
            "2001:0:0:0:0:0:f7f7:f7f7",
            "::7f00:1",
            "::808:808",
            "100:0:0:1::1",
            "5f00::1",
            "4000::1",
            "2620:4f:8000::1",
        ] {
            assert!(special_range(ip(text)).is_some(), "{text}");
        }
        for text in [
            "8.8.8.8",
            "2606:4700::1111",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "172.32.0.1",
            "192.0.1.1",
            "2001:200::1",
            "3ffe::1",
        ] {
            assert_eq!(special_range(ip(text)), None, "{text}");
        }
    }

    #[test]
    fn the_narrowest_range_names_an_address() {
        assert_eq!(special_range(ip("2001:db8::1")), Some("documentation (2001:db8::/32)"));
        assert_eq!(special_range(ip("2001:1ff::1")), Some("protocol assignments (2001::/23)"));
        assert_eq!(special_range(ip("255.255.255.255")), Some("broadcast (255.255.255.255)"));
        assert_eq!(special_range(ip("64:ff9b::a00:1")), Some("private (10.0.0.0/8)"));
    }
}
