//! Sends a small spike through both designs.

use anyhow::{Result, ensure};
use clap::Parser;
use load::spike::{
    Options, arrivals::schedule, design, design::Design, figures::Figures, goals::Goals,
    picture::picture, reconciliation::Reconciliation, report::Report, table::Fate,
};

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    options: Options,
}

/// 60 orders a second for two seconds, of which the table takes about 40.
const SMALL: [&str; 11] = [
    "spike",
    "--rate",
    "60",
    "--seconds",
    "2",
    "--calm",
    "1",
    "--write-units",
    "60",
    "--articles",
    "5",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_small_spike_is_drained_by_the_queue_and_overruns_the_synchronous_design() -> Result<()> {
    let options = Command::parse_from(SMALL).options;
    let arrivals = schedule(&options);
    let mut runs = Vec::new();
    for design in [Design::Queue, Design::Synchronous] {
        let run = design::run(&options, design, &arrivals).await?;
        ensure!(run.answers.len() == arrivals.len());
        ensure!(
            (
                run.reconciliation.lost,
                run.reconciliation.doubled,
                run.reconciliation.oversold
            ) == (0, 0, 0),
            "{:?}",
            run.reconciliation
        );
        ensure!(run.accepted().count() > 0);
        runs.push(run);
    }
    let queue = &runs[0];
    ensure!(
        queue.accepted().count() == arrivals.len(),
        "an order was refused"
    );
    ensure!(
        queue.reconciliation == Reconciliation::default(),
        "{:?}",
        queue.reconciliation
    );
    ensure!(queue.written.len() == arrivals.len());

    let figures: Vec<_> = runs.iter().map(|run| Figures::of(&options, run)).collect();
    // Copies of orders are written once, and every transaction has more than one order.
    ensure!(figures[0].taken < arrivals.len(), "{:?}", figures[0]);
    ensure!(
        runs[1]
            .attempts
            .iter()
            .any(|attempt| attempt.fate != Fate::Taken),
        "the synchronous design was not overrun"
    );
    let text = format!(
        "{}{}",
        Report::new(&options, &runs, &figures),
        Goals::new(&options, queue, &figures)
    );
    ensure!(text.contains("| orders lost | 0 | 0 |"), "{text}");
    let picture = picture(&options, &runs);
    for part in [
        "with the queue",
        "synchronous",
        "orders a second",
        "prefers-color-scheme: dark",
    ] {
        ensure!(picture.contains(part), "no {part} in {picture}");
    }
    ensure!(
        !picture.contains("NaN") && !picture.contains("inf"),
        "{picture}"
    );
    Ok(())
}
