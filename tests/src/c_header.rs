//! What the C header says: functions, numbers, and the documentation of each.

/// A function.
#[derive(Debug)]
pub struct Function {
    /// `relayprobe_plan_new`.
    pub name: String,
    /// `struct relayprobe_plan *`.
    pub gives: String,
    /// What it takes.
    pub parameters: Vec<Parameter>,
    /// Its comment, a line for each paragraph.
    pub documentation: Vec<String>,
}

/// One of its parameters.
#[derive(Debug)]
pub struct Parameter {
    /// `struct relayprobe_plan *`.
    pub kind: String,
    /// `plan`.
    pub name: String,
}

/// A group of numbers.
#[derive(Debug)]
pub struct Numbers {
    /// `relayprobe_verdict`.
    pub name: String,
    /// Its comment, a line for each paragraph.
    pub documentation: Vec<String>,
    /// Name, value and comment of each.
    pub values: Vec<(String, String, Vec<String>)>,
}

/// The functions, in order.
#[must_use]
pub fn functions(header: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (comment, rest) in header.split("/**\n").skip(1).filter_map(|part| part.split_once(" */\n")) {
        let declaration = words(rest.split(';').next().unwrap_or_default());
        let Some((head, parameters)) = declaration.strip_suffix(')').and_then(|text| text.split_once('('))
        else {
            continue;
        };
        let begin = head.rfind("relayprobe_").expect("a function of ours");
        let (gives, name) = head.split_at(begin);
        let parameters = parameters.split(", ").filter(|text| *text != "void").map(parameter).collect();
        found.push(Function {
            name: name.into(),
            gives: gives.trim_end().into(),
            parameters,
            documentation: paragraphs(comment),
        });
    }
    found
}

/// The groups of numbers, in order.
#[must_use]
pub fn numbers(header: &str) -> Vec<Numbers> {
    let parts = header.split("\n/**\n").skip(1).filter_map(|part| part.split_once("\n */\ntypedef enum "));
    parts
        .map(|(comment, rest)| {
            let (name, body) = rest.split_once(" {\n").expect("an enum");
            let (body, _) = body.split_once("\n}").expect("its end");
            let values = body.split("/**\n").skip(1).map(|part| {
                let (comment, line) = part.split_once("*/\n").expect("a number with a comment");
                let (name, value) = line.trim().trim_end_matches(',').split_once(" = ").expect("a number");
                (name.to_owned(), value.to_owned(), paragraphs(comment))
            });
            Numbers { name: name.into(), documentation: paragraphs(comment), values: values.collect() }
        })
        .collect()
}

fn parameter(text: &str) -> Parameter {
    let split = text.rfind(['*', ' ']).expect("a type and a name") + 1;
    let (kind, name) = text.split_at(split);
    Parameter { kind: kind.trim_end().into(), name: name.into() }
}

fn paragraphs(comment: &str) -> Vec<String> {
    let lines: Vec<&str> = comment.lines().map(|line| line.trim().trim_start_matches('*').trim()).collect();
    lines.split(|line| line.is_empty()).map(|lines| lines.join(" ")).filter(|text| !text.is_empty()).collect()
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
