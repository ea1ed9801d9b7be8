//! What a run needs that sends messages: where they come back, and how long they are waited for.

use core::time::Duration;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::mpsc;

use clap::Args;
use clap::builder::PossibleValuesParser;
use relayprobe::plan::{PlanBuilder, Prove};
use relayprobe::sink::{Mode, Sink, SinkOptions};
use relayprobe::{Identity, Keyring};

use crate::cli::Failure;
use crate::cli::keys;
use crate::cli::output::tell;
use crate::cli::sources::Sources;
use crate::cli::store::Store;
use crate::cli::values::{self, word};
use crate::cli::wait::{Patience, tell_notes};

/// How acceptances are proven.
#[derive(Args, Debug)]
#[command(next_help_heading = "How acceptance is proven")]
pub(crate) struct ProofOptions {
    /// survey: envelopes only; prove: a message for what was accepted. prove if a sink or receipts are named
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(["survey", "prove"]))]
    stage: Option<String>,
    /// Which of the accepted cases get a message: one for each family, the usual, or all
    #[arg(long, value_name = "WHICH",
        value_parser = word([("families", Prove::Families), ("all", Prove::All)]))]
    prove: Option<Prove>,
    /// Messages of the run at the most; 12 unless given, and never more than 64
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=64))]
    messages: Option<u16>,
    /// Receive the messages here, as the mail server of the probe domain
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::listening)]
    sink: Option<SocketAddr>,
    /// accept: take what comes; refuse: look at it and refuse it, so that nothing is delivered
    #[arg(long, value_name = "MODE", default_value = "accept", requires = "sink",
        value_parser = word([("accept", Mode::Accept), ("refuse", Mode::Refuse)]))]
    sink_mode: Mode,
    /// Maildir, or mbox file, into which another server puts the mail of the probe domain; repeatable
    #[arg(long, value_name = "MAILBOX")]
    receipts: Vec<PathBuf>,
    /// Where others reach the mail server of the probe domain: a message of our own shows that it works
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::listening)]
    way_in: Option<SocketAddr>,
    /// How long to wait for messages, like 30s or 6h; until the first proof or 2 minutes unless given
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    wait: Option<Duration>,
    /// After how long a message that does not come is taken for not relayed, like 6h, the usual
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    window: Option<Duration>,
}

/// Messages cannot be proven.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProofError {
    #[error(
        "messages would be sent and nobody would see them come back: name --sink ADDR:PORT, --receipts MAILBOX, or the \
         --store of a running `relayprobe sink`"
    )]
    Nowhere,
    #[error(
        "{option} is about messages, and none are sent: name --sink ADDR:PORT, --receipts MAILBOX, or --stage prove with the \
         --store of a running `relayprobe sink`"
    )]
    Survey { option: &'static str },
    #[error("cannot listen on {address}: {fault}")]
    Listen { address: SocketAddr, fault: io::Error },
}

/// A proof that can begin.
pub(crate) struct Proof {
    pub(crate) keys: Keyring,
    pub(crate) sources: Sources,
    pub(crate) patience: Patience,
    pub(crate) messages: Messages,
}

/// Which messages a plan may send.
#[derive(Clone, Debug)]
pub(crate) struct Messages {
    keys: Keyring,
    which: Prove,
    count: Option<u16>,
    window: Option<Duration>,
    way_in: Option<SocketAddr>,
}

impl ProofOptions {
    /// Whether messages are asked for.
    pub(crate) fn is_wanted(&self) -> bool {
        match self.stage.as_deref() {
            Some(stage) => stage == "prove",
            None => self.sink.is_some() || !self.receipts.is_empty(),
        }
    }

    /// In a survey an option about messages would be lost.
    pub(crate) fn check_survey(&self) -> Result<(), Failure> {
        let options = [
            ("--window", self.window.is_some()),
            ("--wait", self.wait.is_some()),
            ("--way-in", self.way_in.is_some()),
            ("--messages", self.messages.is_some()),
            ("--prove", self.prove.is_some()),
        ];
        match options.into_iter().find(|&(_, given)| given && self.stage.is_none()) {
            Some((option, _)) => Err(ProofError::Survey { option }.into()),
            None => Ok(()),
        }
    }

    /// Opens the receiving side before anything is asked; nothing for a survey.
    pub(crate) fn open(&self, identity: &Identity, store: Option<&Store>) -> Result<Option<Proof>, Failure> {
        let named = self.sink.is_some() || !self.receipts.is_empty();
        match self.stage.as_deref() {
            Some("prove") if !named && store.is_none() => return Err(ProofError::Nowhere.into()),
            Some("prove") => {}
            None if named => {}
            _ => return self.check_survey().map(|()| None),
        }
        let keys = store.map_or_else(|| Ok(keys::fresh()?), Store::keys)?;
        let mut sources = Sources::default();
        let mut way_in = self.way_in;
        if let Some(address) = self.sink {
            let own = listen(address, identity, self.sink_mode, store, &mut sources)?;
            way_in = way_in.or(Some(own).filter(|own| !own.ip().is_unspecified()));
        } else if let Some(store) = store.filter(|_| self.receipts.is_empty()) {
            sources.follow(store.spool()?);
        }
        for mailbox in &self.receipts {
            sources.watch(mailbox)?;
        }
        // What lies there already is of no run that is still to begin, and a mailbox that is not there shows now.
        sources.next(Duration::ZERO)?;
        tell_notes(&mut sources);
        if way_in.is_none() {
            tell(
                "note: no way in to the receiving server is known (--way-in), so silence will prove nothing",
            );
        }
        let patience = self.wait.map_or(Patience::Usual, Patience::For);
        let (which, count, window) = (self.prove.unwrap_or(Prove::Families), self.messages, self.window);
        let messages = Messages { keys: keys.clone(), which, count, window, way_in };
        Ok(Some(Proof { keys, sources, patience, messages }))
    }
}

impl Messages {
    pub(crate) fn apply(&self, mut builder: PlanBuilder) -> PlanBuilder {
        builder = builder.prove(self.which, &self.keys);
        if let Some(count) = self.count {
            builder = builder.messages(count);
        }
        if let Some(span) = self.window {
            builder = builder.window(span);
        }
        match self.way_in {
            Some(address) => builder.way_in(address),
            None => builder,
        }
    }
}

/// Starts a receiving server. With a store, what it confirms outlives this program.
fn listen(
    address: SocketAddr,
    identity: &Identity,
    mode: Mode,
    store: Option<&Store>,
    sources: &mut Sources,
) -> Result<SocketAddr, Failure> {
    let fault = |fault| ProofError::Listen { address, fault };
    let listener = TcpListener::bind(address).map_err(fault)?;
    let spool = store.map(Store::spool).transpose()?;
    let (sender, arrivals) = mpsc::channel();
    let mut options = SinkOptions::new(identity);
    options.mode = mode;
    let on_arrival = move |arrival| {
        if let Some(spool) = &spool {
            spool.keep(&arrival)?;
        }
        // Nobody waits any longer: it is kept, or it is for nobody.
        drop(sender.send(arrival));
        Ok(())
    };
    let sink = Sink::start(listener, options, on_arrival).map_err(fault)?;
    let own = sink.address();
    sources.listen(sink, arrivals);
    Ok(own)
}

/// Whether mail to our own contact would come to our own receiving server, which keeps test messages alone.
pub(crate) fn warn_of_contact(identity: &Identity) {
    let own = [&identity.probe_domain, &identity.sender_domain];
    if own.into_iter().any(|domain| identity.contact.domain().is_within(domain)) {
        tell(format_args!(
            "note: the receiving server takes no mail for people, so nobody is reached at {}: name a --contact elsewhere",
            identity.contact
        ));
    }
}
