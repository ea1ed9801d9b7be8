//! The manual pages: librelayprobe(3) is made from the header, relayprobe(1) from `--help`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use relayprobe_tests::c_header::{functions, numbers};
use relayprobe_tests::c_library::succeed;
use relayprobe_tests::program::{text, workspace};
use relayprobe_tests::program_help::{self, Entry};

/// Writes the page anew instead of comparing it.
const WRITE: &str = "WRITE_MANUAL";

#[test]
fn the_page_of_the_library_is_made_from_the_header() {
    let folder = workspace().join("relayprobe-ffi");
    let header = fs::read_to_string(folder.join("include/relayprobe.h")).expect("the header");
    let frame = fs::read_to_string(folder.join("man/librelayprobe.3.in")).expect("the frame of the page");
    let made = frame
        .replace("@functions@\n", &functions_as_mdoc(&header))
        .replace("@numbers@\n", &numbers_as_mdoc(&header));
    assert_kept(&folder.join("man/librelayprobe.3"), &made);
    let symbols = fs::read_to_string(folder.join("symbols.txt")).expect("the list of symbols");
    for symbol in symbols.lines() {
        assert!(made.contains(&format!(".Fo {symbol}\n")), "{symbol} is not in the page");
    }
}

#[test]
fn the_page_of_the_program_is_made_from_its_help() {
    let frame = fs::read_to_string(workspace().join("relayprobe/man/relayprobe.1.in")).expect("the frame");
    let commands = program_help::commands();
    assert!(commands.len() > 7, "{commands:?}");
    let mut options = String::new();
    for command in &commands {
        let found = program_help::options(&command.name);
        if !found.is_empty() {
            let _written = writeln!(options, ".Ss {}\n{}", command.name, options_as_mdoc(&found).trim_end());
        }
    }
    let made = frame.replace("@commands@\n", &commands_as_mdoc(&commands)).replace("@options@\n", &options);
    assert_kept(&workspace().join("relayprobe/man/relayprobe.1"), &made);
    assert!(made.matches("\n.It Fl Fl ").count() > 60, "{made}");
}

#[test]
fn the_pages_are_well_formed() {
    for page in ["relayprobe-ffi/man/librelayprobe.3", "relayprobe/man/relayprobe.1"] {
        succeed(Command::new("mandoc").args(["-T", "lint", "-W", "warning", text(&workspace().join(page))]));
    }
}

/// Compares a page with what is committed.
fn assert_kept(page: &Path, made: &str) {
    if std::env::var_os(WRITE).is_some() {
        fs::write(page, made).expect("the page can be written");
    }
    let kept = fs::read_to_string(page).unwrap_or_default();
    assert!(kept == made, "{} is out of date: run this test with {WRITE}=1", page.display());
}

fn commands_as_mdoc(commands: &[Entry]) -> String {
    let mut made = String::from(".Bl -tag -width Ds\n");
    for command in commands {
        let _written = write!(made, ".It Cm {}", command.name);
        for word in command.argument.replace('|', " | ").split_whitespace() {
            let plain = word.trim_matches(['<', '>']);
            let _written = match (word, word.strip_prefix("--")) {
                ("|", _) => write!(made, " |"),
                ("[OPTIONS]", _) => write!(made, " Oo Ar options Oc"),
                (_, Some(option)) => write!(made, " Fl Fl {option}"),
                _ => write!(made, " Ar {}", plain.replace("[:PORT]", " Ns Op : Ns Ar PORT")),
            };
        }
        made.push('\n');
        write_paragraphs(&mut made, &[sentence(&command.text)]);
    }
    made + ".El\n"
}

fn options_as_mdoc(options: &[Entry]) -> String {
    let mut made = String::from(".Bl -tag -width Ds\n");
    for option in options {
        let _written = write!(made, ".It Fl Fl {}", option.name);
        if !option.argument.is_empty() {
            let _written = write!(made, " Ar {}", option.argument.replace('|', " | Ar "));
        }
        made.push('\n');
        write_paragraphs(&mut made, &[sentence(&option.text)]);
    }
    made + ".El\n"
}

fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

fn functions_as_mdoc(header: &str) -> String {
    let mut made = String::from(".Bl -tag -width Ds\n");
    for function in functions(header) {
        let _written = writeln!(made, ".It Xo\n.Ft {}\n.Fo {}", quoted(&function.gives), function.name);
        for parameter in &function.parameters {
            let gap = if parameter.kind.ends_with('*') { "" } else { " " };
            let _written =
                writeln!(made, ".Fa {}", quoted(&format!("{}{gap}{}", parameter.kind, parameter.name)));
        }
        made.push_str(".Fc\n.Xc\n");
        write_paragraphs(&mut made, &function.documentation);
    }
    made + ".El\n"
}

fn numbers_as_mdoc(header: &str) -> String {
    let mut made = String::new();
    for group in numbers(header) {
        let _written = writeln!(made, ".Ss {}", group.name);
        write_paragraphs(&mut made, &group.documentation);
        made.push_str(".Bl -tag -width Ds\n");
        for (name, value, documentation) in &group.values {
            let _written = writeln!(made, ".It Dv {name} No = {value}");
            write_paragraphs(&mut made, documentation);
        }
        made.push_str(".El\n");
    }
    made
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// A sentence on each line, as mdoc wants them.
fn write_paragraphs(made: &mut String, paragraphs: &[String]) {
    for (at, paragraph) in paragraphs.iter().enumerate() {
        if at > 0 {
            made.push_str(".Pp\n");
        }
        let mut open = false;
        for piece in paragraph.replace('\\', "\\e").split('`') {
            made.push_str(&piece.replace(". ", ".\n").replace("\n.", "\n\\&."));
            made.push_str(if open { "\\fR" } else { "\\fI" });
            open = !open;
        }
        // The last piece begins nothing.
        made.truncate(made.len() - "\\fI".len());
        made.push('\n');
    }
}
