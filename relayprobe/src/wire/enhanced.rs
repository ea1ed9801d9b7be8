//! Enhanced status codes (RFC 3463).

use core::fmt;

/// `class.subject.detail`, such as 5.7.1.
///
/// The registry is open (RFC 5248), so unknown codes are kept as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnhancedCode {
    /// 2, 4 or 5.
    pub class: u8,
    /// 0 to 999.
    pub subject: u16,
    /// 0 to 999.
    pub detail: u16,
}

impl EnhancedCode {
    /// Reads a code at the start of a line's text, where RFC 2034 §4 puts it, or after a `#` as qmail writes it.
    pub fn at_start(text: &[u8]) -> Option<Self> {
        Self::read(text).or_else(|| {
            let at = text.iter().position(|&octet| octet == b'#')?;
            Self::read(text.get(at + 1..)?)
        })
    }

    fn read(text: &[u8]) -> Option<Self> {
        let (class, rest) = number(text)?;
        let (subject, rest) = number(rest.strip_prefix(b".")?)?;
        let (detail, rest) = number(rest.strip_prefix(b".")?)?;
        // A fourth number would make it an address, a letter a word.
        let ends = !matches!(rest, [b'.', b'0'..=b'9', ..] | [b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_', ..]);
        match class {
            2 | 4 | 5 if ends => Some(Self { class: u8::try_from(class).ok()?, subject, detail }),
            _ => None,
        }
    }

    /// Whether subject and detail are these, whatever the class.
    pub const fn is(self, subject: u16, detail: u16) -> bool {
        self.subject == subject && self.detail == detail
    }
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// One to three digits from the front.
fn number(text: &[u8]) -> Option<(u16, &[u8])> {
    let length = text.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(length)?;
    if !(1..=3).contains(&length) {
        return None;
    }
    let value = digits.iter().fold(0_u16, |sum, digit| sum * 10 + u16::from(digit & 0x0f));
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn codes_are_found_where_servers_put_them() {
        for (text, code) in [
            ("5.7.1 <x>: Relay access denied", "5.7.1"),
            ("4.7.1", "4.7.1"),
            ("sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", "5.7.1"),
            ("5.7.509 policy", "5.7.509"),
        ] {
            assert_eq!(EnhancedCode::at_start(text.as_bytes()).unwrap().to_string(), code);
        }
    }

    #[test]
    fn what_only_looks_like_a_code_is_none() {
        for text in ["", "3.7.1 x", "5.7", "5.7.1.9 is an address", "5.7.1234 x", "x 5.7.1", "5.7.1x", "5..1"]
        {
            assert_eq!(EnhancedCode::at_start(text.as_bytes()), None, "{text}");
        }
    }
}
