//! A program in C that calls every function of the header with every pointer NULL, one at a time and all at once.
//!
//! It is made from the header, so that no function is forgotten.

use std::fmt::Write as _;

/// A function of the header.
struct Function {
    name: String,
    gives: String,
    parameters: Vec<Parameter>,
    documentation: String,
}

/// One of its parameters: `struct relayprobe_plan *`, `plan`.
struct Parameter {
    kind: String,
    name: String,
}

impl Parameter {
    fn is_pointer(&self) -> bool {
        self.kind.ends_with('*')
    }

    /// A value that is right, or at least there.
    fn value(&self) -> &'static str {
        match (self.kind.as_str(), self.name.as_str()) {
            ("struct relayprobe_plan *", _) => "plan",
            ("struct relayprobe_session *", _) => "session",
            ("struct relayprobe_report *", _) => "report",
            ("struct relayprobe_keyring *", _) => "keyring",
            ("struct relayprobe_stop *", _) => "stop",
            ("struct relayprobe_session **", _) => "&new_session",
            ("struct relayprobe_report **", _) => "&new_report",
            ("struct relayprobe_keyring **", _) => "&new_keyring",
            ("struct relayprobe_output *", _) => "&output",
            ("const char *", _) => "\"x\"",
            ("const uint8_t *", _) => "octets",
            ("const uint16_t *", _) => "ports",
            ("const uint32_t *", _) => "seconds",
            ("const uint8_t **", _) => "&place",
            ("uint64_t *", _) => "&date",
            ("size_t *", _) => "&size",
            ("int32_t *", _) => "&number",
            (_, "length") => "32",
            ("size_t" | "uint64_t" | "uint32_t" | "uint16_t" | "int32_t", _) => "1",
            (kind, name) => panic!("no value is known for {kind} {name}"),
        }
    }
}

/// The program.
///
/// # Panics
/// If the header has a type that is new.
#[must_use]
pub fn program(header: &str) -> String {
    let mut program = String::from(BEGINNING);
    let functions = functions(header);
    assert!(functions.len() > 80, "{} functions were found", functions.len());
    for function in &functions {
        let pointers = (0..function.parameters.len()).filter(|&at| function.parameters[at].is_pointer());
        let pointers: Vec<usize> = pointers.collect();
        if pointers.is_empty() || function.name.ends_with("_free") {
            continue;
        }
        for &at in &pointers {
            let wanted =
                if function.allows_null(&function.parameters[at].name) { "ALLOWED" } else { "REFUSED" };
            function.call(&mut program, wanted, |other| other == at);
        }
        function.call(&mut program, "REFUSED", |_| true);
    }
    for function in functions.iter().filter(|function| function.name.ends_with("_free")) {
        let _written = writeln!(program, "    {}(NULL);", function.name);
    }
    program.push_str(END);
    program
}

impl Function {
    /// "`stop` may be NULL", or "one of relayprobe_receipt, or NULL".
    fn allows_null(&self, parameter: &str) -> bool {
        let words = self.documentation.split_whitespace().filter(|word| *word != "*");
        let said = words.collect::<Vec<_>>().join(" ");
        let about = format!("`{parameter}` is ");
        said.contains(&format!("`{parameter}` may be NULL"))
            || said.split(". ").any(|sentence| sentence.starts_with(&about) && sentence.ends_with("or NULL"))
    }

    fn call(&self, program: &mut String, wanted: &str, is_null: impl Fn(usize) -> bool) {
        let given = self.parameters.iter().enumerate().map(|(at, parameter)| {
            if parameter.is_pointer() && is_null(at) { "NULL" } else { parameter.value() }
        });
        let given: Vec<&str> = given.collect();
        let kind = if self.gives.contains('*') { "TEXT" } else { "NUMBER" };
        let _written = writeln!(program, "    {wanted}_{kind}({}({}));", self.name, given.join(", "));
    }
}

fn functions(header: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (documentation, rest) in header.split("/**\n").skip(1).filter_map(|part| part.split_once(" */\n")) {
        let declaration = rest.split(';').next().unwrap_or_default();
        let declaration = declaration.split_whitespace().collect::<Vec<_>>().join(" ");
        let Some((head, parameters)) = declaration.strip_suffix(')').and_then(|text| text.split_once('('))
        else {
            continue;
        };
        let begin = head.rfind("relayprobe_").expect("a function of ours");
        let (gives, name) = head.split_at(begin);
        let parameters = parameters.split(", ").filter(|text| *text != "void").map(parameter).collect();
        found.push(Function {
            name: name.into(),
            gives: gives.into(),
            parameters,
            documentation: documentation.into(),
        });
    }
    found
}

fn parameter(text: &str) -> Parameter {
    let split = text.rfind(['*', ' ']).expect("a type and a name") + 1;
    let (kind, name) = text.split_at(split);
    Parameter { kind: kind.trim_end().into(), name: name.into() }
}

const BEGINNING: &str = r#"/* Made by the tests from the header. */
#include "check.h"

#define REFUSED_NUMBER(call) CHECK((int)(call) == RELAYPROBE_STATUS_NULL_POINTER && strstr(relayprobe_last_error(), "is NULL") != NULL)
#define REFUSED_TEXT(call) CHECK((call) == NULL && strstr(relayprobe_last_error(), "is NULL") != NULL)
#define ALLOWED_NUMBER(call) CHECK((int)(call) != RELAYPROBE_STATUS_NULL_POINTER)

int main(void)
{
    static const uint8_t octets[32] = {1};
    static const uint16_t ports[32] = {25};
    static const uint32_t seconds[32] = {1};
    relayprobe_plan *plan = whole_plan();
    relayprobe_session *session = session_of(plan), *new_session = NULL;
    relayprobe_report *report = refused_report(plan), *new_report = NULL;
    relayprobe_keyring *keyring = a_keyring(), *new_keyring = NULL;
    relayprobe_stop *stop = relayprobe_stop_new();
    relayprobe_output output;
    const uint8_t *place;
    uint64_t date;
    size_t size;
    int32_t number;

    memset(&output, 0, sizeof output);
    output.struct_size = sizeof output;
    (void)seconds;
    (void)ports;
    OK(relayprobe_stop_now(stop));
"#;

const END: &str = "    CHECK(new_keyring == NULL);
    relayprobe_session_free(session);
    relayprobe_session_free(new_session);
    relayprobe_report_free(report);
    relayprobe_report_free(new_report);
    relayprobe_keyring_free(keyring);
    relayprobe_stop_free(stop);
    relayprobe_plan_free(plan);
    return 0;
}
";
