//! What the engine itself costs for a host: the session without sockets, its report included.

use divan::{AllocProfiler, Bencher};
use relayprobe::{Plan, Selection};

use closed::{plan, run};

mod closed;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(args = [Selection::Quick, Selection::Standard])]
fn survey(bencher: Bencher, selection: Selection) {
    bencher.with_inputs(|| plan(selection)).bench_values(run);
}

#[divan::bench(args = [Selection::Quick, Selection::Standard])]
fn planning(selection: Selection) -> Plan {
    plan(selection)
}
