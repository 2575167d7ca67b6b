//! Files of faults, good and bad.

use super::*;

/// Each kind of fault in `HELP`, with its fields.
const ALL: &str = "
faults:
  - {fault: refused, call: SendMessage, code: ServiceUnavailable, function: F, containing: a, larger_than: 9, rate: 0.5, times: 2}
  - {fault: cancelled, code: TransactionConflict}
  - {fault: done_in_part, code: InternalError}
  - {fault: cut_off}
  - {fault: done_late, seconds: 2.5}
  - {fault: answered_late, seconds: 1}
  - {fault: caller_killed_before}
  - {fault: caller_killed_after}
  - {fault: delivered_twice}
  - {fault: delivered_late, seconds: 3}
  - {fault: back_early}
  - {fault: overtaken}
  - {fault: received_before, receives: 2}
  - {fault: killed_in_init}
  - {fault: killed, seconds: 1}
  - {fault: hung}
  - {fault: garbage}
  - {fault: killed_every, seconds: 1}
";

#[test]
fn every_fault_of_the_help_can_be_injected() -> Result<()> {
    let plan = Plan::read(ALL)?;
    assert_eq!(plan.seed, 1);
    for line in HELP.lines().filter_map(|line| line.strip_prefix("    ")) {
        let name = line.split_whitespace().next().unwrap_or_default();
        assert!(
            name == "-" || ALL.contains(&format!("fault: {name}")),
            "{name}"
        );
    }
    let expected = Injection {
        rate: 0.5,
        times: Some(2),
        function: Some("F".to_owned()),
        operation: Some("SendMessage".to_owned()),
        containing: Some("a".to_owned()),
        larger_than: Some(9),
        kind: Kind::Call(Fault::refuse(503, "ServiceUnavailable", "injected")),
    };
    assert_eq!(plan.injections[0], expected);
    let late = Kind::Call(Fault::Late(Duration::from_millis(2500)));
    assert_eq!(plan.injections[4], Injection::new(late));
    Ok(())
}

#[test]
fn the_queues_depth_can_be_made_unreadable() -> Result<()> {
    let plan = Plan::read(
        "faults: [{fault: refused, call: GetQueueAttributes, code: ServiceUnavailable}]",
    )?;
    let operation = plan.injections[0].operation.as_deref();
    assert_eq!(operation, Some("GetQueueAttributes"));
    Ok(())
}

#[test]
fn the_example_of_the_help_is_one() -> Result<()> {
    let (_, example) = HELP.split_once("\n\n").context("no example")?;
    let (example, _) = example.split_once("\n\n").context("no end")?;
    assert_eq!(Plan::read(example)?.injections.len(), 3);
    Ok(())
}

#[test]
fn a_mistake_is_named_with_its_line() {
    let check = |faults: &str, expected: &str| {
        let error = Plan::read(&format!("seed: 7\nfaults:\n  - {{{faults}}}")).err();
        let error = error.map(|error| format!("{error:#}")).unwrap_or_default();
        assert!(error.starts_with("line 3: faults[0]"), "{error}");
        assert!(error.contains(expected), "{error}");
    };
    check("rate: 1", "fault is missing");
    check("fault: rain", "no such fault");
    check("fault: cut_off, colour: red", "isn't supported");
    check("fault: cut_off, seconds: 1", "isn't supported");
    check("fault: overtaken, function: F", "isn't supported");
    check("fault: cut_off, call: SendMesage", "no such operation");
    check(
        "fault: cut_off, rate: 1.5",
        "a number from 0 to 1 is expected",
    );
    check(
        "fault: hung, seconds: -1",
        "a number from 0 to 86400 is expected",
    );
    check("fault: done_late", "seconds is missing");
    check("fault: refused", "code is missing");
    check("fault: refused, code: A, status: 200", "from 400 to 599");
}

#[test]
fn a_function_that_does_not_exist_is_named() -> Result<()> {
    let plan = Plan::read("faults: [{fault: hung, function: F}]")?;
    plan.check(&["F"].into())?;
    let error = plan.check(&["G"].into()).err().context("no error")?;
    assert_eq!(error.to_string(), "no function F; there are G");
    Ok(())
}
