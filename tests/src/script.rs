//! A mail server that follows the rules of a dialogue.

use std::time::Duration;

use crate::dialogue::{Action, Dialogue, Rule, actions};

/// A server's side of a dialogue: commands in, actions out.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of a dialogue")]
pub struct Server {
    rules: Vec<(Rule, usize)>,
    offers: Vec<String>,
    /// Whether the handshake fails after `STARTTLS` was agreed.
    pub breaks_tls: bool,
    /// Whether TLS begins with the first octet.
    pub begins_with_tls: bool,
    /// Whether each octet is a segment of its own.
    pub in_segments: bool,
    /// Whether a message also ends where only LF, or only CR, stands around the dot.
    pub ends_leniently: bool,
    /// Whether its certificate is of another host and of another time.
    pub expired: bool,
    /// How long it thinks before each answer.
    pub thinks: Duration,
    /// After so many octets nothing more is said, on any connection.
    pub falls_silent_after: Option<usize>,
    /// What is done when it falls silent, instead of being there in silence.
    pub then: Option<Action>,
    /// Commands received, for expectations.
    pub commands: Vec<String>,
    /// Messages received, as they were written.
    pub messages: Vec<Vec<u8>>,
    /// Connections taken.
    pub connections: usize,
    refusals: Refusals,
}

/// Commands refused for good.
#[derive(Clone, Copy, Debug, Default)]
struct Refusals {
    /// Since somebody connected last.
    here: usize,
    ever: usize,
}

/// Commands and messages that are kept: a server may be there for days.
const KEPT: usize = 20_000;

/// The rules of a closed server that keeps the standard.
const DEFAULTS: &[(&str, &str)] = &[
    ("greeting", "220 mx.target.example ESMTP"),
    ("helo *", "250 mx.target.example"),
    ("mail from:*", "250 2.1.0 Ok"),
    ("rcpt to:<postmaster>", "250 2.1.5 Ok"),
    ("rcpt to:<postmaster@target.example>", "250 2.1.5 Ok"),
    ("rcpt to:<postmaster@mx.target.example>", "250 2.1.5 Ok"),
    ("rcpt to:<alice@target.example>", "250 2.1.5 Ok"),
    ("rcpt to:<*@target.example>", "550 5.1.1 User unknown"),
    ("rcpt to:<*@mx.target.example>", "550 5.1.1 User unknown"),
    ("rcpt to:*", "554 5.7.1 Relay access denied"),
    ("rset", "250 2.0.0 Ok"),
    ("data", "554 5.5.1 no valid recipients"),
    ("message", "250 2.0.0 Ok: queued as 4bCd5"),
    ("quit", "221 2.0.0 Bye|!close"),
    ("*", "500 5.5.2 unknown command"),
];

/// What a client writes on one connection, cut into commands and messages.
#[derive(Debug, Default)]
pub struct Intake {
    octets: Vec<u8>,
    message: Option<Message>,
}

/// A message that is being received.
#[derive(Clone, Copy, Debug)]
enum Message {
    /// Until a line of a dot.
    Data,
    /// So many octets.
    Bdat(usize),
}

impl Intake {
    /// More octets came.
    pub fn take(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// Whether octets are left.
    #[must_use]
    pub const fn has_more(&self) -> bool {
        !self.octets.is_empty()
    }

    /// What the server does at the next whole command or message.
    pub fn next(&mut self, server: &mut Server, secured: bool) -> Option<Vec<Action>> {
        match self.message {
            None => self.command(server, secured),
            Some(Message::Data) => {
                let end = self.end_of_data(server.ends_leniently)?;
                Some(self.finish(server, end))
            }
            Some(Message::Bdat(count)) => {
                if self.octets.len() < count {
                    return None;
                }
                Some(self.finish(server, count))
            }
        }
    }

    /// Where a message ends: after a dot on a line of its own, and for a lenient server also if LF alone ends these lines.
    fn end_of_data(&self, leniently: bool) -> Option<usize> {
        if self.octets.starts_with(b".\r\n") {
            return Some(3);
        }
        let after = |end: &[u8]| {
            let place = self.octets.windows(end.len()).position(|window| window == end)?;
            Some(place + end.len())
        };
        let strict = after(b"\r\n.\r\n");
        let lenient = || [after(b"\n.\n"), after(b"\n.\r\n"), after(b"\r.\r")].into_iter().flatten().min();
        if leniently { lenient() } else { strict }
    }

    fn finish(&mut self, server: &mut Server, end: usize) -> Vec<Action> {
        self.message = None;
        server.message(self.octets.drain(..end).collect())
    }

    fn command(&mut self, server: &mut Server, secured: bool) -> Option<Vec<Action>> {
        let end = self.octets.windows(2).position(|pair| pair == b"\r\n")?;
        let line: Vec<u8> = self.octets.drain(..end + 2).collect();
        let text = String::from_utf8_lossy(&line[..end]).to_ascii_lowercase();
        if let Some(count) = text.strip_prefix("bdat ").and_then(|rest| rest.split(' ').next()?.parse().ok())
        {
            server.keep(text);
            self.message = Some(Message::Bdat(count));
            return self.next(server, secured);
        }
        let actions = server.command(&line[..end], secured);
        let goes_on = |action: &Action| matches!(action, Action::Send(octets) if octets.starts_with(b"354"));
        self.message = actions.iter().any(goes_on).then_some(Message::Data);
        Some(actions)
    }
}

impl Server {
    /// The server of a dialogue.
    ///
    /// # Panics
    /// If a default rule is broken.
    #[must_use]
    pub fn new(dialogue: &Dialogue) -> Self {
        let offers: Vec<String> = dialogue
            .settings
            .iter()
            .filter(|(key, _)| key == "offers")
            .map(|(_, value)| value.clone())
            .collect();
        let default = |(pattern, reply): &(&str, &str)| Rule {
            pattern: (*pattern).into(),
            nth: None,
            actions: actions(reply).expect("a default rule"),
        };
        let rules = dialogue
            .rules
            .iter()
            .cloned()
            .chain(DEFAULTS.iter().map(default))
            .map(|rule| (rule, 0))
            .collect();
        Self {
            rules,
            offers,
            breaks_tls: dialogue.has("broken-tls"),
            begins_with_tls: dialogue.has("implicit-tls"),
            in_segments: dialogue.has("segments"),
            ends_leniently: dialogue.has("lenient-end"),
            expired: dialogue.has("expired"),
            thinks: Duration::ZERO,
            falls_silent_after: None,
            then: None,
            commands: Vec::new(),
            messages: Vec::new(),
            connections: 0,
            refusals: Refusals::default(),
        }
    }

    /// Somebody connected.
    pub fn connected(&mut self) -> Vec<Action> {
        self.connections += 1;
        self.refusals.here = 0;
        let mut actions = self.react("greeting", false);
        if self.begins_with_tls {
            actions.insert(0, Action::Tls);
        }
        self.in_time(actions)
    }

    /// A command line came, without its CRLF. Octets that are no text are shown as such.
    pub fn command(&mut self, line: &[u8], secured: bool) -> Vec<Action> {
        let actions = self.answer(line, secured);
        self.in_time(actions)
    }

    fn keep(&mut self, command: String) {
        if self.commands.len() < KEPT {
            self.commands.push(command);
        }
    }

    /// A whole message came.
    pub fn message(&mut self, octets: Vec<u8>) -> Vec<Action> {
        if self.messages.len() < KEPT {
            self.messages.push(octets);
        }
        let actions = self.react("message", true);
        self.in_time(actions)
    }

    /// Thinks first, and falls silent at its octet.
    fn in_time(&mut self, mut actions: Vec<Action>) -> Vec<Action> {
        if !self.thinks.is_zero() {
            actions.insert(0, Action::Wait(self.thinks));
        }
        self.silenced(actions)
    }

    /// Cuts what is said at the octet where the server falls silent.
    fn silenced(&mut self, mut actions: Vec<Action>) -> Vec<Action> {
        let Some(left) = &mut self.falls_silent_after else { return actions };
        for action in &mut actions {
            if let Action::Send(octets) = action {
                octets.truncate(*left);
                *left -= octets.len();
            }
        }
        actions.retain(|action| *action != Action::Send(Vec::new()));
        if *left == 0 {
            actions.extend(self.then.clone());
        }
        actions
    }

    fn answer(&mut self, line: &[u8], secured: bool) -> Vec<Action> {
        let text = String::from_utf8_lossy(line).into_owned();
        self.keep(text.clone());
        let lower = text.to_ascii_lowercase();
        if lower.starts_with("ehlo ") && !self.has_ehlo_rule(&lower, secured) {
            self.choose(&lower, secured);
            return vec![Action::Send(self.ehlo(secured))];
        }
        if lower == "starttls" && self.offers("STARTTLS") && !self.has_rule("starttls") {
            return vec![Action::Send(b"220 2.0.0 Ready\r\n".to_vec()), Action::Tls];
        }
        self.react(&lower, secured)
    }

    /// Whether a rule of the dialogue's own answers this EHLO, and not only another one.
    fn has_ehlo_rule(&self, line: &str, secured: bool) -> bool {
        self.rules.iter().any(|(rule, seen)| {
            fitting(rule, line, secured, self.refusals).is_some_and(|pattern| pattern.starts_with("ehlo"))
                && rule.nth.is_none_or(|nth| nth == seen + 1)
        })
    }

    fn has_rule(&self, command: &str) -> bool {
        self.rules.iter().any(|(rule, _)| rule.pattern == command)
    }

    fn offers(&self, keyword: &str) -> bool {
        self.offers.iter().any(|line| line.split(' ').any(|word| word.eq_ignore_ascii_case(keyword)))
    }

    fn ehlo(&self, secured: bool) -> Vec<u8> {
        let mut lines = vec!["mx.target.example".to_owned()];
        let words = self.offers.iter().flat_map(|line| line.split(' '));
        lines.extend(
            words.filter(|word| !(secured && word.eq_ignore_ascii_case("STARTTLS"))).map(str::to_owned),
        );
        let last = lines.len() - 1;
        let line =
            |(at, text): (usize, &String)| format!("250{}{text}\r\n", if at == last { ' ' } else { '-' });
        lines.iter().enumerate().map(line).collect::<String>().into_bytes()
    }

    /// Commands refused for good, on all connections.
    pub fn refusals(&self) -> usize {
        self.refusals.ever
    }

    fn react(&mut self, event: &str, secured: bool) -> Vec<Action> {
        let actions = self.choose(event, secured);
        if actions.iter().any(|action| matches!(action, Action::Send(octets) if octets.starts_with(b"5"))) {
            self.refusals.here += 1;
            self.refusals.ever += 1;
        }
        actions
    }

    /// What the first rule that fits says. Each that fits counts what it meets.
    fn choose(&mut self, event: &str, secured: bool) -> Vec<Action> {
        let mut chosen = None;
        let refusals = self.refusals;
        let fits = |rule: &Rule| fitting(rule, event, secured, refusals).is_some();
        for (rule, seen) in self.rules.iter_mut().filter(|(rule, _)| fits(rule)) {
            *seen += 1;
            if rule.nth.is_none_or(|nth| nth == *seen) {
                chosen = chosen.or_else(|| Some(rule.actions.clone()));
            }
        }
        chosen.unwrap_or_default()
    }
}

/// The pattern of a rule that holds now and fits.
fn fitting<'a>(rule: &'a Rule, event: &str, secured: bool, refusals: Refusals) -> Option<&'a str> {
    in_force(&rule.pattern, secured, refusals).filter(|pattern| matches(pattern, event))
}

/// The pattern of a rule, unless it holds outside TLS only, or behind more refusals.
fn in_force(pattern: &str, secured: bool, refusals: Refusals) -> Option<&str> {
    if let Some(rest) = pattern.strip_prefix("clear ") {
        return (!secured).then_some(rest);
    }
    let Some((count, rest)) = pattern.strip_prefix("after ").and_then(|rest| rest.split_once(' ')) else {
        return Some(pattern);
    };
    let (stood, rest) = match rest.strip_prefix("ever ") {
        Some(rest) => (refusals.ever, rest),
        None => (refusals.here, rest),
    };
    count.parse().is_ok_and(|count: usize| stood >= count).then_some(rest)
}

/// Whether `text` fits a pattern in which `*` stands for anything.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}
