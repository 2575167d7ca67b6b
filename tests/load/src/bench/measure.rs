//! The measures, and their values.

use super::{contestant::Role, stats::Summary};
use std::collections::BTreeMap;

macro_rules! measures {
    ($($(#[$doc:meta])* $name:ident = $label:literal),* $(,)?) => {
        /// A measure of a function.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Measure {
            $($(#[$doc])* $name,)*
        }

        impl Measure {
            /// All, as the table has them.
            pub const ALL: &[Measure] = &[$(Measure::$name,)*];

            /// Its name in the tables, with its unit.
            pub fn label(self) -> &'static str {
                match self { $(Measure::$name => $label,)* }
            }
        }
    };
}

measures! {
    /// Of what is deployed.
    Size = "size, MB",
    /// From the start of the process to its first request for an invocation.
    InitCpu = "init CPU, ms",
    /// The same on the clock.
    InitWall = "init, ms",
    /// The first invocation: for `process` a batch of 50.
    FirstCpu = "first invoke CPU, ms",
    /// The same on the clock.
    FirstWall = "first invoke, ms",
    /// The CPU of a cold start in all.
    StartCpu = "init + first invoke CPU, ms",
    /// With the CPU of a 128 MB function.
    QuotaInitWall = "init at 128 MB, ms",
    /// With the CPU of a 128 MB function, and services as slow as they are.
    QuotaFirstWall = "first invoke at 128 MB, SQS at 8 ms, ms",
    /// Of a request with one order, or of one order of a batch of 50.
    WarmCpu = "warm CPU per order, µs",
    /// The time of an invocation.
    WarmWall = "warm invocation, ms",
    /// Of a request with ten orders.
    TenCpu = "CPU per order, 10 a request, µs",
    /// The time of that.
    TenWall = "invocation of 10 orders, ms",
    /// Of a request with a hundred orders.
    HundredCpu = "CPU per order, 100 a request, µs",
    /// The time of that.
    HundredWall = "invocation of 100 orders, ms",
    /// A batch of 50 for one article.
    BatchWall = "batch of 50, table at 5 ms, ms",
    /// That it is written in.
    Transactions = "transactions per batch of 50",
    /// That it costs.
    WriteUnits = "write units per order",
    /// After the warm invocations.
    Memory = "RSS, MB",
    /// To CloudWatch.
    Logged = "bytes logged per order",
    /// Of SQS, to put an order there.
    Sends = "SQS requests per order sent",
    /// Of SQS, with ten orders a request.
    TenSends = "SQS requests per order sent, 10 a request",
    /// With ten orders a request.
    TenLogged = "bytes logged per order, 10 a request",
    /// From start to the first request for an invocation, by callgrind.
    InitInstructions = "init, million instructions",
    /// Of the first invocation, by callgrind.
    FirstInstructions = "first invoke, million instructions",
    /// Of a warm one, by callgrind.
    WarmInstructions = "warm, thousand instructions per order",
}

/// One round's values of one contestant.
pub type Values = Vec<(Measure, f64)>;

/// The values of every round.
#[derive(Debug, Default)]
pub struct Results {
    values: BTreeMap<(Role, &'static str, Measure), Vec<f64>>,
}

impl Results {
    /// Adds a round of a contestant.
    pub fn add(&mut self, role: Role, name: &'static str, values: Values) {
        for (measure, value) in values {
            self.values
                .entry((role, name, measure))
                .or_default()
                .push(value);
        }
    }

    /// The summary of the rounds.
    pub fn summary(&self, role: Role, name: &'static str, measure: Measure) -> Option<Summary> {
        Summary::of(self.values.get(&(role, name, measure))?)
    }

    /// The ratio of `name`'s one measure to `other`'s other one, round by round.
    pub fn ratio(
        &self,
        role: Role,
        (name, measure): (&'static str, Measure),
        (other, its): (&'static str, Measure),
    ) -> Option<Summary> {
        let one = self.values.get(&(role, name, measure))?;
        Summary::of_ratios(one, self.values.get(&(role, other, its))?)
    }
}
