use super::*;
use proptest::prelude::*;

fn at(seconds: f64) -> Timestamp {
    (UNIX_EPOCH + Duration::from_secs_f64(1_800_000_000.0 + seconds)).into()
}

fn client(name: &str) -> Client {
    Client::identified(name)
}

/// Returns the wait of ann's order, with the lowest chance.
fn wait(waits: &mut Waits, placed: f64, now: f64) -> u64 {
    waits
        .wait(&client("ann"), Some(at(placed)), at(now), 0.0)
        .as_secs()
}

/// Settles one of this client's orders each 200 ms, from 100 s on, for 20 s. At 120 s, the orders being settled were placed
/// `behind` seconds earlier, and the queue advances by `speed` seconds per second.
fn settle(waits: &mut Waits, name: &str, behind: f64, speed: f64) {
    for n in 0..=100 {
        let processed = 100.0 + 0.2 * f64::from(n);
        let placed = 120.0 - behind - speed * (120.0 - processed);
        waits.settled(&client(name), at(placed), at(processed), at(120.0));
    }
}

#[test]
fn an_order_waits_until_the_queue_has_advanced_to_it() {
    let check = |behind, speed, placed, least: u64, most: u64| {
        let mut waits = Waits::default();
        settle(&mut waits, "ann", behind, speed);
        let wait = wait(&mut waits, placed, 120.0);
        assert!(
            (least..=most).contains(&wait),
            "{behind} {speed} {placed}: {wait}"
        );
    };
    check(40.0, 0.2, 118.0, 188, 192);
    check(40.0, 0.2, 90.0, 48, 52);
    check(40.0, 2.0, 118.0, 18, 20);
    check(0.5, 1.0, 118.0, 2, 2);
    // Overdue: a third of the order's age, less a quarter.
    check(40.0, 0.2, 60.0, 15, 15);
    // A pace that was measured for 20 s predicts at most 1,500 s.
    check(40.0, 0.01, 118.0, 1490, 1500);
}

#[test]
fn an_unknown_pace_asks_again_after_the_order_s_age_and_at_most_after_minutes() {
    for (age, expected) in [(0.0, 2), (2.0, 2), (40.0, 30), (400.0, 225), (1e9, 225)] {
        let mut waits = Waits::default();
        assert_eq!(wait(&mut waits, 1e9 - age, 1e9), expected, "{age}");
    }
}

#[test]
fn clients_are_spread_by_chance_as_far_as_many_orders_come() {
    for (orders, expected) in [(1, 5), (5, 13), (10, 23), (1000, 28)] {
        let mut waits = Waits::default();
        for _ in 1..orders {
            wait(&mut waits, 98.0, 100.0);
        }
        let wait = waits.wait(&client("ann"), Some(at(98.0)), at(100.0), 1.0);
        assert_eq!(wait.as_secs(), expected, "{orders}");
    }
    let unknown = Waits::default().wait(&client("ann"), None, at(100.0), 1.0);
    assert_eq!(unknown.as_secs(), 5, "counts as placed just now");
}

#[test]
fn waits_grow_while_nothing_is_settled() {
    let mut waits = Waits::default();
    let mut last = 0;
    for now in [100.0, 110.0, 130.0, 160.0, 200.0] {
        last = wait(&mut waits, now - 2.0, now);
    }
    assert_eq!(last, 113, "one and a half times the 100 s, less a quarter");
    // A row that was processed long ago doesn't show that workers are alive.
    waits.settled(&client("bob"), at(90.0), at(100.0), at(201.0));
    assert!(wait(&mut waits, 199.0, 201.0) > 100);
    waits.settled(&client("bob"), at(200.0), at(201.0), at(202.0));
    assert_eq!(wait(&mut waits, 200.0, 202.0), 2);
    // Nor does the silence of an environment that gets no requests.
    assert_eq!(wait(&mut waits, 998.0, 1000.0), 2);
}

#[test]
fn rows_that_say_little_change_little() {
    let check = |what, disturb: &dyn Fn(&mut Waits)| {
        let mut waits = Waits::default();
        disturb(&mut waits);
        settle(&mut waits, "bob", 40.0, 0.2);
        disturb(&mut waits);
        let wait = wait(&mut waits, 118.0, 120.0);
        assert!((160..=240).contains(&wait), "{what}: {wait}");
    };
    let carl = client("carl");
    check("delivered again", &|waits| {
        for n in 0..12 {
            let processed = 101.0 + 1.5 * f64::from(n);
            waits.settled(&carl, at(processed - 260.0), at(processed), at(120.0));
        }
    });
    check("asked for again and again", &|waits| {
        for _ in 0..1000 {
            waits.settled(&carl, at(118.0), at(118.5), at(120.0));
        }
    });
    check("a batch request's", &|waits| {
        for n in 0..100 {
            waits.settled(&carl, at(70.0), at(101.0 + 0.01 * f64::from(n)), at(120.0));
        }
    });
    check("by a clock that is ahead", &|waits| {
        for n in 0..5 {
            waits.settled(&carl, at(70.0 + f64::from(n)), at(1000.0), at(120.0));
        }
    });
}

#[test]
fn batches_that_are_written_out_of_sequence_do_not_show_the_pace() {
    let mut waits = Waits::default();
    // Each of eight batches takes 7 s or no time: the queue seems to stand still.
    for batch in 0..8 {
        for n in 0..10 {
            let placed = f64::from(batch) + 0.1 * f64::from(n);
            let processed = 10.0 + f64::from(batch) / 2.0 + f64::from(batch % 2) * 7.0;
            waits.settled(&client("bob"), at(placed), at(processed), at(20.5));
        }
    }
    let wait = wait(&mut waits, 18.5, 20.5);
    assert!(wait <= 16, "{wait}");
}

#[test]
fn one_order_that_came_back_late_says_nothing_of_the_next() {
    let mut waits = Waits::default();
    waits.settled(&client("bob"), at(100.0), at(2000.0), at(2001.0));
    assert!(wait(&mut waits, 2008.0, 2010.0) <= 16);
}

#[test]
fn a_client_that_overtakes_has_a_pace_of_its_own() {
    let mut waits = Waits::default();
    settle(&mut waits, "bob", 60.0, 0.2);
    settle(&mut waits, "ann", 1.0, 1.0);
    assert_eq!(wait(&mut waits, 118.0, 120.0), 2);
    let bob = waits.wait(&client("bob"), Some(at(118.0)), at(120.0), 0.0);
    assert!(bob.as_secs() >= 280, "{bob:?}");
}

#[test]
fn clients_after_the_spike_wait_for_fewer_orders() {
    let mut spike = Waits::default();
    let mut over = Waits::default();
    for n in 0..560 {
        let now = 60.0 + 0.1 * f64::from(n);
        let placed = now - 2.0;
        wait(&mut spike, placed, now);
        if n < 250 || n % 20 == 0 {
            wait(&mut over, placed, now);
        }
    }
    for (waits, least, most) in [(&mut spike, 260, 300), (&mut over, 130, 180)] {
        settle(waits, "bob", 60.0, 0.2);
        let wait = wait(waits, 118.0, 120.0);
        assert!((least..=most).contains(&wait), "{wait}");
    }
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut waits = Waits::default();
    for n in 0..20_000 {
        let now = 1000.0 + 0.3 * f64::from(n);
        let name = client(&n.to_string());
        waits.settled(&name, at(now - 1.0), at(now), at(now));
        wait(&mut waits, now - 2.0, now);
    }
    assert!(waits.own.len() <= CLIENTS);
    assert!(waits.own.contains_key(&client("19999")));
}

proptest! {
    #[test]
    fn a_wait_is_bounded_whatever_was_seen(
        rows in prop::collection::vec((0.0..2000.0_f64, 0.0..2000.0_f64, 0.0..2000.0_f64), 0..60),
        placed in 0.0..2000.0_f64, now in 0.0..2000.0_f64, has_hint: bool, chance in 0.0..=1.0_f64,
    ) {
        let mut waits = Waits::default();
        for (placed, processed, seen) in rows {
            waits.settled(&client("ann"), at(placed), at(processed), at(seen));
        }
        let hint = has_hint.then(|| at(placed));
        let wait = waits.wait(&client("ann"), hint, at(now), chance).as_secs();
        prop_assert!((2..=3600).contains(&wait), "{wait}");
    }
}
