//! The manual pages: librelayprobe(3) is made from the header, relayprobe(1) names every option, and both are well formed.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use relayprobe_tests::c_header::{functions, numbers};
use relayprobe_tests::c_library::succeed;
use relayprobe_tests::program::{run, text, workspace};

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
    let page = folder.join("man/librelayprobe.3");
    if std::env::var_os(WRITE).is_some() {
        fs::write(&page, &made).expect("the page can be written");
    }
    let kept = fs::read_to_string(&page).unwrap_or_default();
    assert!(kept == made, "{} is not what the header says: run this test with {WRITE}=1", page.display());
    let symbols = fs::read_to_string(folder.join("symbols.txt")).expect("the list of symbols");
    for symbol in symbols.lines() {
        assert!(kept.contains(&format!(".Fo {symbol}\n")), "{symbol} is not in the page");
    }
}

#[test]
fn the_page_of_the_program_names_every_command_and_option() {
    let page = fs::read_to_string(workspace().join("relayprobe/man/relayprobe.1")).expect("the page");
    let (_, overview, _) = run(&["--help"]);
    let commands = overview.split("Commands:\n").nth(1).expect("commands").lines();
    let commands = commands.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    let mut options = 0;
    for command in
        commands.filter_map(|line| line.split_whitespace().next()).filter(|command| *command != "help")
    {
        assert!(page.contains(&format!(".It Cm {command} ")), "the command {command} is not in the page");
        let (_, help, _) = run(&[command, "--help"]);
        for option in help.split_whitespace().filter_map(|word| word.strip_prefix("--")) {
            let option = option.trim_end_matches(|letter: char| !letter.is_ascii_lowercase());
            if option.is_empty() || option == "help" {
                continue;
            }
            options += 1;
            assert!(page.contains(&format!("Fl Fl {option}")), "{command}: --{option} is not in the page");
        }
    }
    assert!(options > 60, "{options} options were looked at");
}

#[test]
fn the_pages_are_well_formed() {
    for page in ["relayprobe-ffi/man/librelayprobe.3", "relayprobe/man/relayprobe.1"] {
        succeed(Command::new("mandoc").args(["-T", "lint", "-W", "warning", text(&workspace().join(page))]));
    }
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
