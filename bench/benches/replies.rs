//! What parsing a reply costs, and what it takes from the allocator.

use divan::{AllocProfiler, Bencher, black_box};
use relayprobe::wire::{ReplyDecoder, ReplyLimits};
use smtp_proto::response::parser::ResponseReceiver;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const REPLIES: [&str; 3] = ["250", "ehlo", "550"];

fn octets(name: &str) -> Vec<u8> {
    let lines = |code: &str, lines: &[&str]| -> Vec<u8> {
        let last = lines.len() - 1;
        let line =
            |(at, text): (usize, &&str)| format!("{code}{}{text}\r\n", if at == last { ' ' } else { '-' });
        lines.iter().enumerate().map(line).collect::<String>().into_bytes()
    };
    match name {
        "250" => b"250 2.1.0 Ok\r\n".to_vec(),
        "ehlo" => lines(
            "250",
            &[
                "mx.target.example",
                "PIPELINING",
                "SIZE 10240000",
                "VRFY",
                "ETRN",
                "STARTTLS",
                "AUTH PLAIN LOGIN",
                "ENHANCEDSTATUSCODES",
                "8BITMIME",
                "DSN",
                "SMTPUTF8",
                "CHUNKING",
            ],
        ),
        _ => lines("550", &["5.7.1 Mail from this host is not taken here, for reasons of policy."; 7]),
    }
}

fn main() {
    divan::main();
}

#[divan::bench(args = REPLIES)]
fn relayprobe(bencher: Bencher, name: &str) {
    let octets = octets(name);
    let mut decoder = ReplyDecoder::new(ReplyLimits::default());
    bencher.bench_local(|| {
        let mut rest = black_box(&octets[..]);
        decoder.read(&mut rest).map(|reply| reply.map(|reply| reply.code()))
    });
}

#[divan::bench(args = REPLIES)]
fn smtp_proto(bencher: Bencher, name: &str) {
    let octets = octets(name);
    bencher.bench_local(|| {
        let mut receiver = ResponseReceiver::default();
        receiver.parse(&mut black_box(&octets[..]).iter()).map(|reply| reply.code)
    });
}

#[divan::bench(args = REPLIES)]
fn lettre(bencher: Bencher, name: &str) {
    let octets = octets(name);
    let text = String::from_utf8(octets).expect("ASCII");
    bencher.bench_local(|| {
        black_box(&text[..]).parse::<lettre::transport::smtp::response::Response>().map(|reply| reply.code())
    });
}
