//! A program in C that calls every function of the header with every pointer NULL, one at a time and all at once.
//!
//! It is made from the header, so that no function is forgotten.

use std::fmt::Write as _;

use crate::c_header::{Function, Parameter, functions};

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
        let pointers = (0..function.parameters.len()).filter(|&at| is_pointer(&function.parameters[at]));
        let pointers: Vec<usize> = pointers.collect();
        if pointers.is_empty() || function.name.ends_with("_free") {
            continue;
        }
        for &at in &pointers {
            let wanted =
                if allows_null(function, &function.parameters[at].name) { "ALLOWED" } else { "REFUSED" };
            call(&mut program, function, wanted, |other| other == at);
        }
        call(&mut program, function, "REFUSED", |_| true);
    }
    for function in functions.iter().filter(|function| function.name.ends_with("_free")) {
        let _written = writeln!(program, "    {}(NULL);", function.name);
    }
    program.push_str(END);
    program
}

/// "`stop` may be NULL", or "`kind` is where …, or NULL".
fn allows_null(function: &Function, parameter: &str) -> bool {
    let said = function.documentation.join(" ");
    let about = format!("`{parameter}` is ");
    said.contains(&format!("`{parameter}` may be NULL"))
        || said.split(". ").any(|sentence| sentence.starts_with(&about) && sentence.ends_with("or NULL"))
}

fn call(program: &mut String, function: &Function, wanted: &str, is_null: impl Fn(usize) -> bool) {
    let given =
        function.parameters.iter().enumerate().map(|(at, parameter)| {
            if is_pointer(parameter) && is_null(at) { "NULL" } else { value(parameter) }
        });
    let given: Vec<&str> = given.collect();
    let kind = if function.gives.contains('*') { "TEXT" } else { "NUMBER" };
    let _written = writeln!(program, "    {wanted}_{kind}({}({}));", function.name, given.join(", "));
}

fn is_pointer(parameter: &Parameter) -> bool {
    parameter.kind.ends_with('*')
}

/// A value that is right, or at least there.
fn value(parameter: &Parameter) -> &'static str {
    match (parameter.kind.as_str(), parameter.name.as_str()) {
        ("struct relayprobe_plan *", _) => "plan",
        ("struct relayprobe_session *", _) => "session",
        ("struct relayprobe_report *", _) => "report",
        ("struct relayprobe_keyring *", _) => "keyring",
        ("struct relayprobe_stop *", _) => "stop",
        ("struct relayprobe_session **", _) => "&new_session",
        ("struct relayprobe_report **", _) => "&new_report",
        ("struct relayprobe_keyring **", _) => "&new_keyring",
        ("struct relayprobe_output *", _) => "&output",
        ("const char *", "address") => "\"192.0.2.1\"",
        ("const char *", "zone") => "\"bl.example\"",
        ("char *", _) => "text",
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
    char text[256];
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
