//! How far a run is, for whoever waits for it.

use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use relayprobe::plan::RunRecord;
use relayprobe::session::Event;

use crate::cli::output::tell;

/// A bar on standard error if that is a terminal; otherwise a line when a long wait begins.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    paths: Vec<String>,
}

impl Progress {
    pub(crate) fn new(run: &RunRecord) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let all = u64::try_from(run.probes.len()).unwrap_or_default();
            let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
            // The template is a constant, so it parses; the plain style would do as well.
            let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {elapsed} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self { bar, paths: run.paths.iter().map(ToString::to_string).collect() }
    }

    /// Shows an event of the session.
    pub(crate) fn show(&self, event: &Event) {
        match (event, &self.bar) {
            (Event::Connecting { path, .. }, Some(bar)) => {
                bar.set_message(self.paths.get(usize::from(*path)).cloned().unwrap_or_default());
            }
            (Event::Progress { settled, .. }, Some(bar)) => bar.set_position(u64::from(*settled)),
            (Event::Proving { messages }, bar) => {
                let plural = if *messages == 1 { "" } else { "s" };
                let sending = format!("the survey is done; {messages} message{plural} for what was accepted");
                match bar {
                    Some(bar) => bar.set_message(sending),
                    None => tell(format_args!("note: {sending}")),
                }
            }
            (Event::Retrying { probes, at }, bar) => {
                let waiting = format!("{probes} deferred, asked again at {} s", at.as_micros() / 1_000_000);
                match bar {
                    Some(bar) => bar.set_message(waiting),
                    None => tell(format_args!("note: {waiting} of the run")),
                }
            }
            _ => {}
        }
    }

    /// The run is done, and what was sent is waited for.
    pub(crate) fn wait(&self) {
        if let Some(bar) = &self.bar {
            bar.set_message("waiting for what comes back");
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
