//! Whether the tester's own names are in order, as users of the command line ask. Nothing leaves loopback.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use data_encoding::BASE64;
use rcgen::CertifiedKey;
use relayprobe_tests::program::{command, json, text};
use relayprobe_tests::servers::{Server, unbound};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

const ZONE: &str = "probe MX 10 mx.probe.example.\nmx.probe A 127.9.8.1\nprobe A 127.9.8.2\n";
const REVERSE: &str = "2.8.9 PTR probe.example.\n";

/// A real server with the tester's names.
fn zones() -> (Server, String) {
    unbound::with_reverse(ZONE, REVERSE)
}

/// The tester's configuration.
fn configuration(room: &TempDir, dns: &str, probe_uri: &str) -> PathBuf {
    let path = room.path().join("desk.toml");
    let text = format!(
        "[identity]\nprobe-domain = \"probe.example\"\nsink-ip = [\"127.9.8.1\"]\nprobe-uri = \"{probe_uri}\"\n\
         [authorization]\nkind = \"own-server\"\nreference = \"demo\"\n[dns]\nservers = [\"{dns}\"]\n"
    );
    fs::write(&path, text).unwrap();
    path
}

/// Serves one text over HTTP, with this TLS if there is any.
fn serve(text: String, tls: Option<ServerConfig>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = tls.map(Arc::new);
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            match &tls {
                Some(tls) => {
                    answer(StreamOwned::new(ServerConnection::new(Arc::clone(tls)).unwrap(), stream), &text);
                }
                None => answer(&mut stream, &text),
            }
        }
    });
    port
}

fn answer(mut stream: impl Read + Write, text: &str) {
    let mut request = [0; 1_024];
    let read = stream.read(&mut request).unwrap_or(0);
    let (status, body) = match &request[..read] {
        asked if asked.starts_with(b"GET /probing.txt ") => ("200 OK", text),
        asked if asked.starts_with(b"GET /moved.txt ") => ("301 Moved\r\nLocation: /probing.txt", ""),
        _ => ("404 Not Found", ""),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _sent = stream.write_all((head + body).as_bytes());
    let _sent = stream.flush();
}

/// Runs `self-check`, and asks nobody else for what is on loopback.
fn self_check(arguments: &[&str]) -> (i32, String, String) {
    let mut command = command(&[&["self-check"], arguments].concat());
    for scheme in ["http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(scheme).env_remove(scheme.to_ascii_uppercase());
    }
    let output = command.output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|octets| String::from_utf8(octets).unwrap());
    (output.status.code().unwrap(), out, err)
}

/// A certificate of a server on loopback that nobody else vouches for, as it has it and in PEM.
fn certificate(names: &[&str]) -> (ServerConfig, String) {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names).unwrap();
    let lines = BASE64.encode(cert.der());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n");
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der()).into();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    (config.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap(), pem)
}

#[test]
fn the_text_of_the_probe_uri_comes_from_a_server_that_somebody_vouches_for() {
    let (_server, dns) = zones();
    let room = TempDir::new().unwrap();
    let config = configuration(&room, &dns, "https://127.0.0.1:1/probing.txt");
    let (_, good, _) = self_check(&["--config", text(&config), "--write-probing-txt", "-"]);
    let good = good.lines().filter(|line| !line.starts_with("Canonical")).collect::<Vec<_>>().join("\n");
    let (tls, own) = certificate(&["127.0.0.1"]);
    let uri = format!("https://127.0.0.1:{}/probing.txt", serve(good.clone(), Some(tls)));
    let (tls, misnamed) = certificate(&["elsewhere.example"]);
    let other = format!("https://127.0.0.1:{}/probing.txt", serve(good, Some(tls)));
    let file = room.path().join("ca.pem");
    let check = |uri: &str, pem: Option<&str>| {
        if let Some(pem) = pem {
            fs::write(&file, pem).unwrap();
        }
        let named = if pem.is_some() { &["--ca-file", text(&file)][..] } else { &[] };
        self_check(&[&["--config", text(&config), "--probe-uri", uri], named].concat())
    };
    let (code, out, err) = check(&uri, Some(&own));
    assert!(code == 0 && out.contains("names our contact"), "{out}{err}");
    // More than one may vouch, and whatever else stands in the file is left alone.
    let (code, out, _) = check(&uri, Some(&format!("# ours\n{misnamed}\n{own}")));
    assert_eq!(code, 0, "{out}");
    for (uri, pem, says) in [
        (&uri, None, "UnknownIssuer"),
        (&uri, Some(&misnamed), "BadSignature"),
        (&other, Some(&misnamed), "not valid for name"),
    ] {
        let (code, out, _) = check(uri, pem.map(|pem| &**pem));
        let line = out.lines().find(|line| line.starts_with("unknown: the text at")).unwrap_or_default();
        assert!(code == 3 && line.contains(says), "{says}: {out}");
    }
    for none in ["", "nonsense\n", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"] {
        let (code, out, err) = check(&uri, Some(none));
        assert!(
            code == 64 && out.is_empty() && err.contains("no certificate of an authority"),
            "{none}: {err}"
        );
    }
    let (code, _, err) = self_check(&["--config", text(&config), "--ca-file", "/nowhere"]);
    assert!(code == 74 && err.contains("/nowhere"), "{err}");
}

#[test]
fn ones_own_names_are_looked_at_and_what_is_wrong_is_said_with_its_line() {
    let (_server, dns) = zones();
    let room = TempDir::new().unwrap();
    let written = room.path().join("probing.txt");
    let config = configuration(&room, &dns, "http://127.0.0.1:1/probing.txt");
    let config = text(&config);
    let (code, _, err) = self_check(&["--config", config, "--write-probing-txt", text(&written)]);
    assert_eq!(code, 0, "{err}");
    let good = fs::read_to_string(&written).unwrap();
    assert!(
        good.contains("Contact: mailto:postmaster@probe.example\n") && good.contains("Expires: 20"),
        "{good}"
    );
    let port = serve(good.replace("127.0.0.1:1/", "PORT/"), None);
    let uri = format!("http://127.0.0.1:{port}/probing.txt");
    // The text stands there, and says that it stands elsewhere.
    let check = |more: &[&str]| self_check(&[&["--config", config], more].concat());
    let (code, out, _) = check(&["--probe-uri", &uri]);
    assert!(code == 1 && out.contains(&format!("\n  Canonical: {uri}\n")), "{out}");
    let (code, out, _) = check(&["--probe-uri", &format!("http://127.0.0.1:{port}/other")]);
    assert!(code == 1 && out.contains("there is no text at"), "{out}");
    let (code, out, _) = check(&["--probe-uri", &format!("http://127.0.0.1:{port}/moved.txt")]);
    assert!(code == 3 && out.contains("it leads elsewhere (301"), "{out}");
    let (code, out, err) = check(&["--probing-txt", text(&written)]);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(out.lines().filter(|line| line.starts_with("right: ")).count(), 5, "{out}");
    // Nobody listens there.
    let (code, out, _) = check(&[]);
    assert!(code == 3 && out.contains("unknown: the text at"), "{out}");
    let (code, out, _) = check(&["--source", "127.9.8.7", "--probing-txt", text(&written), "--json"]);
    let found = json(&out);
    let wrong: Vec<(&str, &str)> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["state"] == "wrong")
        .map(|finding| (finding["check"].as_str().unwrap(), finding["line"].as_str().unwrap()))
        .collect();
    assert_eq!(
        wrong,
        [
            ("helo-address", "probe.example.\tIN\tA\t127.9.8.7"),
            ("reverse-name", "7.8.9.127.in-addr.arpa.\tIN\tPTR\tprobe.example."),
        ]
    );
    assert_eq!(code, 1);
}
