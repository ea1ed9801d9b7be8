//! Address forms with placeholders.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

/// A text with placeholders such as `{probe-user}`, which a run fills with its names.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Form(Cow<'static, str>);

impl Form {
    /// A form of the built-in tables.
    pub(super) const fn built_in(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// A form that [`custom`](super::custom) has checked.
    pub(super) const fn checked(text: String) -> Self {
        Self(Cow::Owned(text))
    }

    /// The text with its placeholders.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text with every placeholder replaced; the first name that is not known, otherwise.
    pub fn fill<T: AsRef<str>>(&self, value: impl Fn(Name) -> Option<T>) -> Result<String, Unknown> {
        let mut text = String::with_capacity(128);
        self.fill_into(&mut text, |name, text| {
            text.push_str(value(name)?.as_ref());
            Some(())
        })?;
        Ok(text)
    }

    /// The same behind what `text` already holds; `put` writes the value of a name.
    pub(crate) fn fill_into(
        &self,
        text: &mut String,
        put: impl Fn(Name, &mut String) -> Option<()>,
    ) -> Result<(), Unknown> {
        for piece in self.pieces() {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Name(name) => put(name, text).ok_or(Unknown(name))?,
                // Stored forms come from files: one that is no form stands for an unknown name.
                Piece::Broken => return Err(Unknown(Name::Token)),
            }
        }
        Ok(())
    }

    /// The pieces from left to right.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut rest = self.as_str();
        core::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            // Forms are short: searching them octet by octet is quickest.
            let find = |text: &str, brace: u8| text.bytes().position(|octet| octet == brace);
            if let Some(inner) = rest.strip_prefix('{') {
                let (word, after) = inner.split_at(find(inner, b'}').unwrap_or(inner.len()));
                rest = after.strip_prefix('}').unwrap_or_default();
                return Some(Name::from_word(word).map_or(Piece::Broken, Piece::Name));
            }
            let (literal, after) = rest.split_at(find(rest, b'{').unwrap_or(rest.len()));
            rest = after;
            Some(Piece::Text(literal))
        })
    }

    /// Whether it has this placeholder.
    pub fn holds(&self, name: Name) -> bool {
        self.pieces().any(|piece| matches!(piece, Piece::Name(found) if found == name))
    }

    /// The last placeholder, which in a recipient is its outermost domain or nothing of the kind.
    pub fn last_name(&self) -> Option<Name> {
        self.pieces().filter_map(|piece| if let Piece::Name(name) = piece { Some(name) } else { None }).last()
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A part of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Name(Name),
    Broken,
}

/// The name that kept a form from being filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown(pub Name);

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// A placeholder of a form, without its braces.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[non_exhaustive]
        pub enum Name {
            $($(#[$doc])* #[cfg_attr(feature = "serde", serde(rename = $word))] $name,)*
        }

        impl Name {
            /// Every placeholder there is.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stored word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

names! {
    /// Our sender address.
    Sender = "sender",
    /// Local part of our sender address.
    SenderUser = "sender-user",
    /// Our sender domain.
    SenderDomain = "sender-domain",
    /// Local part of the probe's own recipient.
    ProbeUser = "probe-user",
    /// Our probe domain.
    ProbeDomain = "probe-domain",
    /// Our probe domain in upper case.
    ProbeDomainUpper = "PROBE-DOMAIN",
    /// Our probe domain with each dot as `+2E`.
    ProbeDomainImcea = "probe-domain-imcea",
    /// Our probe domain with each dot as U+3002.
    ProbeDomainIdeographic = "probe-domain-u3002",
    /// A mail domain of the target's own.
    TargetDomain = "target-domain",
    /// What the target calls itself in reply to EHLO or HELO, else in its greeting; else the name of its MX record.
    TargetHost = "target-host",
    /// IPv4 address of the target.
    TargetIp = "target-ip",
    /// IPv6 address of the target.
    TargetIp6 = "target-ip6",
    /// Reverse name of the target's address.
    TargetRdns = "target-rdns",
    /// Local part of the mailbox that the operator named.
    LocalUser = "local-user",
    /// Domain of the target's provider.
    IspDomain = "isp-domain",
    /// A second mail domain of the target's own.
    HostedDomain = "hosted-domain",
    /// Name in our zone whose MX records name the target.
    LureMx = "lure-mx",
    /// Name in our zone with the target's address.
    LureA = "lure-a",
    /// IPv4 address of our receiving server.
    ProbeIp = "probe-ip",
    /// IPv6 address of our receiving server.
    ProbeIp6 = "probe-ip6",
    /// IPv4 address of our receiving server as one number.
    ProbeIpDecimal = "probe-ip-decimal",
    /// A word that cannot be guessed, new for every probe and run.
    Token = "token",
    /// Name of our receiving server.
    SinkHost = "sink-host",
    /// The mailbox that the operator named, else the target's postmaster.
    OwnMailbox = "own-mailbox",
    /// A domain of the target's own, else its host name.
    OwnDomain = "own-domain",
    /// The sender of the case that a control stands beside, with brackets.
    CaseSender = "case-sender",
    /// The recipient of the case that a control repeats, with brackets.
    CaseRecipient = "case-recipient",
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_from_left_to_right() {
        let form = Form::built_in("<{probe-user}%{probe-domain}@[{target-ip}]>");
        let filled = form.fill(|name| Some(name.as_str().to_ascii_uppercase()));
        assert_eq!(filled.as_deref(), Ok("<PROBE-USER%PROBE-DOMAIN@[TARGET-IP]>"));
        assert_eq!(form.last_name(), Some(Name::TargetIp));
    }

    #[test]
    fn the_first_unknown_name_is_told() {
        let form = Form::built_in("<{sender}@{target-rdns}>");
        let filled = form.fill(|name| (name == Name::Sender).then(String::new));
        assert_eq!(filled, Err(Unknown(Name::TargetRdns)));
    }
}
