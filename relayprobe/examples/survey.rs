//! Surveys a server with the blocking driver: `cargo run -p relayprobe --example survey -- 192.0.2.25`.

use std::error::Error;
use std::net::IpAddr;

use relayprobe::driver::{self, Stop, blocking};
use relayprobe::{Authorization, Identity, Plan, Report, Target};

fn survey(address: IpAddr) -> Result<Report, Box<dyn Error>> {
    let mut target = Target::new(address, 25);
    target.domains.push("target.example".parse()?);
    let identity = Identity::new("probe.example".parse()?);
    let authorization: Authorization = "customer-contract:K123".parse()?;

    let plan = Plan::builder(target, identity, authorization)
        .tls(driver::TLS)
        .build(driver::now(), driver::seed())?;
    Ok(blocking::run(plan, &Stop::new(), |_event| {}))
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("give the address of a server that you may test")?;
    let report = survey(address.parse()?)?;
    print!("{}", report.text());
    std::process::exit(report.exit_code.into());
}
