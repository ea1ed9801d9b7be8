//! `relayprobe cases`: the built-in test cases, as a table, as a chapter of the docs, as JSON.

use core::cell::RefCell;
use core::fmt::Write as _;

use clap::Args;
use relayprobe::matrix::{Acceptance, Family, Hello, Line, Name, Need, Shape, Tier, Transfer, built_in};
use relayprobe::{Case, Matrix};

use crate::cli::Failure;
use crate::cli::output::show;
use crate::cli::resolve::json;

/// List the test cases
#[derive(Args, Debug)]
pub(crate) struct CasesOptions {
    /// Print docs/cases.md
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

pub(crate) fn cases(options: &CasesOptions) -> Result<u8, Failure> {
    let cases: Vec<Case> = built_in().collect();
    let text = if options.markdown {
        markdown(&cases)
    } else if options.json {
        json(&cases)
    } else {
        table(&cases)
    };
    show(&text)?;
    Ok(0)
}

fn table(cases: &[Case]) -> String {
    let mut rows = vec![["ID", "TIER", "FAMILY", "MAIL FROM:", "RCPT TO:", "WHY"].map(String::from)];
    rows.extend(cases.iter().map(|case| {
        [
            case.id.clone().into_owned(),
            tier(case.tier).into(),
            case.family.as_str().into(),
            short(&case.mail, "MAIL FROM:"),
            short(&case.rcpt, "RCPT TO:"),
            case.why.clone().into_owned(),
        ]
    }));
    let cell = |row: &[String; 6], column: usize| row.get(column).map_or(0, |text| text.chars().count());
    let width = |column: usize| rows.iter().map(|row| cell(row, column)).max().unwrap_or_default();
    let widths: Vec<usize> = (0..5).map(width).collect();
    let mut text = String::new();
    for [id, tier, family, mail, rcpt, why] in &rows {
        for (cell, width) in [id, tier, family, mail, rcpt].into_iter().zip(&widths) {
            // Writing to a string cannot fail.
            let _written = write!(text, "{cell:width$}  ");
        }
        text.push_str(why);
        text.push('\n');
    }
    text
}

const INTRODUCTION: &str = "\
<!-- Made by `relayprobe cases --markdown`; a test compares them. -->

# The test cases

A case is an envelope: what is written for `MAIL` and for `RCPT`, and how the connection introduces itself. Names in
braces are filled in for each run. Every relay case leads to a name of the tester's own; only controls name a mailbox of
the target's own, or one that cannot exist, and no control ever brings the target a message.

- **Tier.** `quick` is the default; `standard` holds quick and more, `full` holds standard and more. An `express` case is
  only asked when it is named (`--case ID`).
- **Acceptance.** A correct server refuses a `telling` case. It may accept an `uninformative` one: only delivery says
  anything there. A `control` says nothing about relaying by itself. A message, for what was accepted, needs `--sink` or
  `--receipts` ([Proof](proof.md)).
- **Needs.** What must be known, or offered, for the case to make sense; without it the case is `not-applicable`.
";

fn markdown(cases: &[Case]) -> String {
    let mut text = String::from(INTRODUCTION);
    let _written = writeln!(text, "\nMatrix version {}, {} cases.", Matrix::VERSION, cases.len());
    for family in Family::ALL {
        let mut rows = cases.iter().filter(|case| case.family == family).peekable();
        if rows.peek().is_none() {
            continue;
        }
        let _written = writeln!(text, "\n## {} (`{family}`)\n", capital(family.title()));
        text.push_str("| id | tier | sender | recipient | needs | acceptance | why | source |\n");
        text.push_str("|---|---|---|---|---|---|---|---|\n");
        for case in rows {
            let _written = writeln!(
                text,
                "| `{}` | {} | {} | {} | {} | {} | {} | {} |",
                case.id,
                tier(case.tier),
                code(&whole(&case.mail)),
                code(&whole(&case.rcpt)),
                prose(&needs(case)),
                acceptance(case),
                prose(&case.why),
                prose(&case.source)
            );
        }
    }
    text
}

/// What must be known or offered, and what is unusual about the way the case is asked.
fn needs(case: &Case) -> String {
    let mut needs: Vec<String> = Vec::new();
    match &case.hello {
        Hello::Own => {}
        Hello::Name(form) => needs.push(format!("begins with `EHLO {form}`")),
        Hello::OldVerb => needs.push("begins with `HELO`".into()),
        Hello::None => needs.push("begins with neither `EHLO` nor `HELO`".into()),
    }
    match case.shape {
        Shape::Plain => {}
        Shape::LocalFirst => needs.push("comes after a recipient of the target's own".into()),
        Shape::EarlyData => needs.push("`DATA` in the same write".into()),
    }
    match case.transfer {
        Transfer::Data => {}
        Transfer::Bdat => needs.push("its message goes by `BDAT`".into()),
    }
    for need in names(case).into_iter().filter_map(name).chain(case.needs.iter().copied().map(offer)) {
        if !needs.iter().any(|known| known == need) {
            needs.push(need.into());
        }
    }
    if needs.is_empty() { "–".into() } else { needs.join("; ") }
}

/// The placeholders of a case, in the order of its lines.
fn names(case: &Case) -> Vec<Name> {
    let names = RefCell::new(Vec::new());
    let note = |name| {
        names.borrow_mut().push(name);
        Some(String::new())
    };
    let mut forms =
        vec![&case.mail.argument, &case.mail.parameters, &case.rcpt.argument, &case.rcpt.parameters];
    if let Hello::Name(form) = &case.hello {
        forms.insert(0, form);
    }
    for form in forms {
        // Every name has a value here, so every form can be filled.
        let _filled = form.fill(note);
    }
    names.into_inner()
}

/// Where a name comes from, unless the tester always has it.
const fn name(name: Name) -> Option<&'static str> {
    Some(match name {
        Name::TargetDomain => "a mail domain of the target (`--domain`)",
        Name::HostedDomain => "a second mail domain of the target (`--domain` twice)",
        Name::TargetHost => "the name in the server's `EHLO` reply or greeting, or its MX record",
        Name::OwnDomain => {
            "a mail domain of the target (`--domain`), or the name in its `EHLO` reply or greeting"
        }
        Name::TargetIp => "an IPv4 address of the target",
        Name::TargetIp6 => "an IPv6 address of the target",
        Name::TargetRdns => "the target's reverse name (`--ptr`)",
        Name::LocalUser => "a mailbox that the operator named (`--mailbox`)",
        Name::IspDomain => "the domain of its provider (`--provider-domain`)",
        Name::LureMx => "a name of ours whose MX is the target (`--lure-mx`)",
        Name::LureA => "a name of ours with the target's address (`--lure-a`)",
        Name::ProbeIp | Name::ProbeIpDecimal => "the IPv4 address of our receiving server (`--sink-ip`)",
        Name::ProbeIp6 => "the IPv6 address of our receiving server (`--sink-ip`)",
        Name::SinkHost => "the name of our receiving server (`--sink-host`)",
        Name::CaseSender => "stands beside each case with a sender of its own",
        Name::CaseRecipient => "repeats each case that was accepted",
        _ => return None,
    })
}

const fn offer(need: Need) -> &'static str {
    match need {
        Need::Auth => "AUTH offered",
        Need::Chunking => "CHUNKING offered",
        Need::Dsn => "DSN offered",
        Need::Pipelining => "PIPELINING offered",
        Need::SmtpUtf8 => "SMTPUTF8 offered",
        Need::SecondDomain => "a second domain of ours (`--sender-domain`)",
        Need::Sink => "a way in to our receiving server (`--way-in`)",
    }
}

fn acceptance(case: &Case) -> &'static str {
    match case.acceptance {
        _ if case.is_control() => "control",
        Acceptance::Telling => "telling",
        Acceptance::Uninformative => "uninformative",
    }
}

const fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Quick => "quick",
        Tier::Standard => "standard",
        Tier::Full => "full",
        Tier::Express => "express",
    }
}

fn whole(line: &Line) -> String {
    format!("{}{}{}", line.verb, line.argument, line.parameters)
}

/// A line without the verb that its column names.
fn short(line: &Line, usual: &str) -> String {
    let whole = whole(line);
    whole.strip_prefix(usual).map(String::from).unwrap_or(whole)
}

/// A cell in which every character stands for itself.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

/// A cell of words, in which `code` may stand.
fn prose(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}
