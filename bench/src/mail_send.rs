//! The client of `mail-send`: its `cmds` writes what it is given and reads a reply for each.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mail_send::SmtpClient;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::Hosts;
use crate::envelopes;

pub(crate) fn run(hosts: &Hosts) -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(all(hosts))
}

async fn all(hosts: &Hosts) -> Result<(), Box<dyn Error>> {
    let mut commands = Vec::new();
    for (number, envelope) in envelopes::read(hosts.envelopes.as_deref())?.into_iter().enumerate() {
        if number > 0 {
            commands.push("RSET\r\n".to_owned());
        }
        commands.extend([envelope.mail, envelope.rcpt]);
    }
    let commands: Arc<[String]> = commands.into();
    let places = Arc::new(Semaphore::new(hosts.in_flight));
    let lockstep = hosts.lockstep;
    let mut runs = JoinSet::new();
    for address in hosts.addresses() {
        let place = Arc::clone(&places).acquire_owned().await?;
        let commands = Arc::clone(&commands);
        runs.spawn(async move {
            let _place = place;
            one(address, &commands, lockstep).await
        });
    }
    let mut done = 0;
    while let Some(run) = runs.join_next().await {
        run?.map_err(|error| error.to_string())?;
        done += 1;
    }
    println!("{done}");
    Ok(())
}

async fn one(address: SocketAddr, commands: &[String], lockstep: bool) -> mail_send::Result<()> {
    let stream = TcpStream::connect(address).await?;
    let mut client = SmtpClient { stream, timeout: Duration::from_mins(1) };
    client.read().await?;
    client.cmd(b"EHLO probe.example\r\n").await?;
    if lockstep {
        for command in commands {
            client.cmd(command.as_bytes()).await?;
        }
    } else {
        client.cmds(commands.iter().map(String::as_bytes)).await?;
    }
    client.quit().await
}
