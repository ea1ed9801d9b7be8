//! Opening connections.

use alloc::string::{String, ToString};
use core::net::SocketAddr;

use super::dialogue::Dialogue;
use super::path::Health;
use super::queue::Item;
use super::script::{Line, Opening};
use super::{Event, Output, Session, budget};
use crate::link::{ConnId, Endpoint};
use crate::matrix::Hello;
use crate::plan::Names;
use crate::transcript::{End, Step};

impl Session {
    /// Opens a connection for what is due, if one may be opened.
    pub(super) fn open(&mut self) {
        while let Some(item) = self.next_to_open() {
            if self.opened >= self.record.limits.connections {
                self.end_early(End::Limit);
                return;
            }
            match self.opening(&item) {
                Some((hello, opening)) => self.connect(&item, hello, opening),
                // Its own HELO name is not known: it cannot be asked.
                None => self.queue.settle(item.probe),
            }
        }
    }

    fn next_to_open(&self) -> Option<Item> {
        if self.end.is_some() || !self.has_room() || self.now < self.next_connect {
            return None;
        }
        let mut due = self.queue.due(self.now).copied();
        due.find(|item| {
            let open = self.paths.get(usize::from(item.path)).is_some_and(|path| path.health == Health::Open);
            open && self.is_worth_a_connection(item)
        })
    }

    /// Connections that have still to be given a script will take what is due; only a surplus is worth another.
    fn is_worth_a_connection(&self, item: &Item) -> bool {
        let opening = self.dialogues.iter().filter(|dialogue| dialogue.wants_script());
        let same = opening.filter(|dialogue| dialogue.kin() == item.kin).count();
        // The first connection of a path learns what the server is; without one nothing is opened beside it.
        let due = self.queue.due(self.now).filter(|other| other.kin == item.kin).count();
        due > same * usize::from(budget::SCOUT_REFUSALS)
    }

    fn opening(&self, item: &Item) -> Option<(Hello, Opening)> {
        let probe = self.record.probe(item.probe)?;
        let hello = &self.record.case(probe)?.hello;
        let path = self.record.path(probe)?;
        let names = Names::new(&self.record, probe, self.host.as_ref());
        let old = self.paths.get(usize::from(item.path)).is_some_and(|path| path.old_verb);
        let tag = (*hello != Hello::Own).then_some(item.probe);
        let line = |hello: &Hello| -> Result<Option<Line>, ()> {
            let command = names.hello(hello).map_err(|_| ())?;
            Ok(command.map(|command| Line::command(Step::Hello, tag, &command)))
        };
        let begin = if *hello == Hello::Own && old { &Hello::OldVerb } else { hello };
        let fallback = match begin {
            Hello::Own => line(&Hello::OldVerb).ok()?,
            Hello::Name(_) => {
                names.old_hello(begin).ok().map(|command| Line::command(Step::Hello, tag, &command))
            }
            Hello::OldVerb | Hello::None => None,
        };
        let server_name = self.server_name();
        let opening = Opening { tls: path.tls, server_name, hello: line(begin).ok()?, fallback };
        Some((hello.clone(), opening))
    }

    fn server_name(&self) -> String {
        self.record
            .target
            .name
            .as_ref()
            .map_or_else(|| self.record.target.address.to_string(), ToString::to_string)
    }

    fn connect(&mut self, item: &Item, hello: Hello, opening: Opening) {
        let Some(path) = self.record.paths.get(usize::from(item.path)) else { return };
        let id = ConnId(self.opened);
        self.opened += 1;
        let own = self.record.way_in.filter(|_| self.record.is_way_in(item.path));
        let remote = own.unwrap_or_else(|| SocketAddr::new(self.record.target.address, path.port));
        self.outputs.push_back(Output::Event(Event::Connecting { connection: id, path: item.path }));
        self.outputs.push_back(Output::Connect(id, Endpoint::new(remote, self.record.source)));
        let limits = &self.record.limits;
        let dialogue = Dialogue::new(id, item, hello, opening, limits, self.origin, self.now);
        // They are large, and mostly there is one.
        self.dialogues.reserve_exact(1);
        self.dialogues.push(dialogue);
    }
}
