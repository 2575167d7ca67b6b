//! The cases of clients who wait, and the most that each may cost.

use super::Spike;

/// A case, with the most that it may cost.
#[derive(Debug, Clone)]
pub struct Case {
    /// How it differs from the README's spike.
    pub name: &'static str,
    /// The case.
    pub spike: Spike,
    /// The most requests for a status per request with orders.
    pub gets: f64,
    /// The highest peak: most requests for a status in a second ÷ most requests with orders in a second.
    pub peak: f64,
    /// The highest lateness of nine clients in ten, as a share of what their orders waited.
    pub late: f64,
}

impl Default for Spike {
    /// The README's spike: 660 orders a second for a minute, of which 130 are written.
    fn default() -> Self {
        Self {
            arriving: vec![(660.0, 0.0..60.0)],
            written: 130.0,
            pause: 0.0..0.0,
            environments: 20,
            clients: 1000,
            overtaking: 0.0,
            overtaking_written: 0.0,
            redelivered: 0.0,
            failed: 0.0,
            delayed: 0.0,
            batches: None,
            batch: 1,
            has_hint: true,
            seed: 1,
        }
    }
}

/// All cases.
pub fn all() -> Vec<Case> {
    [pauses(), loads(), rows(), clients()].concat()
}

/// The README's spike with this change, and the most that it may cost: GETs, peak and lateness.
fn case(name: &'static str, [gets, peak, late]: [f64; 3], change: impl FnOnce(&mut Spike)) -> Case {
    let mut spike = Spike::default();
    change(&mut spike);
    Case {
        name,
        spike,
        gets,
        peak,
        late,
    }
}

fn pauses() -> Vec<Case> {
    let pause = |name, most, pause| case(name, most, |spike| spike.pause = pause);
    vec![
        case("the README's spike", [2.5, 1.25, 0.8], |_| {}),
        pause(
            "workers pause for five minutes, from 100 s on",
            [4.5, 1.5, 0.8],
            100.0..400.0,
        ),
        pause(
            "workers pause for a minute, from 100 s on",
            [3.0, 1.25, 0.8],
            100.0..160.0,
        ),
        pause(
            "workers pause for a minute, from 20 s on",
            [3.5, 1.5, 0.8],
            20.0..80.0,
        ),
        pause(
            "workers pause for a minute, from the start",
            [3.5, 1.55, 0.8],
            0.0..60.0,
        ),
    ]
}

fn loads() -> Vec<Case> {
    let load = |name, most, arriving, written| {
        case(name, most, |spike| {
            (spike.arriving, spike.written) = (arriving, written);
        })
    };
    let around = vec![(33.0, 0.0..20.0), (660.0, 20.0..80.0), (33.0, 80.0..500.0)];
    vec![
        load(
            "500,000 orders in a minute",
            [2.5, 1.5, 0.8],
            vec![(8333.0, 0.0..60.0)],
            130.0,
        ),
        load(
            "33 a second before and after",
            [2.5, 1.6, 0.8],
            around,
            130.0,
        ),
        load(
            "a tenth of it: 66 a second, 13 written",
            [2.5, 1.5, 0.8],
            vec![(66.0, 0.0..60.0)],
            13.0,
        ),
    ]
}

fn rows() -> Vec<Case> {
    vec![
        case(
            "a burst: 150 a second for 8 s, 55 written, in batches",
            [2.75, 1.5, 7.0],
            |spike| {
                (spike.arriving, spike.written) = (vec![(150.0, 0.0..8.0)], 55.0);
                (spike.batches, spike.environments) = (Some((50, 8.0)), 2);
            },
        ),
        case("2% failed, 5% delivered again", [2.5, 1.25, 0.8], |spike| {
            (spike.redelivered, spike.failed) = (0.05, 0.02);
        }),
        case(
            "writes delayed by 4 s on average",
            [2.5, 1.55, 0.8],
            |spike| spike.delayed = 4.0,
        ),
    ]
}

fn clients() -> Vec<Case> {
    let overtaking = |name, most, part, written| {
        case(name, most, |spike| {
            (spike.overtaking, spike.overtaking_written) = (part, written);
            spike.clients = 1;
        })
    };
    vec![
        case("1 environment", [2.5, 1.5, 0.8], |spike| {
            spike.environments = 1;
        }),
        case("200 environments", [2.5, 1.5, 0.8], |spike| {
            spike.environments = 200;
        }),
        overtaking(
            "a tenth is a client's that overtakes",
            [2.5, 1.5, 0.8],
            0.1,
            40.0,
        ),
        overtaking(
            "half is a client's that overtakes",
            [2.5, 1.5, 0.8],
            0.5,
            200.0,
        ),
        case(
            "100 orders a request, ten times as many",
            [2.5, 1.5, 0.8],
            |spike| {
                spike.batch = 100;
                (spike.arriving, spike.written) = (vec![(6600.0, 0.0..60.0)], 1300.0);
            },
        ),
        case("without placed_at", [2.5, 1.25, 0.8], |spike| {
            spike.has_hint = false;
        }),
    ]
}
