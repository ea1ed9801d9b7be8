//! Tokens: what ties something that comes back to one probe of one run against one target.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::address::Domain;
use crate::moment::Date;
use crate::target::{Path, Tls};

/// Seconds that a token is good for: queues give up after four to five days (RFC 5321 §4.5.4.1), and their reports
/// have a life of their own.
pub const LIFE: u64 = 8 * 86_400;

/// The only layout there is; two bits.
const VERSION: u8 = 1;
/// Keys that can be told apart: three bits.
const KEYS: u8 = 8;
/// Probes that can be told apart: eleven bits.
pub(crate) const PROBES: usize = 2_048;
/// Octets of the MAC that are carried.
const MAC: usize = 9;

/// The identity of one probe of one run, with a MAC that only the tester's key can make.
///
/// Shown and read as 26 characters of lower-case base32 (RFC 4648 §6), so that it survives as local part, as label of a
/// domain, and where a server changes the case of letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token([u8; Self::OCTETS]);

/// What the MAC covers although the token does not carry it: a token is good for one target only.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The target address.
    pub target: IpAddr,
    /// The way in.
    pub path: Path,
    /// The domain of the recipient.
    pub probe_domain: &'a Domain,
}

/// A text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is {} letters a to z and digits 2 to 7; this is not", Token::LENGTH)]
pub struct TokenError;

impl Token {
    /// Characters of a token.
    pub const LENGTH: usize = 26;
    const OCTETS: usize = 16;

    /// The name of its run.
    pub fn run(&self) -> String {
        let [_, _, run @ .., _, _, _, _, _, _, _, _, _] = &self.0;
        base32(run)
    }

    /// The number of its probe.
    pub fn probe(&self) -> u16 {
        self.head() & 0x07ff
    }

    /// The id of its key.
    pub fn key(&self) -> u8 {
        let [first, ..] = self.0;
        (first >> 3) & 7
    }

    /// Every token in a text, wherever it stands. Most of what looks like one is none: verify what is found.
    pub fn find(text: &[u8]) -> impl Iterator<Item = Self> {
        let candidates = text.windows(Self::LENGTH);
        candidates.filter_map(|window| Self::read(window).filter(|token| token.version() == VERSION))
    }

    fn read(text: &[u8]) -> Option<Self> {
        let mut upper = [0; Self::LENGTH];
        if text.len() != upper.len()
            || !text.iter().all(|b| b.is_ascii_alphabetic() || (b'2'..=b'7').contains(b))
        {
            return None;
        }
        upper.copy_from_slice(text);
        upper.make_ascii_uppercase();
        let mut octets = [0; Self::OCTETS];
        // The last character has two bits that carry nothing; other than zero they are refused.
        let written = BASE32_NOPAD.decode_mut(&upper, &mut octets).ok()?;
        (written == octets.len()).then_some(Self(octets))
    }

    fn head(&self) -> u16 {
        let [first, second, ..] = self.0;
        u16::from_be_bytes([first, second])
    }

    fn version(&self) -> u8 {
        let [first, ..] = self.0;
        first >> 6
    }

    /// What stands before the MAC.
    fn claim(&self) -> &[u8] {
        self.0.get(..Self::OCTETS - MAC).unwrap_or_default()
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        Self::read(text.as_bytes()).filter(|token| token.version() == VERSION).ok_or(TokenError)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32(&self.0))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({self})")
    }
}

/// The secret that makes and checks tokens. Not part of any plan, report or log: it shows its id, never its octets.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    id: u8,
    made: Date,
    secret: [u8; Self::OCTETS],
}

impl Key {
    /// Octets of a secret.
    pub const OCTETS: usize = 32;

    /// What it is called in tokens.
    pub const fn id(&self) -> u8 {
        self.id
    }

    /// When it was made.
    pub const fn made(&self) -> Date {
        self.made
    }

    fn mac(&self, claim: &[u8], binding: &Binding<'_>) -> Hmac<Sha256> {
        // HMAC takes keys of any length, so this cannot fail.
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.secret).unwrap_or_else(|_| Hmac::new(&[0; 64].into()));
        let address = match binding.target {
            IpAddr::V4(v4) => v4.to_ipv6_mapped(),
            IpAddr::V6(v6) => v6,
        };
        let tls = match binding.path.tls {
            Tls::None => 0,
            Tls::StartTls => 1,
            Tls::StartTlsIfAsked => 2,
            Tls::Implicit => 3,
        };
        mac.update(claim);
        mac.update(&address.octets());
        mac.update(&binding.path.port.to_be_bytes());
        mac.update(&[tls]);
        mac.update(binding.probe_domain.as_str().as_bytes());
        mac
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("made", &self.made).finish_non_exhaustive()
    }
}

/// The keys of a tester. Only the one in use makes tokens; older ones still check what they made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyring {
    older: Vec<Key>,
    current: Key,
}

/// A text is no keyring.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// A line is no key. The line itself is not shown: it may hold a secret.
    #[error(
        "line {line} of the keyring is not ID DATE SECRET with an id from 0 to 7 and 64 hexadecimal digits"
    )]
    Line {
        /// Line number, from 1.
        line: usize,
    },
    /// Two keys have the same id.
    #[error("line {line} of the keyring has the id {id} of an earlier line")]
    Twice {
        /// Line number, from 1.
        line: usize,
        /// The id.
        id: u8,
    },
    /// There is no key.
    #[error("the keyring holds no key")]
    Empty,
}

impl Keyring {
    /// A keyring of one key, made on `date` from 32 octets that nobody can guess.
    pub fn new(secret: [u8; Key::OCTETS], date: Date) -> Self {
        Self { older: Vec::new(), current: Key { id: 0, made: date, secret } }
    }

    /// The keys, the one in use last.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.older.iter().chain([&self.current])
    }

    /// Puts a new key into use. Keys whose tokens have all ended are dropped; so is the oldest of eight, whose id the
    /// new one takes.
    pub fn roll(&mut self, secret: [u8; Key::OCTETS], date: Date) {
        let id = (self.current.id + 1) % KEYS;
        self.older.push(core::mem::replace(&mut self.current, Key { id, made: date, secret }));
        // A key was in use until the one after it was made.
        let ends: Vec<Date> = self.keys().skip(1).map(Key::made).collect();
        let mut ends = ends.into_iter();
        self.older.retain(|key| {
            let until = ends.next().unwrap_or(date);
            key.id != id && date.unix().saturating_sub(until.unix()) <= LIFE
        });
    }

    /// The token of a probe, by the key in use. `run` is 40 bits, `probe` eleven.
    pub(crate) fn issue(&self, run: u64, probe: u16, binding: &Binding<'_>) -> Token {
        let key = &self.current;
        let head = (u16::from(VERSION) << 14) | (u16::from(key.id) << 11) | (probe & 0x07ff);
        let mut octets = [0; Token::OCTETS];
        let [_, _, _, name @ ..] = run.to_be_bytes();
        let claim = head.to_be_bytes().into_iter().chain(name);
        octets.iter_mut().zip(claim).for_each(|(to, from)| *to = from);
        let mut token = Token(octets);
        let mac = key.mac(token.claim(), binding).finalize().into_bytes();
        token.0.iter_mut().skip(Token::OCTETS - MAC).zip(mac).for_each(|(to, from)| *to = from);
        token
    }

    /// Whether a key of this ring made the token for this binding. Takes the same time whatever the token says.
    pub fn verify(&self, token: &Token, binding: &Binding<'_>) -> bool {
        let Some(key) = self.keys().find(|key| key.id == token.key()) else { return false };
        let carried = token.0.get(Token::OCTETS - MAC..).unwrap_or_default();
        key.mac(token.claim(), binding).verify_truncated_left(carried).is_ok()
    }

    /// The form in which a keyring is kept: a line a key.
    pub fn to_text(&self) -> String {
        let line = |key: &Key| {
            alloc::format!("{} {} {}\n", key.id, key.made, data_encoding::HEXLOWER.encode(&key.secret))
        };
        self.keys().map(line).collect()
    }

    /// Reads the form in which a keyring is kept.
    pub fn from_text(text: &str) -> Result<Self, KeyringError> {
        let mut keys: Vec<Key> = Vec::new();
        for (at, text) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let line = at + 1;
            let key = read_key(text).ok_or(KeyringError::Line { line })?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(KeyringError::Twice { line, id: key.id });
            }
            keys.push(key);
        }
        let current = keys.pop().ok_or(KeyringError::Empty)?;
        Ok(Self { older: keys, current })
    }
}

fn read_key(line: &str) -> Option<Key> {
    let mut words = line.split_ascii_whitespace();
    let id = words.next()?.parse().ok().filter(|&id| id < KEYS)?;
    let made = words.next()?.parse().ok()?;
    let secret = data_encoding::HEXLOWER_PERMISSIVE.decode(words.next()?.as_bytes()).ok()?;
    let whole = words.next().is_none();
    Some(Key { id, made, secret: secret.try_into().ok().filter(|_| whole)? })
}

/// 40 bits of the seed as 8 characters of base32: the name of a run.
pub(crate) fn run_name(seed: u64) -> String {
    let [_, _, _, run @ ..] = seed.to_be_bytes();
    base32(&run)
}

/// Lower-case base32 without padding (RFC 4648 §6).
fn base32(octets: &[u8]) -> String {
    let mut text = BASE32_NOPAD.encode(octets);
    text.make_ascii_lowercase();
    text
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    const DATE: Date = Date::from_unix(1_795_473_834);

    fn binding<'a>(target: &str, port: u16, domain: &'a Domain) -> Binding<'a> {
        Binding { target: target.parse().unwrap(), path: Path { port, tls: Tls::None }, probe_domain: domain }
    }

    #[test]
    fn a_token_tells_run_and_probe_and_is_checked() {
        let (ring, domain) = (Keyring::new([7; 32], DATE), "probe.example".parse().unwrap());
        let here = binding("192.0.2.1", 25, &domain);
        let token = ring.issue(0x12_3456_789a, 2_047, &here);
        let text = token.to_string();
        assert_eq!((text.len(), token.probe(), token.key()), (Token::LENGTH, 2_047, 0));
        assert_eq!(token.run(), run_name(0x12_3456_789a));
        assert!(ring.verify(&text.parse().unwrap(), &here));
        assert!(ring.verify(&text.to_uppercase().parse().unwrap(), &here), "{text}");
        assert!(ring.verify(&token, &binding("::ffff:192.0.2.1", 25, &domain)));
    }

    #[test]
    fn a_token_is_good_for_its_target_only() {
        let (ring, domain) = (Keyring::new([7; 32], DATE), "probe.example".parse().unwrap());
        let token = ring.issue(1, 1, &binding("192.0.2.1", 25, &domain));
        let other = "other.example".parse().unwrap();
        for wrong in [
            binding("192.0.2.2", 25, &domain),
            binding("192.0.2.1", 587, &domain),
            binding("192.0.2.1", 25, &other),
            Binding { path: Path { port: 25, tls: Tls::StartTls }, ..binding("192.0.2.1", 25, &domain) },
        ] {
            assert!(!ring.verify(&token, &wrong), "{wrong:?}");
        }
        assert!(!Keyring::new([8; 32], DATE).verify(&token, &binding("192.0.2.1", 25, &domain)));
    }

    #[test]
    fn every_changed_bit_is_refused() {
        let (ring, domain) = (Keyring::new([7; 32], DATE), "probe.example".parse().unwrap());
        let here = binding("192.0.2.1", 25, &domain);
        let token = ring.issue(0xff_0000_0001, 5, &here);
        for bit in 0..128 {
            let mut octets = token.0;
            octets[bit / 8] ^= 1 << (bit % 8);
            assert!(!ring.verify(&Token(octets), &here), "bit {bit}");
        }
        // As text: no other character may stand in any place.
        let text = token.to_string();
        for at in 0..text.len() {
            for other in "abcdefghijklmnopqrstuvwxyz234567".chars().filter(|&c| !text[at..].starts_with(c)) {
                let changed = alloc::format!("{}{other}{}", &text[..at], &text[at + 1..]);
                assert!(!changed.parse().is_ok_and(|token| ring.verify(&token, &here)), "{changed}");
            }
        }
    }

    #[test]
    fn tokens_are_found_wherever_they_stand() {
        let (ring, domain) = (Keyring::new([7; 32], DATE), "probe.example".parse().unwrap());
        let token = ring.issue(9, 9, &binding("192.0.2.1", 25, &domain));
        for text in ["<{}@probe.example>", "SRS0=x=y=z={}@t", "\"t:{}\"@p", "=3D{}", "b{}@x", "{}", "x {}y"] {
            let text = text.replace("{}", &token.to_string());
            assert!(Token::find(text.as_bytes()).any(|found| found == token), "{text}");
        }
        assert_eq!(Token::find(b"no token in here at all, whatever one says").count(), 0);
    }

    #[test]
    fn keys_roll_and_old_ones_still_check() {
        let domain = "probe.example".parse().unwrap();
        let here = binding("192.0.2.1", 25, &domain);
        let mut ring = Keyring::new([0; 32], DATE);
        let old = ring.issue(1, 1, &here);
        let day = |count: u64| Date::from_unix(DATE.unix() + count * 86_400);
        ring.roll([1; 32], day(1));
        assert!(ring.verify(&old, &here) && ring.issue(1, 1, &here).key() == 1);
        assert_eq!(Keyring::from_text(&ring.to_text()), Ok(ring.clone()));
        // The first key was in use until the second came, so its last token has ended by now.
        ring.roll([2; 32], day(10));
        assert!(!ring.verify(&old, &here) && ring.keys().count() == 2);
        for count in 0..20 {
            ring.roll([3; 32], day(10));
            assert!(ring.keys().count() <= 8, "{count}");
        }
    }

    #[test]
    fn a_damaged_keyring_is_told_by_line_and_shows_no_secret() {
        let good = Keyring::new([9; 32], DATE).to_text();
        assert_eq!(Keyring::from_text(""), Err(KeyringError::Empty));
        for bad in
            ["x", "8 2026-11-23 00", "0 2026-11-23", &good.replace("09", "0"), &good.replace('\n', " x\n")]
        {
            assert_eq!(Keyring::from_text(bad), Err(KeyringError::Line { line: 1 }), "{bad}");
        }
        assert_eq!(Keyring::from_text(&good.repeat(2)), Err(KeyringError::Twice { line: 2, id: 0 }));
        assert!(!alloc::format!("{:?}", Keyring::new([0xab; 32], DATE)).contains("ab"));
    }
}
