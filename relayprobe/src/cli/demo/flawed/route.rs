//! Where mail for a recipient goes: the flaws are here.

use super::{DOMAIN, HOST};

/// What becomes of mail for a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// It is for a mailbox of our own.
    Here,
    /// It is sent on to this recipient.
    Onward(String),
    /// It is accepted and lost.
    Nowhere,
    /// We have no such mailbox.
    Unknown,
    /// It is not for us to take.
    Stranger,
}

impl Route {
    /// Reads a recipient, as it stands between its brackets.
    pub(super) fn of(sender: &str, recipient: &str) -> Self {
        let Some((local, domain)) = recipient.rsplit_once('@') else { return Self::within(recipient) };
        if is_own(domain) {
            return Self::within(local);
        }
        // The first flaw: whoever sends a bounce is believed to have a message of ours.
        if sender.is_empty() { Self::Onward(recipient.into()) } else { Self::Stranger }
    }

    /// What a local part of our own domain leads to.
    fn within(local: &str) -> Self {
        if local.eq_ignore_ascii_case("postmaster") {
            return Self::Here;
        }
        if local.starts_with('"') {
            return Self::Unknown;
        }
        // The second flaw: what is left of the percent sign is routed on and never checked.
        if let Some((user, domain)) = local.rsplit_once('%') {
            return match (user, domain) {
                ("", _) | (_, "") => Self::Unknown,
                _ if is_own(domain) => Self::within(user),
                _ => Self::Onward(format!("{user}@{domain}")),
            };
        }
        // The third: a path for UUCP is accepted, and there is no UUCP.
        if local.contains('!') { Self::Nowhere } else { Self::Unknown }
    }
}

fn is_own(domain: &str) -> bool {
    [DOMAIN, HOST].iter().any(|own| domain.eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_goes_where_the_flaws_send_it() {
        let onward = |to: &str| Route::Onward(to.into());
        for (sender, recipient, route) in [
            ("a@s.example", "postmaster", Route::Here),
            ("a@s.example", "Postmaster@TARGET.example", Route::Here),
            ("a@s.example", "postmaster@mx.target.example", Route::Here),
            ("", "postmaster@target.example", Route::Here),
            ("a@s.example", "x@target.example", Route::Unknown),
            ("", "x@target.example", Route::Unknown),
            ("a@s.example", "x", Route::Unknown),
            ("a@s.example", "x@probe.example", Route::Stranger),
            ("", "x@probe.example", onward("x@probe.example")),
            ("a@s.example", "x%probe.example@target.example", onward("x@probe.example")),
            ("a@s.example", "x%probe.example%target.example@mx.target.example", onward("x@probe.example")),
            ("a@s.example", "x%target.example@target.example", Route::Unknown),
            ("a@s.example", "x%@target.example", Route::Unknown),
            ("a@s.example", "\"x%probe.example\"@target.example", Route::Unknown),
            ("a@s.example", "x%target.example@probe.example", Route::Stranger),
            ("a@s.example", "probe.example!x", Route::Nowhere),
            ("a@s.example", "probe.example!x@target.example", Route::Nowhere),
            ("a@s.example", "target.example!x@probe.example", Route::Stranger),
            ("a@s.example", "x@probe.example@target.example", Route::Unknown),
        ] {
            assert_eq!(Route::of(sender, recipient), route, "{sender} to {recipient}");
        }
    }
}
