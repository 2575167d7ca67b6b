//! Prints the result of a storm.

use super::reconciliation::Reconciliation;
use std::{collections::BTreeMap, fmt, time::Duration};

/// The number of findings that are printed in full.
const SHOWN: usize = 20;

/// The result of a storm.
pub struct Report {
    pub seed: u64,
    pub orders: usize,
    pub clients: usize,
    /// Injected faults by kind.
    pub injected: BTreeMap<String, u64>,
    /// Answers by request and status.
    pub answers: BTreeMap<String, usize>,
    /// Orders on the dead-letter queue, which were redriven.
    pub redriven: usize,
    /// Orders whose clients read that another order has their key.
    pub reused_keys: usize,
    pub poison: usize,
    /// The time for which orders were sent, and the total time.
    pub rain: Duration,
    pub duration: Duration,
    pub reconciliation: Reconciliation,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Reconciliation {
            lost,
            doubled,
            oversold,
            published_again,
            outcomes,
            wrong,
        } = &self.reconciliation;
        let (orders, clients, seed) = (self.orders, self.clients, self.seed);
        writeln!(
            f,
            "\nStorm: {orders} orders of {clients} clients, seed {seed}"
        )?;
        table(f, "faults injected", &self.injected)?;
        table(f, "answers", &self.answers)?;
        table(f, "outcomes", outcomes)?;
        let (redriven, poison, reused) = (self.redriven, self.poison, self.reused_keys);
        writeln!(
            f,
            "\n  dead letters: {redriven} orders, all redriven; {poison} poison messages"
        )?;
        writeln!(f, "  {reused} orders whose key another order has")?;
        writeln!(f, "  {published_again} events beyond one per outcome")?;
        let (rain, duration) = (self.rain.as_secs(), self.duration.as_secs());
        writeln!(f, "  it rained for {rain} s and took {duration} s")?;
        for line in wrong.iter().take(SHOWN) {
            writeln!(f, "  WRONG: {line}")?;
        }
        if wrong.len() > SHOWN {
            writeln!(f, "  and {} more", wrong.len() - SHOWN)?;
        }
        write!(
            f,
            "\n  lost {lost}, doubled {doubled}, oversold {oversold}; {} findings",
            wrong.len()
        )
    }
}

fn table(
    f: &mut fmt::Formatter,
    title: &str,
    rows: &BTreeMap<String, impl fmt::Display>,
) -> fmt::Result {
    writeln!(f, "\n  {title}")?;
    for (name, count) in rows {
        writeln!(f, "    {name:60} {count:>7}")?;
    }
    Ok(())
}
