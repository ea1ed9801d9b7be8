//! Octets as they came, in a form that is safe to show and to store.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt::{self, Write as _};
use core::hash::{Hash, Hasher};
use core::num::NonZeroU32;
use core::ops::Range;

/// Octets from or to a server.
///
/// Shown and stored with `\xNN` for everything that is not printable ASCII, and `\\` for the backslash, so that
/// nothing is lost and nothing a server sends can steer a terminal.
///
/// Copies share their octets, and so do parts of what came or was sent in one piece: a run keeps each octet once.
#[derive(Clone, Default)]
pub struct Octets {
    piece: Arc<[u8]>,
    /// Where they begin in the piece. Two halves of a word, as a transcript holds hundreds of them.
    from: u32,
    /// Where they end; at its end if nobody says.
    to: Option<NonZeroU32>,
}

/// A stored text is not the escaped form of octets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("octets are printable ASCII with \\xNN and \\\\ as escapes; this is not, at byte {at}")]
pub struct OctetsError {
    /// Offset of the first byte that does not fit.
    pub at: usize,
}

impl Octets {
    /// The octets themselves.
    pub fn as_bytes(&self) -> &[u8] {
        self.piece.get(self.range()).unwrap_or_default()
    }

    /// A part that shares its octets with the whole.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        let whole = self.range();
        let place = |at: usize| whole.start.saturating_add(at).min(whole.end);
        let (from, to) = (place(range.start), place(range.end));
        match (u32::try_from(from), u32::try_from(to).ok().and_then(NonZeroU32::new)) {
            (Ok(from), to @ Some(_)) => Self { piece: Arc::clone(&self.piece), from, to },
            // Nothing, or farther on than half a word can tell.
            _ => self.piece.get(from..to).unwrap_or_default().into(),
        }
    }

    fn range(&self) -> Range<usize> {
        let place = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        place(self.from)..self.to.map_or(self.piece.len(), |to| place(to.get()))
    }

    /// Reads the escaped form back.
    pub fn from_escaped(text: &str) -> Result<Self, OctetsError> {
        let mut octets = Vec::with_capacity(text.len());
        let mut rest = text.bytes().enumerate();
        while let Some((at, byte)) = rest.next() {
            match byte {
                b'\\' => octets.push(unescape(&mut rest).ok_or(OctetsError { at })?),
                b' '..=b'~' => octets.push(byte),
                _ => return Err(OctetsError { at }),
            }
        }
        Ok(octets.into())
    }

    /// The escaped form.
    pub fn escaped(&self) -> String {
        escape(self.as_bytes())
    }
}

/// The escaped form of `octets`; see [`Octets`].
pub fn escape(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for &octet in octets {
        match octet {
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(octet)),
            // Writing to a string cannot fail.
            _ => drop(write!(text, "\\x{octet:02x}")),
        }
    }
    text
}

/// The JSON of a value without odd keys and floats, on one line. JSON lets DEL and the controls behind it stand, which
/// steer terminals too: they are escaped like the others.
#[cfg(feature = "serde")]
pub(crate) fn json(value: &impl serde::Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    if !json.contains(char::is_control) {
        return json;
    }
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\0'..='~' | '\u{a0}'.. => shown.push(c),
            // Writing to a string cannot fail.
            '\u{7f}'..='\u{9f}' => drop(write!(shown, "\\u{:04x}", u32::from(c))),
        }
    }
    shown
}

/// SHA-256 in hexadecimal: what stands for octets that are not kept.
pub(crate) fn sha256(octets: &[u8]) -> String {
    use sha2::Digest as _;
    data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(octets))
}

fn unescape(rest: &mut impl Iterator<Item = (usize, u8)>) -> Option<u8> {
    match rest.next()?.1 {
        b'\\' => Some(b'\\'),
        b'x' => {
            let high = char::from(rest.next()?.1).to_digit(16)?;
            let low = char::from(rest.next()?.1).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()
        }
        _ => None,
    }
}

impl From<&[u8]> for Octets {
    fn from(octets: &[u8]) -> Self {
        Self { piece: octets.into(), from: 0, to: None }
    }
}

impl From<Vec<u8>> for Octets {
    fn from(octets: Vec<u8>) -> Self {
        octets.as_slice().into()
    }
}

impl PartialEq for Octets {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Octets {}

impl PartialOrd for Octets {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Octets {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Octets {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl fmt::Display for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.escaped())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Octets {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Octets {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_escaped(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_survives_and_none_is_shown_raw() {
        let all: Vec<u8> = (0..=255).collect();
        let text = escape(&all);
        assert!(text.bytes().all(|b| (b' '..=b'~').contains(&b)));
        assert_eq!(Octets::from_escaped(&text), Ok(Octets::from(all)));
    }

    #[cfg(feature = "serde")]
    #[test]
    fn no_control_stands_in_json() {
        let all: String = (0..0x100).filter_map(char::from_u32).collect();
        let text = json(&all);
        assert!(!text.contains(char::is_control), "{text}");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), all);
    }

    #[test]
    fn a_part_is_what_stands_there() {
        let whole = Octets::from(&b"250 one\r\n250 two\r\n"[..]);
        let second = whole.part(9..18);
        assert_eq!(second, Octets::from(&b"250 two\r\n"[..]));
        assert_eq!(second.part(4..99).part(0..3).as_bytes(), b"two");
        assert_eq!(whole.part(18..27).as_bytes(), b"");
    }

    #[test]
    fn a_damaged_escape_is_refused_with_its_place() {
        for text in ["a\\", "a\\x", "a\\x1", "a\\xzz", "a\\n", "a\u{1b}"] {
            assert_eq!(Octets::from_escaped(text), Err(OctetsError { at: 1 }), "{text}");
        }
    }
}
