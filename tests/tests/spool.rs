//! Arrivals on disk, whatever happens to the process that keeps them.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use relayprobe::sink::{Sink, Spool, SpoolError};
use relayprobe_tests::receiving::{Client, Receiving, TOKEN, options};

#[test]
fn a_spool_gives_back_what_it_keeps() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("spool");
    let spool = Spool::open(&root).unwrap();
    let receiving = Receiving::start(options());
    let mut client = receiving.client();
    client.ask("EHLO relay.example");
    let mut kept = Vec::new();
    for text in ["\u{fc}\0\\", "two", "three"] {
        client.send("a@b.example", &format!("\"{TOKEN} \u{fc}\"@probe.example"), text);
        let arrival = receiving.next();
        kept.push((spool.keep(&arrival).unwrap(), arrival));
    }
    let marked = spool.mark_read(&kept[1].0).unwrap();
    assert_eq!(spool.mark_read(&kept[1].0).unwrap(), marked);
    kept[1].0 = marked;
    let read = || Spool::open(&root).unwrap().arrivals().unwrap();
    let found: Vec<_> = read().map(|found| found.unwrap()).map(|found| (found.path, found.arrival)).collect();
    assert_eq!(found, kept);

    fs::write(&kept[0].0, "{").unwrap();
    fs::create_dir(root.join("new/folder")).unwrap();
    let found: Vec<_> = read().collect();
    assert!(matches!(&found[0], Err(SpoolError::Damaged { path, .. }) if *path == kept[0].0));
    assert!(found[1].is_ok() && found[2].is_ok());
    assert!(matches!(&found[3], Err(SpoolError::Foreign { .. })));
    assert_eq!(fs::read_dir(root.join("tmp")).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_spool_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("spool");
    let spool = Spool::open(&root).unwrap();
    let receiving = Receiving::start(options());
    let mut client = receiving.client();
    client.ask("EHLO relay.example");
    client.send("", &format!("{TOKEN}@probe.example"), "x");
    let path = spool.keep(&receiving.next()).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(path), mode(root.join("new")), mode(root.clone())), (0o600, 0o700, 0o700));
    fs::set_permissions(&root, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(Spool::open(&root), Err(SpoolError::Directory { .. })));
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(folder.path(), &link).unwrap();
    assert!(matches!(Spool::open(&link), Err(SpoolError::Directory { .. })));
}

#[test]
fn ipv6_is_served_and_its_recipients_are_ours() {
    let mut options = options();
    options.addresses.push("::1".parse().unwrap());
    let listener = TcpListener::bind("[::1]:0").unwrap();
    let spool = tempfile::tempdir().unwrap();
    let keep = Spool::open(spool.path()).unwrap();
    let sink = Sink::start(listener, options, move |arrival| keep.keep(&arrival).map(drop)).unwrap();
    let (mut client, _) = Client::connect(sink.address());
    client.ask("EHLO relay.example");
    assert_eq!(client.send("", &format!("{TOKEN}@[IPv6:::1]"), "x"), "250");
    let kept = Spool::open(spool.path()).unwrap().arrivals().unwrap().next().unwrap().unwrap();
    assert_eq!(kept.arrival.envelope.unwrap().peer, Some("::1".parse().unwrap()));
}

/// Names the spool of the process that is to be killed.
const SPOOL: &str = "RELAYPROBE_TEST_SPOOL";

#[test]
#[ignore = "the process that is killed in the test below"]
fn a_process_that_spools() {
    let spool = Spool::open(std::env::var_os(SPOOL).unwrap().as_ref()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let sink = Sink::start(listener, options(), move |arrival| spool.keep(&arrival).map(drop)).unwrap();
    println!("\nlistening on {}", sink.address());
    let _ended = std::io::stdin().read_to_end(&mut Vec::new());
}

fn spooling(root: &std::path::Path) -> (Child, SocketAddr) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "a_process_that_spools"])
        .env(SPOOL, root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address =
        lines.map_while(Result::ok).find_map(|line| line.strip_prefix("listening on ")?.parse().ok());
    (child, address.unwrap())
}

#[test]
fn a_killed_process_loses_no_message_that_it_took() {
    let folder = tempfile::tempdir().unwrap();
    let mut taken = Vec::new();
    for round in 0..8_u64 {
        let (mut child, address) = spooling(folder.path());
        let clients: Vec<_> = (0..4)
            .map(|number| {
                std::thread::spawn(move || {
                    let (mut client, _) = Client::connect(address);
                    client.ask("EHLO relay.example");
                    let mut taken = Vec::new();
                    for count in 0.. {
                        let text = format!("{TOKEN} {round} {number} {count}");
                        let message =
                            format!("MAIL FROM:<>\r\nRCPT TO:<x@probe.example>\r\nDATA\r\n{text}\r\n.\r\n");
                        if !client.say(message.as_bytes()) {
                            break;
                        }
                        let replies: Vec<String> = (0..4).map(|_| client.reply()).collect();
                        if !replies[3].starts_with("250") {
                            break;
                        }
                        taken.push(text);
                    }
                    taken
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(30 + 23 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        taken.extend(clients.into_iter().flat_map(|client| client.join().unwrap()));
    }
    let spool = Spool::open(folder.path()).unwrap();
    let kept: Vec<String> = spool
        .arrivals()
        .unwrap()
        .map(|kept| {
            String::from_utf8(kept.expect("no half file").arrival.message.as_bytes().to_vec()).unwrap()
        })
        .collect();
    assert!(taken.len() > 8, "{} messages were taken", taken.len());
    for text in taken {
        assert!(kept.contains(&format!("{text}\r\n")), "{text} was taken and is lost");
    }
}
