//! Dialogue files: a plan, a server, and what must come of them.
//!
//! ```text
//! # A named refusal is a finding and the session goes on.
//! @ cases snd-null
//! @ offers PIPELINING
//! on RCPT*: 554 5.7.1 Relay access denied
//! = verdict undetermined
//! = snd-null refused relay-denied
//! ```
//!
//! A server is closed and well-behaved unless a rule says otherwise. `on PATTERN: REPLY` answers commands that match
//! (`*` stands for anything, case does not matter, the first rule that matches wins); `on PATTERN #2:` only the second
//! such command of the run; `on clear PATTERN:` only outside TLS; `on greeting:` the connect. A reply is lines joined by `|`, or actions: `!raw TEXT` (octets
//! with `\xNN`), `!wait SECONDS`, `!flood TIMES TEXT`, `!endless SECONDS TEXT` (until the client is gone, with a pause
//! between), `!close`, `!half-close`, `!reset`, `!deaf` (neither reads nor sends any more), `!tls`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use relayprobe::identity::Identity;
use relayprobe::moment::Date;
use relayprobe::octets::Octets;
use relayprobe::plan::{Budget, DriverTls, Grouping, Measure, Plan, Profile, Prove, Vantage};
use relayprobe::{Authorization, Case, Keyring, Matrix, Report, Selection, Target};
use std::net::SocketAddr;

/// One dialogue file.
#[derive(Clone, Debug)]
pub struct Dialogue {
    /// Its name without folder and ending.
    pub name: String,
    /// `@` lines.
    pub settings: Vec<(String, String)>,
    /// `on` lines.
    pub rules: Vec<Rule>,
    /// `=` lines.
    pub expected: Vec<String>,
}

/// What a server does when a command matches.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Lower-case pattern; `greeting` for the connect.
    pub pattern: String,
    /// Only the n-th match of the run.
    pub nth: Option<usize>,
    /// What is done.
    pub actions: Vec<Action>,
}

/// One thing a scripted server does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send these octets.
    Send(Vec<u8>),
    /// Let time pass.
    Wait(Duration),
    /// End the connection.
    Close,
    /// Reset the connection.
    Reset,
    /// Begin TLS.
    Tls,
    /// Send these octets again and again, with a pause before each time but the first, until the client is gone.
    Endless(Duration, Vec<u8>),
    /// End the sending side, and go on reading.
    HalfClose,
    /// Neither read nor send any more.
    Deaf,
}

/// Every dialogue file, by name.
///
/// # Panics
/// If the folder cannot be read, or a file is no dialogue.
#[must_use]
pub fn all() -> Vec<Dialogue> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialogues");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|fault| panic!("{}: {fault}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder entry").path()).collect();
    files.sort();
    files
        .iter()
        .filter(|file| file.extension().is_some_and(|ending| ending == "txt"))
        .map(|file| read(file))
        .collect()
}

/// The dialogue of this name.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn named(name: &str) -> Dialogue {
    all().into_iter().find(|dialogue| dialogue.name == name).expect(name)
}

/// The key of every dialogue.
#[must_use]
pub fn keyring() -> Keyring {
    Keyring::new([7; 32], Date::from_unix(1_795_000_000))
}

fn read(file: &Path) -> Dialogue {
    let text = std::fs::read_to_string(file).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    parse(&name, &text)
}

/// Reads the text of a dialogue.
///
/// # Panics
/// If a line is none of a dialogue.
#[must_use]
pub fn parse(name: &str, text: &str) -> Dialogue {
    let mut dialogue =
        Dialogue { name: name.into(), settings: Vec::new(), rules: Vec::new(), expected: Vec::new() };
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
        } else if let Some(setting) = line.strip_prefix("@ ") {
            let (key, value) = setting.split_once(' ').unwrap_or((setting, ""));
            dialogue.settings.push((key.into(), value.into()));
        } else if let Some(rule) = line.strip_prefix("on ").and_then(rule) {
            dialogue.rules.push(rule);
        } else if let Some(expected) = line.strip_prefix("= ") {
            dialogue.expected.push(expected.into());
        } else {
            panic!("{name}, line {}: not a line of a dialogue: {line}", at + 1);
        }
    }
    assert!(!dialogue.expected.is_empty(), "{name} expects nothing");
    dialogue
}

pub(crate) fn rule(text: &str) -> Option<Rule> {
    let (head, reply) = split_head(text)?;
    let (pattern, nth) = match head.rsplit_once(" #") {
        Some((pattern, nth)) => (pattern, Some(nth.parse().ok()?)),
        None => (head, None),
    };
    Some(Rule { pattern: pattern.trim().to_ascii_lowercase(), nth, actions: actions(reply.trim_start())? })
}

/// Commands hold colons too: the one that ends the pattern is followed by a blank or the end.
fn split_head(text: &str) -> Option<(&str, &str)> {
    text.split_once(": ").or_else(|| text.strip_suffix(':').map(|head| (head, "")))
}

/// Reads what a server does, as rules write it.
#[must_use]
pub fn actions(text: &str) -> Option<Vec<Action>> {
    let mut actions = Vec::new();
    for part in text.split('|').filter(|part| !part.is_empty()) {
        actions.push(match part.strip_prefix('!') {
            None => Action::Send(format!("{part}\r\n").into_bytes()),
            Some("close") => Action::Close,
            Some("reset") => Action::Reset,
            Some("tls") => Action::Tls,
            Some("half-close") => Action::HalfClose,
            Some("deaf") => Action::Deaf,
            Some(other) => {
                let (word, value) = other.split_once(' ')?;
                match word {
                    "wait" => Action::Wait(Duration::from_secs_f64(value.parse().ok()?)),
                    "raw" => Action::Send(Octets::from_escaped(value).ok()?.as_bytes().to_vec()),
                    "endless" => {
                        let (pause, line) = value.split_once(' ')?;
                        let line = Octets::from_escaped(line).ok()?;
                        let pause = Duration::from_secs_f64(pause.parse().ok()?);
                        Action::Endless(pause, line.as_bytes().to_vec())
                    }
                    "flood" => {
                        let (count, line) = value.split_once(' ')?;
                        let line = Octets::from_escaped(line).ok()?;
                        Action::Send(line.as_bytes().repeat(count.parse().ok()?))
                    }
                    _ => return None,
                }
            }
        });
    }
    Some(actions)
}

impl Dialogue {
    /// Whether a setting is there.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.settings.iter().any(|(name, _)| name == key)
    }

    /// The value of a setting.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The plan of the dialogue, against a server at `address`.
    ///
    /// # Panics
    /// If the dialogue wishes for something that cannot be planned.
    #[must_use]
    pub fn plan(&self, address: SocketAddr) -> Plan {
        let domain = |text: &str| text.parse().unwrap_or_else(|fault| panic!("{}: {fault}", self.name));
        let mut target = Target::new(address.ip(), address.port());
        if !self.has("no-domain") {
            target.domains.push(domain(self.setting("domain").unwrap_or("target.example")));
        }
        target.expected_host = self.setting("expect-host").map(domain);
        target.mailbox = self.setting("mailbox").map(|text| text.parse().expect("a mailbox"));
        let mut identity = Identity::new(domain("probe.example"));
        if let Some(sender) = self.setting("sender-domain") {
            identity.sender_domain = domain(sender);
        }
        if let Some(contact) = self.setting("contact") {
            identity.contact = contact.parse().expect("a mailbox");
        }
        let leave = self.setting("authorization").unwrap_or("own-server:dialogue");
        let leave: Authorization = leave.parse().expect("an authorization");
        let mut builder = Plan::builder(target, identity, leave)
            .allow_private()
            .matrix(self.matrix())
            .profile(match self.setting("profile") {
                Some("patient") => Profile::Patient,
                Some("brisk") => Profile::Brisk,
                _ => Profile::Lab,
            })
            .tls(if self.has("no-tls") { DriverTls::Unable } else { DriverTls::Able });
        if let Some(count) = self.setting("connections") {
            builder = builder.connections_at_once(count.parse().expect("a number of connections"));
        }
        if self.has("implicit-tls") {
            builder = builder.implicit_tls(address.port());
        }
        if self.has("no-budget") {
            builder = builder.budget(Budget::LIFTED);
        }
        if self.has("lockstep") {
            builder = builder.grouping(Grouping::Never);
        }
        if let Some(seconds) = self.setting("retries") {
            let seconds: Vec<u32> = seconds.split(' ').map(|text| text.parse().expect("seconds")).collect();
            builder = builder.retries(&seconds);
        }
        if let Some(word) = self.setting("measure") {
            builder =
                builder.measure(Measure::ALL.into_iter().find(|m| m.as_str() == word).expect("a measure"));
        }
        if let Some(word) = self.setting("vantage") {
            builder =
                builder.vantage(Vantage::ALL.into_iter().find(|v| v.as_str() == word).expect("a vantage"));
        }
        if let Some(word) = self.setting("prove") {
            let which = if word == "all" { Prove::All } else { Prove::Families };
            builder = builder.prove(which, &keyring());
        }
        if let Some(count) = self.setting("messages") {
            builder = builder.messages(count.parse().expect("a number of messages"));
        }
        builder
            .build(Date::from_unix(1_795_473_834), 0x1234_5678_9abc)
            .unwrap_or_else(|fault| panic!("{}: {fault}", self.name))
    }

    /// Adds what came back, by the `@ receipt CASE KIND SECONDS` lines, and lets time pass until `@ later SECONDS`.
    ///
    /// # Panics
    /// If a line names a case or a kind that is not there.
    pub fn come_back(&self, report: &mut Report) {
        let start = report.as_of.unix();
        for (_, value) in self.settings.iter().filter(|(key, _)| key == "receipt") {
            let mut words = value.split(' ');
            let mut word =
                || words.next().unwrap_or_else(|| panic!("{}: receipt CASE KIND SECONDS", self.name));
            let (case, kind, seconds) = (word(), word(), word().parse::<u64>().expect("seconds"));
            let probe = report.probes.iter().find(|probe| probe.case == case && probe.beside.is_none());
            let receipt = serde_json::json!({
                "kind": kind, "at": Date::from_unix(start + seconds), "run": report.run.run,
                "probe": probe.unwrap_or_else(|| panic!("{}: no {case}", self.name)).number,
                "trace": { "hops": [] }, "sha256": "",
            });
            let receipt =
                serde_json::from_value(receipt).unwrap_or_else(|fault| panic!("{}: {fault}", self.name));
            report.add(receipt).expect("a receipt of this run");
        }
        if let Some(seconds) = self.setting("later") {
            report.judge(Date::from_unix(start + seconds.parse::<u64>().expect("seconds")));
        }
    }

    fn matrix(&self) -> Matrix {
        let mut matrix = match (self.setting("matrix"), self.setting("cases")) {
            (Some("quick"), _) | (None, None) => Matrix::select(Selection::Quick),
            (Some("standard"), _) => Matrix::select(Selection::Standard),
            (Some("full"), _) => Matrix::select(Selection::Full),
            (Some(other), _) => panic!("{}: no matrix {other}", self.name),
            (None, Some(cases)) => {
                Matrix::named(cases.split(' ').filter(|id| !id.is_empty())).expect("known cases")
            }
        };
        for (_, value) in self.settings.iter().filter(|(key, _)| key == "define") {
            let mut parts = value.splitn(3, ' ');
            let mut part = || parts.next().unwrap_or_default();
            matrix = matrix.with(Case::custom(part(), part(), part()).expect("a case"));
        }
        matrix
    }
}
