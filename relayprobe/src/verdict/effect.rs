//! What a block in force does to a run: one table.

use crate::plan::{Measure, Vantage};

/// What a run can show under a measure, from a vantage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Effect {
    /// What the server's answers show.
    pub shows: Shows,
    /// What it means if a message that was accepted never arrives.
    pub no_receipt: NoReceipt,
}

/// What a server's answers show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shows {
    /// The state that a stranger meets.
    TrueState,
    /// The state that this network meets; many servers trust their provider's range, so it may be wider.
    TrueForThisNetwork,
    /// Nothing of the server: what answers, if anything does, is the block.
    TheBlock,
    /// Acceptance only: what is accepted cannot leave.
    AcceptanceOnly,
}

/// What a missing receipt means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoReceipt {
    /// After the window: it was not relayed.
    NotRelayed,
    /// Nothing: the message may wait in the queue.
    Nothing,
}

/// The effect of a measure, or of none, seen from a vantage.
pub const fn effect(measure: Option<Measure>, vantage: Vantage) -> Effect {
    let (shows, no_receipt) = match (measure, vantage) {
        (None, Vantage::Outside) => (Shows::TrueState, NoReceipt::NotRelayed),
        (
            None | Some(Measure::InboundFilter | Measure::InboundBlock),
            Vantage::ProviderNetwork | Vantage::TargetNetwork | Vantage::Loopback,
        ) => (Shows::TrueForThisNetwork, NoReceipt::NotRelayed),
        (Some(Measure::InboundFilter | Measure::InboundBlock), Vantage::Outside) => {
            (Shows::TheBlock, NoReceipt::NotRelayed)
        }
        (
            Some(Measure::SmarthostBlock | Measure::OutboundPortBlock),
            Vantage::Outside | Vantage::ProviderNetwork | Vantage::TargetNetwork | Vantage::Loopback,
        ) => (Shows::AcceptanceOnly, NoReceipt::Nothing),
    };
    Effect { shows, no_receipt }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSIDE: [Vantage; 3] = [Vantage::ProviderNetwork, Vantage::TargetNetwork, Vantage::Loopback];

    fn row(measure: Option<Measure>, outside: Shows, inside: Shows, no_receipt: NoReceipt) {
        assert_eq!(effect(measure, Vantage::Outside), Effect { shows: outside, no_receipt });
        for vantage in INSIDE {
            assert_eq!(effect(measure, vantage), Effect { shows: inside, no_receipt }, "{vantage:?}");
        }
    }

    #[test]
    fn without_a_measure_the_state_is_shown() {
        row(None, Shows::TrueState, Shows::TrueForThisNetwork, NoReceipt::NotRelayed);
    }

    #[test]
    fn an_inbound_filter_hides_the_server_from_outside() {
        row(Some(Measure::InboundFilter), Shows::TheBlock, Shows::TrueForThisNetwork, NoReceipt::NotRelayed);
    }

    #[test]
    fn an_inbound_block_hides_the_server_from_outside() {
        row(Some(Measure::InboundBlock), Shows::TheBlock, Shows::TrueForThisNetwork, NoReceipt::NotRelayed);
    }

    #[test]
    fn a_smarthost_block_hides_the_way_out() {
        row(Some(Measure::SmarthostBlock), Shows::AcceptanceOnly, Shows::AcceptanceOnly, NoReceipt::Nothing);
    }

    #[test]
    fn an_outbound_block_hides_the_way_out() {
        row(
            Some(Measure::OutboundPortBlock),
            Shows::AcceptanceOnly,
            Shows::AcceptanceOnly,
            NoReceipt::Nothing,
        );
    }
}
