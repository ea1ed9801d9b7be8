//! Serves every fault of the table on loopback until its standard input ends.
//!
//! Its first line is a JSON array: for each fault its name, where its server listens, what the run is to be, which
//! verdicts are right, and how long a run may take and the tester grow.

use std::io::{Read as _, Write as _};

use relayprobe_tests::hostile::faults;

fn main() -> std::io::Result<()> {
    let faults = faults();
    let served: Vec<_> = faults.iter().map(|fault| (fault, fault.serve())).collect();
    let told: Vec<_> = served.iter().map(|(fault, served)| fault.told(served.address)).collect();
    let mut out = std::io::stdout();
    writeln!(out, "{}", serde_json::Value::from(told))?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
