//! The measures, and their values in each round.

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
            /// All measures, in the sequence of the table.
            pub const ALL: &[Measure] = &[$(Measure::$name,)*];

            /// Returns its name in the table, with the unit.
            pub fn label(self) -> &'static str {
                match self { $(Measure::$name => $label,)* }
            }
        }
    };
}

measures! {
    /// Size of the deployment package.
    Size = "size, MB",
    /// CPU time from the start of the process to its first request for an invocation.
    InitCpu = "init CPU, ms",
    /// Wall time of the same interval.
    InitWall = "init, ms",
    /// CPU time of the first invocation: for `process`, a batch of 50.
    FirstCpu = "first invoke CPU, ms",
    /// Wall time of the same invocation.
    FirstWall = "first invoke, ms",
    /// CPU time of a whole cold start.
    StartCpu = "init + first invoke CPU, ms",
    /// Wall time of the initialisation, with the CPU of a 128 MB function.
    QuotaInitWall = "init at 128 MB, ms",
    /// Wall time of the first invocation, with the CPU of a 128 MB function and services as slow as on AWS.
    QuotaFirstWall = "first invoke at 128 MB, SQS at 8 ms, ms",
    /// CPU time of a request with one order or for one status, or per order of a batch of 50.
    WarmCpu = "warm CPU per order, µs",
    /// Wall time of an invocation.
    WarmWall = "warm invocation, ms",
    /// CPU time per order, with ten orders per request.
    TenCpu = "CPU per order, 10 a request, µs",
    /// Wall time of an invocation with ten orders.
    TenWall = "invocation of 10 orders, ms",
    /// CPU time per order, with a hundred orders per request.
    HundredCpu = "CPU per order, 100 a request, µs",
    /// Wall time of an invocation with a hundred orders.
    HundredWall = "invocation of 100 orders, ms",
    /// Requests to SQS per order, with a hundred orders per request.
    HundredSends = "SQS requests per order sent, 100 a request",
    /// Bytes of log per order, with a hundred orders per request.
    HundredLogged = "bytes logged per order, 100 a request",
    /// Wall time of a batch of 50 for one article.
    BatchWall = "batch of 50, table at 5 ms, ms",
    /// Transactions for such a batch.
    Transactions = "transactions per batch of 50",
    /// Write units per order of such a batch.
    WriteUnits = "write units per order",
    /// Resident memory after the warm invocations.
    Memory = "RSS, MB",
    /// Bytes of log per order, sent to CloudWatch.
    Logged = "bytes logged per order",
    /// Requests to SQS per order sent.
    Sends = "SQS requests per order sent",
    /// Requests to SQS per order, with ten orders per request.
    TenSends = "SQS requests per order sent, 10 a request",
    /// Bytes of log per order, with ten orders per request.
    TenLogged = "bytes logged per order, 10 a request",
    /// Instructions from start to the first request for an invocation, by callgrind.
    InitInstructions = "init, million instructions",
    /// Instructions of the first invocation, by callgrind.
    FirstInstructions = "first invoke, million instructions",
    /// Instructions per warm order, by callgrind.
    WarmInstructions = "warm, thousand instructions per order",
}

/// One contestant's values in one round.
pub type Values = Vec<(Measure, f64)>;

/// The values of every round.
#[derive(Debug, Default)]
pub struct Results {
    values: BTreeMap<(Role, &'static str, Measure), Vec<f64>>,
}

impl Results {
    /// Adds a contestant's round.
    pub fn add(&mut self, role: Role, name: &'static str, values: Values) {
        for (measure, value) in values {
            self.values
                .entry((role, name, measure))
                .or_default()
                .push(value);
        }
    }

    /// Returns the median and quartiles over the rounds.
    pub fn summary(&self, role: Role, name: &'static str, measure: Measure) -> Option<Summary> {
        Summary::of(self.values.get(&(role, name, measure))?)
    }

    /// Compares one measure of `name` with another of `other`, round by round, as a ratio.
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
