//! Valid orders, and the violations of invalid ones.

mod described;
mod properties;
mod stored;

use events::{
    Order, Violation,
    order::{MAX_TOTAL, NotAnOrder},
    violation::Pointer,
};
use serde_json::json;

fn violations(body: &[u8]) -> Vec<Violation> {
    match Order::parse(body) {
        Err(NotAnOrder::Invalid(violations)) => violations,
        other => panic!("{} gave {other:?}", String::from_utf8_lossy(body)),
    }
}

/// Checks that the violations of `body` have these pointers, in this sequence.
fn check(body: &str, expected: &[&str]) {
    let found = violations(body.as_bytes());
    let pointers: Vec<_> = found
        .iter()
        .map(|violation| violation.pointer.as_str())
        .collect();
    assert_eq!(pointers, expected, "{body}");
}

/// An order of one line, with these members in place of valid ones.
fn with_line(members: &str) -> String {
    format!(r#"{{"lines":[{{{members}}}],"currency":"EUR"}}"#)
}

#[test]
fn an_order_is_read_as_it_was_sent() -> anyhow::Result<()> {
    let order = Order::parse(
        r#"{"reference":"März","currency":"EUR","lines":[
            {"sku":"cup","quantity":2,"unit_price":1250},
            {"unit_price":0,"quantity":3,"sku":"gift"},
            {"sku":"cup","quantity":1,"unit_price":1000}]}"#
            .as_bytes(),
    )?;
    assert_eq!(
        (order.total(), order.currency(), order.reference()),
        (3500, "EUR", Some("März"))
    );
    assert_eq!(
        order.claims().into_iter().collect::<Vec<_>>(),
        [("cup", 3), ("gift", 3)]
    );
    assert_eq!(
        order
            .lines()
            .iter()
            .map(events::order::Line::sku)
            .collect::<Vec<_>>(),
        ["cup", "gift", "cup"]
    );
    Ok(())
}

#[test]
fn a_serialiser_may_write_nothing_in_three_ways() -> anyhow::Result<()> {
    let order = |rest: &str| {
        let line = r#"{"sku":"cup","quantity":1,"unit_price":0}"#;
        Order::parse(format!(r#"{{"currency":"EUR","lines":[{line}]{rest}}}"#).as_bytes())
    };
    let none = order("")?;
    assert_eq!(order(r#","reference":null"#)?, none);
    // The fingerprint covers what is serialised.
    assert_eq!(
        serde_json::to_string(&order(r#","reference": null "#)?)?,
        serde_json::to_string(&none)?
    );
    assert_ne!(order(r#","reference":"""#)?, none);

    let text = r#"{"currency":"EUR","lines":[{"sku":"cup","quantity":1,"unit_price":-0}]}"#;
    assert_eq!(Order::parse(text.as_bytes())?, none);
    assert_eq!(Order::parse(format!("\u{feff}{text}").as_bytes())?, none);
    for bad in ["-0.0", "-0e1", "-1", "-00"] {
        let text = text.replace("-0}", &format!("{bad}}}"));
        assert!(Order::parse(text.as_bytes()).is_err(), "{bad}");
    }
    for twice in ["\u{feff}\u{feff}{}", "{}\u{feff}", "\u{feff}"] {
        let read = Order::parse(twice.as_bytes());
        assert!(matches!(read, Err(NotAnOrder::NotJson(_))), "{twice:?}");
    }
    Ok(())
}

#[test]
fn violations_inside_a_larger_document_have_its_pointers() -> anyhow::Result<()> {
    let order = serde_json::from_str(r#"{"lines":[{"sku":"cup","quantity":0}],"note":1}"#)?;
    let place = Pointer::Element(&Pointer::Member(&Pointer::Root, "orders"), 3);
    let found = Order::from_json(order, &place).expect_err("it has violations");
    let pointers: Vec<_> = found
        .iter()
        .map(|violation| violation.pointer.as_str())
        .collect();
    let expected = [
        "/orders/3/note",
        "/orders/3/lines/0/quantity",
        "/orders/3/lines/0/unit_price",
        "/orders/3/currency",
    ];
    assert_eq!(pointers, expected);
    Ok(())
}

#[test]
fn each_field_has_its_rules() {
    check("[]", &[""]);
    check("null", &[""]);
    check("{}", &["/lines", "/currency"]);
    check(r#"{"lines":{},"currency":"EUR"}"#, &["/lines"]);
    check(r#"{"lines":[],"currency":"EUR"}"#, &["/lines"]);
    check(r#"{"lines":[7],"currency":"EUR"}"#, &["/lines/0"]);
    check(
        &with_line(""),
        &["/lines/0/sku", "/lines/0/quantity", "/lines/0/unit_price"],
    );

    let line = |sku: &str, quantity: &str, unit_price: &str| {
        with_line(&format!(
            r#""sku":{sku},"quantity":{quantity},"unit_price":{unit_price}"#
        ))
    };
    for sku in [
        r#""""#,
        r#""a b""#,
        r#""ä""#,
        "1",
        "null",
        r#""\ud800""#,
        r#""a\ufffd""#,
        &format!("{:?}", "x".repeat(65)),
    ] {
        check(&line(sku, "1", "1"), &["/lines/0/sku"]);
    }
    for quantity in [
        "0",
        "-1",
        "1000001",
        "1.0",
        "1e2",
        "\"1\"",
        "null",
        "99999999999999999999",
    ] {
        check(&line("\"cup\"", quantity, "1"), &["/lines/0/quantity"]);
    }
    for unit_price in ["-1", "1000000000001", "0.5", "\"0\"", "[[]]"] {
        check(&line("\"cup\"", "1", unit_price), &["/lines/0/unit_price"]);
    }

    let order =
        |rest: &str| format!(r#"{{"lines":[{{"sku":"a","quantity":1,"unit_price":1}}],{rest}}}"#);
    for currency in [
        r#""eur""#,
        r#""EURO""#,
        r#""XQZ""#,
        r#""BGN""#,
        r#""XXX""#,
        r#""""#,
        "978",
        "null",
    ] {
        check(&order(&format!(r#""currency":{currency}"#)), &["/currency"]);
    }
    for reference in [
        r#""a\nb""#,
        r#""\u007f""#,
        r#""M\ufffdller""#,
        "\"M\u{fffd}ller\"",
        "7",
        "[null]",
        &format!("{:?}", "ä".repeat(65)),
    ] {
        check(
            &order(&format!(r#""currency":"EUR","reference":{reference}"#)),
            &["/reference"],
        );
    }
}

#[test]
fn every_fault_is_found() {
    check(
        r#"{"lines":[{"sku":"","quantity":0,"unit_price":-1},{"sku":"a","quantity":1,"unit_price":1,"qty":2}],
            "currency":"","reference":[],"lines":[],"note/s":1}"#,
        &[
            "/lines",
            "/note~1s",
            "/lines/0/sku",
            "/lines/0/quantity",
            "/lines/0/unit_price",
            "/lines/1/qty",
            "/currency",
            "/reference",
        ],
    );
}

#[test]
fn a_total_is_never_more_than_a_number_holds() -> anyhow::Result<()> {
    let lines = |count: usize, quantity: u64, unit_price: u64| {
        let line = json!({"sku": "a", "quantity": quantity, "unit_price": unit_price});
        json!({"lines": vec![line; count], "currency": "JPY"}).to_string()
    };
    assert_eq!(
        Order::parse(lines(50, 1, MAX_TOTAL / 50 / 1000).as_bytes())?
            .lines()
            .len(),
        50
    );
    check(&lines(1, 1_000_000, 1_000_000_000_000), &["/lines"]);
    check(&lines(50, 1_000_000, 1_000_000_000_000), &["/lines"]);
    check(&lines(51, 1, 1), &["/lines"]);
    Ok(())
}

#[test]
fn what_is_not_json_is_distinguished_from_what_is_not_an_order() {
    for body in [
        &b""[..],
        b" ",
        b"{",
        b"{}{}",
        b"\xff",
        b"{\"lines\":\"\xe4\"}",
        b"nul",
        b"{'a':1}",
        b"[01]",
    ] {
        assert!(
            matches!(Order::parse(body), Err(NotAnOrder::NotJson(_))),
            "{body:?}"
        );
    }
}

#[test]
fn the_faults_of_one_document_are_bounded() {
    let body = format!("{{{}\"x\":1}}", "\"y\":1,".repeat(10_000));
    assert_eq!(
        violations(body.as_bytes()).len(),
        events::violation::MAX_VIOLATIONS
    );
}
