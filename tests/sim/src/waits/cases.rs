//! The cases of clients who wait, and what each may cost.

use super::Spike;

/// A case, with the most that it may cost.
#[derive(Debug, Clone)]
pub struct Case {
    /// What is unlike the README's spike.
    pub name: &'static str,
    /// The case.
    pub spike: Spike,
    /// Requests for a status, for each request with orders.
    pub gets: f64,
    /// Most requests for a status in a second, for each request with orders in the second that has the most.
    pub peak: f64,
    /// The lateness of nine clients of ten, as a share of what their orders waited.
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
            batch: 1,
            has_hint: true,
            seed: 1,
        }
    }
}

/// All cases.
pub fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name, gets, peak, late, change: &dyn Fn(&mut Spike)| {
        let mut spike = Spike::default();
        change(&mut spike);
        cases.push(Case {
            name,
            spike,
            gets,
            peak,
            late,
        });
    };
    add("the README's spike", 2.5, 1.25, 0.8, &|_| {});
    add(
        "workers pause for five minutes, from 100 s on",
        4.5,
        1.5,
        0.8,
        &|spike| {
            spike.pause = 100.0..400.0;
        },
    );
    add(
        "workers pause for a minute, from 100 s on",
        3.0,
        1.5,
        0.8,
        &|spike| spike.pause = 100.0..160.0,
    );
    add(
        "workers pause for a minute, from 20 s on",
        3.5,
        1.5,
        0.8,
        &|spike| spike.pause = 20.0..80.0,
    );
    add(
        "workers pause for a minute, from the start",
        4.0,
        2.0,
        0.8,
        &|spike| spike.pause = 0.0..60.0,
    );
    add("500,000 orders in a minute", 2.5, 1.5, 0.8, &|spike| {
        spike.arriving = vec![(8333.0, 0.0..60.0)];
    });
    add("33 a second before and after", 2.5, 2.0, 0.8, &|spike| {
        spike.arriving = vec![(33.0, 0.0..20.0), (660.0, 20.0..80.0), (33.0, 80.0..500.0)];
    });
    add(
        "a tenth of it: 66 a second, 13 written",
        2.5,
        2.0,
        0.8,
        &|spike| {
            spike.arriving = vec![(66.0, 0.0..60.0)];
            spike.written = 13.0;
        },
    );
    add("1 environment", 2.5, 1.5, 0.8, &|spike| {
        spike.environments = 1
    });
    add("200 environments", 2.5, 1.75, 0.8, &|spike| {
        spike.environments = 200
    });
    add("2% failed, 5% delivered again", 3.0, 1.5, 0.8, &|spike| {
        spike.redelivered = 0.05;
        spike.failed = 0.02;
    });
    add(
        "writes delayed by 4 s on average",
        2.5,
        1.5,
        1.0,
        &|spike| spike.delayed = 4.0,
    );
    add(
        "a tenth is a client's that overtakes",
        2.5,
        1.5,
        0.8,
        &|spike| {
            spike.overtaking = 0.1;
            spike.overtaking_written = 40.0;
            spike.clients = 1;
        },
    );
    add(
        "half is a client's that overtakes",
        2.5,
        1.75,
        0.8,
        &|spike| {
            spike.overtaking = 0.5;
            spike.overtaking_written = 200.0;
            spike.clients = 1;
        },
    );
    add(
        "100 orders a request, ten times as many",
        2.5,
        1.5,
        0.8,
        &|spike| {
            spike.batch = 100;
            spike.arriving = vec![(6600.0, 0.0..60.0)];
            spike.written = 1300.0;
            spike.environments = 20;
        },
    );
    add("without placed_at", 2.5, 1.25, 0.8, &|spike| {
        spike.has_hint = false
    });
    cases
}
