//! Surveys every server of a list: `cargo run -p relayprobe --features tokio,serde --example sweep -- 192.0.2.25 …`.

use std::error::Error;
use std::net::IpAddr;

use relayprobe::driver::tokio::{Pace, Sweep, Swept};
use relayprobe::driver::{self, Stop};
use relayprobe::{Authorization, Identity, Plan, PlanError, Target};

async fn sweep(addresses: Vec<IpAddr>, stop: &Stop) -> Result<(), Box<dyn Error>> {
    let identity = Identity::new("probe.example".parse()?);
    let authorization: Authorization = "customer-contract:K123".parse()?;
    let plan = |address: &IpAddr| -> Result<Plan, PlanError> {
        Plan::builder(Target::new(*address, 25), identity.clone(), authorization.clone())
            .tls(driver::TLS)
            .build(driver::now(), driver::seed())
    };
    let targets = addresses.into_iter().map(|address| (address, address));
    let mut sweep = Sweep::new(targets, plan, Pace::default(), stop);
    while let Some(swept) = sweep.next().await {
        match swept {
            Swept::Report(address, report) => println!("{address}: {}", report.verdict),
            Swept::Refused(address, error) => println!("{address} may not be tested: {error}"),
            _ => {}
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let addresses = std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(sweep(addresses, &Stop::new()))
}
