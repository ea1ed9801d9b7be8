//! Plans to choose from.

use std::cell::RefCell;

use relayprobe::identity::Identity;
use relayprobe::moment::Date;
use relayprobe::plan::{Budget, DriverTls, Grouping, Plan, Profile, Prove};
use relayprobe::{Keyring, Matrix, Selection, Target};

thread_local! {
    /// Plans that were made before: making one costs more than most runs.
    static MADE: RefCell<Vec<(u8, Plan)>> = const { RefCell::new(Vec::new()) };
}

/// The plan of these wishes.
pub(crate) fn of(wishes: u8) -> Plan {
    MADE.with_borrow_mut(|made| {
        if let Some((_, plan)) = made.iter().find(|(known, _)| *known == wishes) {
            return plan.clone();
        }
        let plan = build(wishes);
        made.push((wishes, plan.clone()));
        plan
    })
}

fn build(wishes: u8) -> Plan {
    let address = [127, 0, 0, 1].into();
    let mut target = Target::new(address, 2525);
    target.domains.push("target.example".parse().expect("a domain"));
    let identity = Identity::new("probe.example".parse().expect("a domain"));
    let mut builder = Plan::builder(target, identity, "own-server:fuzz".parse().expect("an authorization"))
        .allow_private()
        .profile(if wishes & 0x80 == 0 { Profile::Lab } else { Profile::Patient })
        .matrix(match wishes & 3 {
            0 => Matrix::named(["snd-third-party", "snd-null", "pct-domain"]).expect("known cases"),
            1 | 2 => Matrix::select(Selection::Quick),
            _ => Matrix::select(Selection::Standard),
        })
        .connections_at_once(1 + (wishes >> 2 & 1) * 2)
        .tls(if wishes & 8 == 0 { DriverTls::Able } else { DriverTls::Unable });
    if wishes & 0x10 != 0 {
        builder = builder.budget(Budget::LIFTED);
    }
    if wishes & 0x20 != 0 {
        let which = if wishes & 8 == 0 { Prove::All } else { Prove::Families };
        builder = builder.prove(which, &keys());
    }
    if wishes & 0x40 != 0 {
        builder = builder.grouping(Grouping::Never).retries(&[60, 600]);
    }
    builder.build(Date::from_unix(1_795_473_834), 0x1234_5678_9abc).expect("a plan")
}

/// The keys of all tokens here.
pub(crate) fn keys() -> Keyring {
    Keyring::new([7; 32], Date::from_unix(1_795_000_000))
}
