//! The faults in force, and those that can be switched on.

use super::count;
use crate::{
    console::{
        Console,
        form::Form,
        html::{Html, html},
    },
    faults::file::{HELP, OPERATIONS},
};

/// A fault that can be switched on: its name, and its fields with their initial values.
type Known = (&'static str, &'static [(&'static str, &'static str)]);

/// The faults that `--faults` accepts, in the sequence in which its help lists them.
const KNOWN: [Known; 18] = [
    (
        "refused",
        &[
            ("call", "TransactWriteItems"),
            ("code", "ThrottlingException"),
            ("rate", "0.1"),
        ],
    ),
    (
        "cancelled",
        &[
            ("call", "TransactWriteItems"),
            ("code", "TransactionConflict"),
            ("rate", "0.1"),
        ],
    ),
    (
        "done_in_part",
        &[
            ("call", "SendMessageBatch"),
            ("code", "ServiceUnavailable"),
            ("rate", "0.1"),
        ],
    ),
    ("cut_off", &[("call", "SendMessage"), ("rate", "0.1")]),
    (
        "done_late",
        &[
            ("call", "TransactWriteItems"),
            ("seconds", "1"),
            ("rate", "0.1"),
        ],
    ),
    (
        "answered_late",
        &[
            ("call", "TransactWriteItems"),
            ("seconds", "1"),
            ("rate", "1"),
        ],
    ),
    (
        "caller_killed_before",
        &[("call", "TransactWriteItems"), ("rate", "0.05")],
    ),
    (
        "caller_killed_after",
        &[("call", "TransactWriteItems"), ("rate", "0.05")],
    ),
    ("delivered_twice", &[("seconds", "0"), ("rate", "0.1")]),
    ("delivered_late", &[("seconds", "5"), ("rate", "0.1")]),
    ("back_early", &[("seconds", "2"), ("rate", "0.1")]),
    ("overtaken", &[("rate", "0.1")]),
    ("received_before", &[("receives", "24"), ("rate", "0.1")]),
    (
        "killed_in_init",
        &[
            ("function", "ProcessFunction"),
            ("seconds", "0"),
            ("rate", "0.1"),
        ],
    ),
    (
        "killed",
        &[
            ("function", "ProcessFunction"),
            ("seconds", "1"),
            ("rate", "0.1"),
        ],
    ),
    (
        "hung",
        &[
            ("function", "ProcessFunction"),
            ("seconds", "0"),
            ("rate", "0.05"),
        ],
    ),
    (
        "garbage",
        &[("function", "ProcessFunction"), ("rate", "0.1")],
    ),
    (
        "killed_every",
        &[
            ("function", "ProcessFunction"),
            ("seconds", "5"),
            ("rate", "1"),
        ],
    ),
];

pub fn render(console: &Console, _: &Form) -> Html {
    let in_force = console.faults.injections();
    let struck = console.faults.tally().counts();
    let fault = |(number, injection): &(u64, crate::faults::Injection)| {
        html!(
            "<li><span>{}, {} %</span> <form method=\"post\" action=\"/.console/faults/off\">\
             <input type=\"hidden\" name=\"number\" value=\"{}\"><button id=\"off-{}\">Switch off<span class=\"unseen\"> {}</span></button>\
             </form></li>",
            injection.to_string(),
            format!("{:.0}", 100.0 * injection.rate),
            *number,
            *number,
            injection.to_string(),
        )
    };
    let in_force = match in_force.as_slice() {
        [] => html!("<p>None is switched on.</p>"),
        faults => html!(
            "<ul class=\"in-force\">{}</ul>",
            faults.iter().map(fault).collect::<Vec<_>>()
        ),
    };
    let counts = struck.iter();
    let counts: Vec<_> = counts
        .map(|(fault, struck)| html!("<li>{} <b>{}</b></li>", fault, count(*struck)))
        .collect();
    let counts = (!counts.is_empty())
        .then(|| html!("<h3>Struck so far</h3><ul class=\"struck\">{}</ul>", counts));
    html!("{}{}", in_force, counts)
}

/// A form for each fault.
pub fn forms(console: &Console) -> Html {
    let forms = known().map(|((name, fields), text)| {
        let fields: Vec<_> = fields.iter().map(|(field, value)| input(console, name, field, value)).collect();
        html!(
            "<li><form method=\"post\" action=\"/.console/faults/on\"><input type=\"hidden\" name=\"fault\" value=\"{}\">\
             <p><b>{}</b> <span class=\"quiet\">{}</span></p>{}<button>Switch on<span class=\"unseen\"> {}</span></button></form></li>",
            name,
            name,
            text,
            fields,
            name,
        )
    });
    html!("<ul class=\"faults\">{}</ul>", forms.collect::<Vec<_>>())
}

/// Each fault with its line in `--help`.
fn known() -> impl Iterator<Item = (Known, &'static str)> {
    KNOWN.into_iter().map(|known| {
        let lines = HELP.lines().filter_map(|line| line.strip_prefix("    "));
        let mut lines = lines.filter_map(|line| line.split_once(' '));
        let text = lines.find(|(name, _)| *name == known.0);
        (known, text.map_or("", |(_, text)| text.trim()))
    })
}

fn input(console: &Console, fault: &str, field: &str, value: &str) -> Html {
    let options: Vec<&str> = match field {
        "call" => OPERATIONS.to_vec(),
        "function" => console
            .system
            .functions
            .iter()
            .map(String::as_str)
            .collect(),
        _ => Vec::new(),
    };
    let id = format!("{fault}-{field}");
    let control = if options.is_empty() {
        let kind = if field == "code" { "text" } else { "number" };
        html!(
            "<input id=\"{}\" name=\"{}\" type=\"{}\" step=\"any\" min=\"0\" required value=\"{}\">",
            id,
            field,
            kind,
            value
        )
    } else {
        let option = |option: &&str| {
            let selected = (*option == value).then(|| html!(" selected"));
            html!("<option{}>{}</option>", selected, *option)
        };
        let options: Vec<_> = options.iter().map(option).collect();
        html!(
            "<select id=\"{}\" name=\"{}\">{}</select>",
            id,
            field,
            options
        )
    };
    html!("<label for=\"{}\">{}</label> {} ", id, field, control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::file::Plan;
    use serde_json::json;

    #[test]
    fn each_fault_of_the_command_line_can_be_switched_on_as_it_stands() -> anyhow::Result<()> {
        let own = HELP.lines().filter_map(|line| line.strip_prefix("    "));
        let own = own.filter(|line| line.starts_with(char::is_alphabetic));
        let names: Vec<_> = own.filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(names, KNOWN.map(|(name, _)| name));
        for ((name, fields), text) in known() {
            assert!(!text.is_empty(), "{name}");
            let own = [("fault", name)];
            let fields = fields.iter().chain(&own);
            let fault: serde_json::Map<_, _> = fields
                .map(|(field, value)| ((*field).to_owned(), json!(value)))
                .collect();
            let plan = Plan::read(&json!({"faults": [fault]}).to_string())?;
            assert_eq!(plan.injections.len(), 1);
        }
        Ok(())
    }
}
