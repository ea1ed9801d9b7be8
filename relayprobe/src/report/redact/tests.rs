use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::identity::{Authorization, Identity};
use crate::link::ConnId;
use crate::matrix::{Hello, Matrix, Selection};
use crate::moment::{Date, Moment};
use crate::plan::Plan;
use crate::refusal::{self, Why};
use crate::target::Target;
use crate::transcript::host::host_name;
use crate::transcript::{Entry, keep};
use crate::wire::{self, Ehlo, Extension, Reply, Wording, phrases, queue_id};

fn run() -> RunRecord {
    let mut target = Target::new("127.0.0.1".parse().unwrap(), 25);
    target.domains.push("target.example".parse().unwrap());
    target.mailbox = Some("alice@target.example".parse().unwrap());
    let mut identity = Identity::new("probe.example".parse().unwrap());
    identity.contact = "carol@probe.example".parse().unwrap();
    let leave: Authorization = "customer-contract:K 123".parse().unwrap();
    let builder =
        Plan::builder(target, identity, leave).allow_private().matrix(Matrix::select(Selection::Quick));
    builder.build(Date::from_unix(1_795_473_834), 7).unwrap().into_record()
}

/// A connection on which our user's envelope was asked.
fn transcript(run: &RunRecord) -> Transcript {
    let entry = |step, text: String| Entry {
        at: Moment::ZERO,
        what: What::Command { step, probe: None, octets: text.into_bytes().into() },
    };
    let user = &run.probes[1].user;
    let entries = [
        entry(Step::Mail, format!("MAIL FROM:<b{user}@probe.example>\r\n")),
        entry(Step::Rcpt, format!("RCPT TO:<alice+{user}=probe.example@target.example>\r\n")),
    ];
    let connection = Connection {
        id: ConnId(0),
        path: 0,
        hello: Hello::Own,
        begun: Moment::ZERO,
        entries: entries.into(),
    };
    Transcript { connections: [connection].into(), ..Transcript::default() }
}

fn names() -> (String, Names) {
    let run = run();
    (String::from(run.probes[1].user()), Names::new(&run, &transcript(&run)))
}

/// A text without the names in it; `USER` stands for a user of ours.
fn hidden(role: Role, text: &str) -> String {
    let (user, mut names) = names();
    let mut octets = Octets::from(text.replace("USER", &user).as_bytes());
    names.hide(role, &mut octets, None);
    let again = octets.clone();
    names.hide(role, &mut octets, None);
    assert_eq!(octets, again, "twice");
    String::from_utf8(octets.as_bytes().to_vec()).unwrap().replace(&user, "USER")
}

#[test]
fn local_parts_that_are_not_ours_are_replaced() {
    for (text, expected) in [
        ("550 5.1.1 <alice@target.example>: no", "550 5.1.1 <redacted~1@target.example>: no"),
        ("550 <USER@probe.example>: no", "550 <USER@probe.example>: no"),
        ("550 <bUSER@PROBE.example>: no", "550 <bUSER@PROBE.example>: no"),
        ("550 <USER%probe.example@x.example>: no", "550 <USER%probe.example@x.example>: no"),
        (
            "550 <SRS0=h/a=tt=probe.example=bUSER@x.example>",
            "550 <redacted~1=redacted~2/redacted~3=redacted~4=probe.example=bUSER@x.example>",
        ),
        ("550 <\"alice b\"@x.example> no", "550 <\"redacted~1 redacted~2\"@x.example> no"),
        ("550 bob@x.example and bob@y.example", "550 redacted~1@x.example and redacted~1@y.example"),
        ("550 Bob@x.example is not bob@x.example", "550 redacted~1@x.example is not redacted~2@x.example"),
        ("550 ask postmaster@x.example", "550 ask postmaster@x.example"),
        ("550 (mailto:j.o'neil@x.example)", "550 (mailto:redacted~1'redacted~2@x.example)"),
        ("550 j\u{fc}rgen@x.example", "550 redacted~1@x.example"),
        ("550 alice... User unknown", "550 redacted~1... User unknown"),
        ("550 no mailbox 'ALICE' here", "550 no mailbox 'redacted~1' here"),
        ("550 alice.example.com and malice", "550 alice.example.com and malice"),
        ("550 @ @x @@ <@>", "550 @ @x @@ <@>"),
        ("550 redacted~7@x.example", "550 redacted~7@x.example"),
        ("550 redacted~99999999@x.example", "550 redacted~1@x.example"),
    ] {
        assert_eq!(hidden(Role::Reply, text), expected);
    }
}

#[test]
fn what_a_reply_is_judged_by_stays() {
    for (text, expected) in [
        ("550 relay@x.example", "550 relay@x.example"),
        ("550 gspfeiffer@x.example", "550 redacted~1spfredacted~2@x.example"),
        ("550 5.7.1@x.example", "550 5.7.1@x.example"),
        ("550 5.7.1x@x.example", "550 redacted~1@x.example"),
        ("550 a#5.7.1.b@x.example", "550 redacted~1#5.7.1.redacted~2@x.example"),
        ("550 12345@x.example", "550 redacted~1@x.example"),
        // Words of refusals may be names where a refusal has others that are not known.
        ("550 5.1.1 \"will hack\"@x.example left", "550 5.1.1 \"redacted~1 redacted~2\"@x.example left"),
        ("550 denied@x.example", "550 redacted~1@x.example"),
        ("550-user\r\n550 unknown@x.example", "550-user\r\n550 unknown@x.example"),
    ] {
        assert_eq!(hidden(Role::Reply, text), expected);
    }
    let ehlo = "250-alice.x.example hello alice@x.example\r\n250-DSN@x.example\r\n250 8BITMIME\r\n";
    assert_eq!(hidden(Role::Hello, ehlo), ehlo.replace("alice@", "redacted~1@"));
    assert_eq!(
        hidden(Role::Hello, "250-alice\r\n250 HELP alice\r\n"),
        "250-redacted~1\r\n250 HELP redacted~1\r\n"
    );
}

#[test]
fn a_mailbox_called_as_a_word_of_a_refusal_stays_in_a_refusal_of_such_words() {
    let mut run = run();
    run.target.mailbox = Some("will@target.example".parse().unwrap());
    for (text, expected) in [
        ("454 4.7.1 Mail will not be accepted", "454 4.7.1 Mail will not be accepted"),
        ("550 5.1.1 Will has left", "550 5.1.1 redacted~1 has left"),
        ("250 2.1.5 will... Recipient ok", "250 2.1.5 redacted~1... Recipient ok"),
    ] {
        let mut octets = Octets::from([text.as_bytes(), b"\r\n"].concat());
        Names::new(&run, &transcript(&run)).hide(Role::Reply, &mut octets, None);
        assert_eq!(octets.as_bytes().trim_ascii(), expected.as_bytes(), "{octets}");
    }
}

#[test]
fn each_kind_of_text_is_read_in_its_way() {
    for (role, text, expected) in [
        // Words of our own commands are no names, whatever the mailbox is called.
        (Role::Sent, "RCPT TO:<alice@target.example>", "RCPT TO:<redacted~1@target.example>"),
        (Role::Sent, "alice carol@probe.example", "alice redacted~1@probe.example"),
        (Role::Text, "smtp; 550 alice bob@x.example", "smtp; 550 redacted~1 redacted~2@x.example"),
        (Role::Address, "bob", "redacted~1"),
        (Role::Address, "rfc822;bob+USER@x.example", "rfc822;redacted~1+USER@x.example"),
        (Role::Address, "@x.example:bob", "@redacted~1:redacted~2"),
        (Role::Address, "", ""),
        (
            Role::Line,
            "from h (h [192.0.2.1]) (Authenticated sender: bob) by mx.example with ESMTP id 4bC1 for <joe>; Mon",
            "from h (h [192.0.2.1]) (Authenticated sender: redacted~1) by mx.example with ESMTP id 4bC1 for <redacted~2>; Mon",
        ),
        (Role::Line, "by x.example for <USER@probe.example>", "by x.example for <USER@probe.example>"),
        (Role::Line, "(envelope-from <bob@x.example>)", "(envelope-from <redacted~1@x.example>)"),
    ] {
        assert_eq!(hidden(role, text), expected);
    }
}

#[test]
fn a_name_that_was_cut_is_a_name() {
    let (_, mut names) = names();
    let (kept, cut) = keep(b"550 ask bob or ali"[..].into(), 18);
    assert!(cut.is_none());
    let (mut octets, cut) = keep(b"550 ask bob or alice@target.example"[..].into(), 18);
    assert_eq!(octets, kept);
    names.hide(Role::Reply, &mut octets, cut.as_deref());
    assert_eq!(octets.as_bytes(), b"550 ask bob or redacted~1");
}

#[test]
fn a_telephone_number_is_a_name() {
    let mut run = run();
    run.identity.probe_uri = "tel:+3112345678".parse().unwrap();
    let report = Report::new(run.clone(), transcript(&run)).redacted();
    assert_eq!(report.run.identity.probe_uri.as_str(), "tel:redacted~3");
    assert_eq!(report.redacted(), report);
}

const EXTENSIONS: [Extension; 3] = [Extension::Dsn, Extension::StartTls, Extension::Pipelining];

/// All that the judgement reads of a reply.
fn reading(text: &[u8]) -> impl PartialEq + core::fmt::Debug + use<> {
    let reply = Reply::parse(text).unwrap();
    let steps = [Step::Greeting, Step::Hello, Step::Mail, Step::Rcpt, Step::Data, Step::Message];
    let whys: Vec<Why> = steps.into_iter().map(|step| Why::of(step, &reply)).collect();
    let words = Wording::of(reply);
    let grounds = wire::gives_no_ground(&reply, &refusal::names_asked_for(&run()));
    let relaying = (words.names_relaying(), words.asks_for_tls(), grounds);
    let passing = (words.puts_off(), refusal::cannot_find_domain(&words, &run().identity.probe_domain));
    (reply.code(), reply.enhanced(), whys, relaying, passing, queue_id(&reply).map(String::from))
}

fn fragment() -> impl Strategy<Value = String> {
    let said: Vec<&str> = phrases::all().collect();
    let words = [
        "alice",
        "Bob",
        "o'neil",
        "5.7.1",
        "4.4.4",
        "5",
        "1A2B",
        "x",
        "queued as ",
        "ok id=",
        "#",
        "greylist",
        "denied",
        "probe.example",
    ];
    let marks = [
        "@",
        "@x.example",
        " ",
        "<",
        ">",
        "\"",
        ".",
        "%",
        "!",
        "=",
        "~",
        "redacted~1",
        "redacted~",
        "\u{fc}",
        "\0",
    ];
    prop_oneof![
        3 => prop::sample::select(said).prop_map(String::from),
        3 => prop::sample::select(words.to_vec()).prop_map(String::from),
        5 => prop::sample::select(marks.to_vec()).prop_map(String::from),
        1 => Just("\r\n".into()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_reply_is_read_as_before(
        code in prop::sample::select(["250", "450", "421", "550", "501", "530", "551"].to_vec()),
        fragments in prop::collection::vec(fragment(), 0..14),
    ) {
        let mut text = format!("{code}-");
        text.push_str(&fragments.concat().replace("\r\n", &format!("\r\n{code}-")));
        let last = text.rfind('\n').map_or(0, |at| at + 1);
        text.replace_range(last + 3..last + 4, " ");
        text.push_str("\r\n");
        let (_, mut names) = names();
        names.reserve(text.as_bytes());
        let mut octets = Octets::from(text.as_bytes());
        names.hide(Role::Reply, &mut octets, None);
        let (before, after) = (reading(text.as_bytes()), reading(octets.as_bytes()));
        prop_assert!(before == after, "{octets}: {after:?} instead of {before:?}");
        let hidden = octets.clone();
        names.hide(Role::Reply, &mut octets, None);
        prop_assert_eq!(&octets, &hidden);

        // Different replies stay different, and the same ones the same.
        let mut other = Octets::from(text.replace("Bob", "bob").as_bytes());
        names.hide(Role::Reply, &mut other, None);
        prop_assert_eq!(other == hidden, !text.contains("Bob"));

        for role in [Role::Greeting, Role::Hello] {
            let mut octets = Octets::from(text.as_bytes());
            names.hide(role, &mut octets, None);
            prop_assert_eq!(host_name(octets.as_bytes()), host_name(text.as_bytes()));
            if role == Role::Hello {
                let ehlo = |octets: &[u8]| {
                    let ehlo = Ehlo::read(&Reply::parse(octets).unwrap());
                    EXTENSIONS.map(|extension| ehlo.offers(extension))
                };
                prop_assert_eq!(ehlo(octets.as_bytes()), ehlo(text.as_bytes()));
            }
        }
    }
}
