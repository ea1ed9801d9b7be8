//! Cases that a caller defines.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::case::{Acceptance, Case, Family, Hello, Line, Odd, Recipient, Shape, Tier, Transfer};
use super::form::{Form, Name, Piece};

/// A caller's case cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaseError {
    /// Ids are stored, so they are kebab-case: `a` to `z`, digits, single hyphens.
    #[error(
        "case id \"{id}\" is not lower-case words and digits joined by single hyphens, at most 48 characters"
    )]
    Id {
        /// What was given.
        id: String,
    },
    /// A form holds a literal text that could name a stranger.
    #[error(
        "\"{text}\" cannot stand in {part}: only placeholders, the marks @ % ! : , ; \" \\ ( ) [ ] = + and \
             the words postmaster, abuse, hostmaster and localhost can"
    )]
    Literal {
        /// `sender` or `recipient`.
        part: &'static str,
        /// The text that is not allowed.
        text: String,
    },
    /// A form has a placeholder that does not exist or is not for callers.
    #[error("{part} \"{form}\" has a placeholder that is unknown, or not for cases of one's own")]
    Placeholder {
        /// `sender` or `recipient`.
        part: &'static str,
        /// The whole form.
        form: String,
    },
    /// The recipient does not lead to the probe domain.
    #[error("recipient \"{form}\" must be in angle brackets and hold {{probe-user}} before {{probe-domain}}")]
    NotOurs {
        /// The whole form.
        form: String,
    },
    /// The sender is neither null nor in angle brackets.
    #[error("sender \"{form}\" must be <> or a form in angle brackets")]
    Sender {
        /// The whole form.
        form: String,
    },
    /// Two names without a mark between them would make a third one.
    #[error("{part} \"{form}\" joins two names without one of @ % ! : , ; between them")]
    Joined {
        /// `sender` or `recipient`.
        part: &'static str,
        /// The whole form.
        form: String,
    },
}

/// Words that are no stranger's, wherever they stand.
const WORDS: [&str; 4] = ["postmaster", "abuse", "hostmaster", "localhost"];
const MARKS: &str = "@%!:,;\"\\()[]=+";
/// Marks that end a name, so that two names cannot grow together.
const ENDS: &str = "@%!:,;\"\\()[]=";

impl Case {
    /// A case of the caller's own.
    ///
    /// `sender` and `recipient` are forms with their angle brackets, such as `<{sender}>` and
    /// `<{probe-user}%{probe-domain}@{target-host}>`. However a server routes the recipient, every name in it is
    /// ours or the target's.
    pub fn custom(id: &str, sender: &str, recipient: &str) -> Result<Self, CaseError> {
        check_id(id)?;
        let mail = check(sender, "sender")?;
        if !(sender.starts_with('<') && sender.ends_with('>')) {
            return Err(CaseError::Sender { form: sender.into() });
        }
        let rcpt = check(recipient, "recipient")?;
        let names: Vec<Name> = rcpt
            .pieces()
            .filter_map(|piece| if let Piece::Name(name) = piece { Some(name) } else { None })
            .collect();
        let user = names.iter().position(|&name| name == Name::ProbeUser);
        let ours = names.contains(&Name::ProbeDomain) && user.is_some();
        if !(recipient.starts_with('<') && recipient.ends_with('>') && ours) {
            return Err(CaseError::NotOurs { form: recipient.into() });
        }
        Ok(Self {
            id: Cow::Owned(id.into()),
            family: Family::Custom,
            tier: Tier::Express,
            to: Recipient::Probe,
            hello: Hello::Own,
            mail: line("MAIL FROM:", mail),
            rcpt: line("RCPT TO:", rcpt),
            shape: Shape::Plain,
            transfer: Transfer::Data,
            needs: Cow::Borrowed(&[]),
            // What a strict server makes of it is not known, so it is spread as if it were odd.
            odd: Odd::Recipient,
            acceptance: Acceptance::Telling,
            why: Cow::Borrowed("a case of the caller's own"),
            source: Cow::Borrowed("caller"),
        })
    }
}

fn line(verb: &'static str, argument: Form) -> Line {
    Line { verb: Cow::Borrowed(verb), argument, parameters: Form::built_in("") }
}

fn check_id(id: &str) -> Result<(), CaseError> {
    let word =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if id.len() <= 48 && id.split('-').all(word) { Ok(()) } else { Err(CaseError::Id { id: id.into() }) }
}

fn check(text: &str, part: &'static str) -> Result<Form, CaseError> {
    let form = Form::checked(text.into());
    let inner = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(text);
    let mut after_name = false;
    for piece in Form::checked(inner.into()).pieces() {
        match piece {
            Piece::Broken => return Err(CaseError::Placeholder { part, form: text.into() }),
            Piece::Name(name) if !is_for_callers(name) => {
                return Err(CaseError::Placeholder { part, form: text.into() });
            }
            Piece::Name(_) if after_name => return Err(CaseError::Joined { part, form: text.into() }),
            Piece::Name(_) => after_name = true,
            Piece::Text(literal) => {
                check_literal(literal, part)?;
                if after_name && !literal.starts_with(|c| ENDS.contains(c)) {
                    return Err(CaseError::Joined { part, form: text.into() });
                }
                // The name that follows must not grow out of this text either.
                after_name = !literal.ends_with(|c| MARKS.contains(c));
            }
        }
    }
    Ok(form)
}

fn check_literal(literal: &str, part: &'static str) -> Result<(), CaseError> {
    let strange = literal.split(|c| MARKS.contains(c)).find(|word| !word.is_empty() && !WORDS.contains(word));
    strange.map_or(Ok(()), |text| Err(CaseError::Literal { part, text: text.into() }))
}

const fn is_for_callers(name: Name) -> bool {
    match name {
        Name::Sender
        | Name::SenderUser
        | Name::SenderDomain
        | Name::ProbeUser
        | Name::ProbeDomain
        | Name::ProbeDomainUpper
        | Name::TargetDomain
        | Name::TargetHost
        | Name::TargetIp
        | Name::TargetIp6
        | Name::TargetRdns
        | Name::HostedDomain
        | Name::Token => true,
        Name::ProbeDomainImcea
        | Name::ProbeDomainIdeographic
        | Name::LocalUser
        | Name::IspDomain
        | Name::LureMx
        | Name::LureA
        | Name::ProbeIp
        | Name::ProbeIp6
        | Name::ProbeIpDecimal
        | Name::SinkHost
        | Name::OwnMailbox
        | Name::OwnDomain
        | Name::CaseSender
        | Name::CaseRecipient => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_that_leads_to_us_is_taken() {
        for recipient in [
            "<{probe-user}@{probe-domain}>",
            "<{probe-user}%{probe-domain}@{target-host}>",
            "<\"{probe-user}@{probe-domain}\"@localhost>",
            "<@{target-domain},@[{target-ip}]:{probe-user}@{probe-domain}>",
        ] {
            assert!(Case::custom("my-case", "<{sender}>", recipient).is_ok(), "{recipient}");
        }
    }

    #[test]
    fn no_form_leads_to_a_stranger() {
        for recipient in [
            "<victim@elsewhere.example>",
            "<{probe-user}@{probe-domain}.elsewhere>",
            "<{probe-user}@{probe-domain}elsewhere>",
            "<{probe-user}@elsewhere.example>,<{probe-user}@{probe-domain}>",
            "<{probe-user}%elsewhere@{probe-domain}>",
            "<{probe-user}@{probe-domain}{target-domain}>",
            "<{probe-user}@{probe-domain}+{target-domain}>",
            "<{probe-user}@{target-domain}>",
            "<{local-user}@{target-domain}>",
            "<{probe-user}@{probe-domain}> RCPT TO:<x@y>",
            "{probe-user}@{probe-domain}",
            "<{probe-user}@{probe-domain}",
            "<{nonsense}@{probe-domain}>",
            "<{probe-user}@{probe-domain}\r\nRCPT TO:<x>",
        ] {
            assert!(Case::custom("my-case", "<>", recipient).is_err(), "{recipient}");
        }
    }

    #[test]
    fn the_sender_is_ours_too() {
        for sender in ["<ceo@bank.example>", "{sender}", "", "<{sender}> SIZE=1"] {
            assert!(Case::custom("my-case", sender, "<{probe-user}@{probe-domain}>").is_err(), "{sender}");
        }
    }

    #[test]
    fn ids_can_be_stored() {
        for id in ["", "A", "a--b", "-a", "a_b", "a b"] {
            let made = Case::custom(id, "<>", "<{probe-user}@{probe-domain}>");
            assert_eq!(made, Err(CaseError::Id { id: id.into() }));
        }
    }
}
