//! What an attempt learns from the findings of a cancelled transaction.

use super::*;
use crate::{disposition::Owner, faked::pending, stock::Found};
use Attempt::{Conflict, Learnt, Refused};
use Disposition::{KeyMismatch, Retry, UnknownOutcome};

const RECORD: Disposition = Retry(Cause::Record);

/// Works through these findings for a transaction of three orders: 0 claims the key `a1`, 1 claims `a1` and `a2`, 2
/// claims `a3`.
fn check(
    findings: impl for<'a> Fn([&'a Pending; 3]) -> Vec<Finding<'a>>,
    expected: Attempt,
    dispositions: &[(Record, Disposition)],
) {
    let orders = [pending(0, &[1]), pending(1, &[1, 2]), pending(2, &[3])];
    let mut job = Job::new(orders.iter().collect());
    let findings = findings(orders.each_ref());
    let text = format!("{findings:?}");
    // Three orders and three keys.
    let attempt = job.work_through(findings, 6);
    assert_eq!(
        (attempt, job.dispositions.as_slice()),
        (expected, dispositions),
        "{text}"
    );
}

fn another() -> Owner {
    Owner {
        fingerprint: "another".to_owned(),
        settled: None,
    }
}

fn throttled(key: &str) -> Finding<'_> {
    Finding::Throttled(Some(key), "throttled".to_owned())
}

#[test]
fn each_finding_settles_orders_or_shows_what_to_wait_for() {
    check(
        |[one, ..]| vec![Finding::StoredBefore(one, None)],
        Learnt,
        &[(Record(0), UnknownOutcome)],
    );
    check(
        |[_, two, _]| vec![Finding::KeyMismatch(two, another())],
        Learnt,
        &[(Record(1), KeyMismatch(another()))],
    );
    check(|_| vec![Finding::Learnt("a1", Found::Left(0))], Learnt, &[]);
    check(|_| vec![Finding::Learnt("a2", Found::Missing)], Learnt, &[]);
    check(|_| vec![Finding::Conflict], Conflict, &[]);
    check(|_| vec![throttled("a1")], Refused(Cause::Busy), &[]);
    check(
        |_| vec![Finding::Throttled(None, String::new())],
        Refused(Cause::Busy),
        &[],
    );
    check(
        |[.., three]| vec![Finding::Order(three, String::new())],
        Learnt,
        &[(Record(2), RECORD)],
    );
    // Every order for the key fails.
    check(
        |_| vec![Finding::Key("a1", String::new())],
        Learnt,
        &[(Record(0), RECORD), (Record(1), RECORD)],
    );
    // With nothing new, it waits as for a conflict.
    check(|_| vec![], Conflict, &[]);
}

#[test]
fn of_mixed_findings_the_one_to_wait_for_decides_and_the_others_are_not_lost() {
    check(
        |[one, ..]| vec![Finding::StoredBefore(one, None), Finding::Conflict],
        Conflict,
        &[(Record(0), UnknownOutcome)],
    );
    check(
        |[_, two, three]| {
            vec![
                Finding::KeyMismatch(two, another()),
                Finding::Order(three, String::new()),
                throttled("a1"),
            ]
        },
        Refused(Cause::Busy),
        &[(Record(1), KeyMismatch(another())), (Record(2), RECORD)],
    );
    check(
        |_| {
            vec![
                Finding::Learnt("a1", Found::Left(1)),
                throttled("a2"),
                Finding::Conflict,
            ]
        },
        Refused(Cause::Busy),
        &[],
    );
}

#[test]
fn what_is_known_is_nothing_new() {
    let order = pending(0, &[1]);
    let mut job = Job::new(vec![&order]);
    let mut learn = |found| {
        let findings = vec![Finding::Learnt("a1", found)];
        job.work_through(findings, 2)
    };
    assert_eq!(learn(Found::Left(3)), Learnt);
    assert_eq!(learn(Found::Left(3)), Conflict);
    assert_eq!(learn(Found::Left(2)), Learnt);
    assert_eq!(learn(Found::Missing), Learnt);
}

#[test]
fn a_group_is_split_by_the_keys_that_were_throttled_last() {
    let orders = [pending(0, &[1]), pending(1, &[1, 2]), pending(2, &[3])];
    let check = |keys: &[&str], stays: &[usize], split: Option<&[usize]>| {
        let mut job = Job::new(orders.iter().collect());
        // Earlier throttling no longer counts.
        let before = vec![throttled("a3"), throttled("a1")];
        let now: Vec<_> = keys.iter().map(|key| throttled(key)).collect();
        for findings in [before, now] {
            job.work_through(findings, 6);
        }
        let records = |job: &Job| job.orders.iter().map(|order| order.record.0).collect();
        let taken = job.split_throttled();
        let taken: Option<Vec<_>> = taken.as_ref().map(records);
        assert_eq!(taken.as_deref(), split, "{keys:?}");
        let left: Vec<_> = records(&job);
        assert_eq!(left, stays, "{keys:?}");
        assert!(job.refused.is_partial);
    };
    check(&["a1"], &[2], Some(&[0, 1]));
    check(&["a2"], &[0, 2], Some(&[1]));
    check(&["a2", "a3"], &[0], Some(&[1, 2]));
    // All orders claim a throttled key, or none does.
    check(&["a1", "a3"], &[0, 1, 2], None);
    check(&[], &[0, 1, 2], None);
}

#[test]
fn a_table_that_throttles_every_item_throttles_the_group_as_a_whole() {
    let order = pending(0, &[1]);
    let is_partial = |findings| {
        let mut job = Job::new(vec![&order]);
        job.work_through(findings, 2);
        job.refused.is_partial
    };
    let put = || Finding::Throttled(None, String::new());
    assert!(is_partial(vec![put()]));
    assert!(is_partial(vec![throttled("a1")]));
    assert!(!is_partial(vec![put(), throttled("a1")]));
}
