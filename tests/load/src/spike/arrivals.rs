//! Draws the arrivals of the orders. It is pure: the same seed yields the same spike.

use super::Options;
use bytes::Bytes;
use events::order::kit;
use fastrand::Rng;
use std::time::Duration;

/// The spike's rate ÷ the calm's.
const CALM: f64 = 20.0;

/// An order to send.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The time from the start at which to send it.
    pub due: Duration,
    /// The client's number.
    pub client: u32,
    pub body: Bytes,
}

/// The articles' names, most wanted first.
pub fn articles(options: &Options) -> impl Iterator<Item = String> {
    (1..=options.articles).map(|n| format!("load-{n}"))
}

/// Draws the arrivals by time. Clients act independently, so arrivals are a Poisson process.
pub fn schedule(options: &Options) -> Vec<Arrival> {
    let mut chance = Rng::with_seed(options.seed);
    let wanted = Wanted::new(options);
    let (rate, calm) = (f64::from(options.rate), options.begin().as_secs_f64());
    let mut arrivals = Vec::new();
    let mut at = 0.0;
    loop {
        // In units of the spike's rate, so that a gap across the spike's beginning shrinks as it should.
        let mut gap = -(1.0 - chance.f64()).ln() / rate;
        let left = (calm - at).max(0.0) / CALM;
        if gap <= left {
            at += gap * CALM;
        } else {
            gap -= left;
            at = at.max(calm) + gap;
        }
        if at >= options.end().as_secs_f64() {
            return arrivals;
        }
        let claims: Vec<_> = (0..options.lines)
            .map(|_| (wanted.draw(&mut chance), chance.u64(1..=3)))
            .collect();
        let order = kit::document_of(&claims);
        arrivals.push(Arrival {
            due: Duration::from_secs_f64(at),
            client: chance.u32(0..options.clients.max(1)),
            body: order.to_string().into(),
        });
    }
}

/// Draws articles by Zipf's law: the n-th is wanted 1/n as often as the first.
struct Wanted {
    skus: Vec<String>,
    sums: Vec<f64>,
}

impl Wanted {
    fn new(options: &Options) -> Self {
        let sums = (1..=options.articles.max(1)).scan(0.0, |sum, n| {
            *sum += 1.0 / f64::from(n);
            Some(*sum)
        });
        Self {
            sums: sums.collect(),
            skus: articles(options).collect(),
        }
    }

    fn draw(&self, chance: &mut Rng) -> &str {
        let point = chance.f64() * self.sums.last().copied().unwrap_or_default();
        let n = self.sums.partition_point(|sum| *sum <= point);
        &self.skus[n.min(self.skus.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    #[expect(clippy::cast_precision_loss)]
    fn arrivals_keep_their_rates_and_articles_their_shares() {
        let options = Command::parse_from(["spike"]).options;
        let arrivals = schedule(&options);
        assert!(arrivals.is_sorted_by_key(|arrival| arrival.due));
        let calm = arrivals.partition_point(|arrival| arrival.due < options.begin());
        let near = |found: usize, expected: f64| {
            // Five standard deviations of a count: the seed is fixed, but another one would pass too.
            (found as f64 - expected).abs() < 5.0 * expected.sqrt()
        };
        assert!(near(calm, 660.0));
        assert!(near(arrivals.len() - calm, 39_600.0));
        let of = |sku: &str| {
            let sku = format!("\"{sku}\"");
            let wants = |arrival: &&Arrival| String::from_utf8_lossy(&arrival.body).contains(&sku);
            arrivals.iter().filter(wants).count()
        };
        // 1/1 + … + 1/100 = 5.187
        assert!(near(of("load-1"), 40_260.0 / 5.187));
        assert!(near(of("load-10"), 40_260.0 / 51.87));
        assert!(near(of("load-100"), 40_260.0 / 518.7));
    }
}
