//! Computes the cost of a million orders, at list prices.
//!
//! The prices are those of us-east-1, on demand, first tier, without the free tier, as of November 2026. AWS lists
//! the current ones:
//! <https://aws.amazon.com/api-gateway/pricing/>, <https://aws.amazon.com/lambda/pricing/>,
//! <https://aws.amazon.com/sqs/pricing/>, <https://aws.amazon.com/dynamodb/pricing/on-demand/>,
//! <https://aws.amazon.com/cloudwatch/pricing/>. Storage and data transfer are left out: they are the same for all.

/// Dollars for a request to a REST API.
const REST_REQUEST: f64 = 3.5e-6;
/// Dollars for a request to an HTTP API.
const HTTP_REQUEST: f64 = 1.0e-6;
/// Dollars for an invocation of a function.
const INVOCATION: f64 = 0.2e-6;
/// Dollars for a GB-second of a function on arm64.
const GB_SECOND: f64 = 0.000_013_333_4;
/// Dollars for a request to a standard queue, of up to 64 KiB.
const QUEUE_REQUEST: f64 = 0.4e-6;
/// Dollars for a write unit of a table on demand.
const WRITE_UNIT: f64 = 0.625e-6;
/// Dollars for a byte of logs that CloudWatch takes in.
const LOG_BYTE: f64 = 0.5e-9;

/// Memory of the functions in GB, as in the template.
const MEMORY_GB: f64 = 0.25;
/// The share of a CPU that comes with this memory.
const CPU_SHARE: f64 = 256.0 / 1769.0;
/// The most messages that Lambda receives, and deletes, in one request.
const MESSAGES_A_REQUEST: f64 = 10.0;

/// The resources that one order uses.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub orders_a_request: f64,
    /// CPU time of `ingest`.
    pub ingest_cpu_micros: f64,
    /// Time that `ingest` waits for SQS in a request.
    pub ingest_wait_millis: f64,
    /// Requests to SQS that put the order on the queue.
    pub sends: f64,
    pub orders_a_batch: f64,
    /// CPU time of `process`.
    pub process_cpu_micros: f64,
    /// Time that `process` waits for the table in a batch.
    pub process_wait_millis: f64,
    pub write_units: f64,
    /// Bytes of log of both functions.
    pub logged: f64,
}

/// Dollars for a million orders.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dollars {
    pub rest_api: f64,
    pub http_api: f64,
    /// Invocations and billed time of both functions.
    pub lambda: f64,
    /// Requests to send, receive and delete.
    pub sqs: f64,
    pub dynamodb: f64,
    pub logs: f64,
}

impl Dollars {
    /// Computes the dollars for orders with this usage.
    pub fn of(usage: &Usage) -> Self {
        let Usage {
            orders_a_request,
            orders_a_batch,
            ..
        } = *usage;
        let ingest = invocation(
            usage.ingest_cpu_micros * orders_a_request,
            usage.ingest_wait_millis,
        );
        let process = invocation(
            usage.process_cpu_micros * orders_a_batch,
            usage.process_wait_millis,
        );
        let receives_and_deletes = 2.0 / MESSAGES_A_REQUEST;
        let million = |dollars: f64| dollars * 1e6;
        Self {
            rest_api: million(REST_REQUEST / orders_a_request),
            http_api: million(HTTP_REQUEST / orders_a_request),
            lambda: million(ingest / orders_a_request + process / orders_a_batch),
            sqs: million(QUEUE_REQUEST * (usage.sends + receives_and_deletes)),
            dynamodb: million(WRITE_UNIT * usage.write_units),
            logs: million(LOG_BYTE * usage.logged),
        }
    }

    /// The total behind a REST API.
    pub fn with_rest_api(&self) -> f64 {
        self.rest_api + self.behind_the_api()
    }

    /// The total behind an HTTP API.
    pub fn with_http_api(&self) -> f64 {
        self.http_api + self.behind_the_api()
    }

    /// The sum without the API.
    pub fn behind_the_api(&self) -> f64 {
        self.lambda + self.sqs + self.dynamodb + self.logs
    }
}

/// Dollars for an invocation that works on its share of a CPU and waits. AWS bills by the millisecond.
fn invocation(cpu_micros: f64, wait_millis: f64) -> f64 {
    let millis = (cpu_micros / 1e3 / CPU_SHARE + wait_millis).ceil();
    INVOCATION + GB_SECOND * MEMORY_GB * millis / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_billed_for_all_that_it_passes() {
        let alone = Usage {
            orders_a_request: 1.0,
            ingest_cpu_micros: 0.0,
            ingest_wait_millis: 10.0,
            sends: 1.0,
            orders_a_batch: 1.0,
            process_cpu_micros: 0.0,
            process_wait_millis: 10.0,
            write_units: 4.0,
            logged: 1000.0,
        };
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found}");
        let dollars = Dollars::of(&alone);
        close(dollars.rest_api, 3.5);
        close(dollars.http_api, 1.0);
        // Two invocations of 10 ms with a quarter of a GB.
        close(dollars.lambda, 0.4 + 2.0 * 0.033_333_5);
        close(dollars.sqs, 0.4 * 1.2);
        close(dollars.dynamodb, 2.5);
        close(dollars.logs, 0.5);
        close(dollars.with_rest_api() - dollars.with_http_api(), 2.5);

        let together = Dollars::of(&Usage {
            orders_a_request: 10.0,
            sends: 0.1,
            ..alone
        });
        close(together.rest_api, 0.35);
        close(together.sqs, 0.4 * 0.3);
    }

    #[test]
    fn time_is_billed_by_the_millisecond() {
        let close =
            |found: f64, expected: f64| assert!((found - expected).abs() < 1e-15, "{found}");
        let of = |millis: f64| INVOCATION + GB_SECOND * MEMORY_GB * millis / 1e3;
        close(invocation(0.0, 8.2), of(9.0));
        // A millisecond of CPU takes seven at a seventh of one.
        close(invocation(1000.0, 0.0), of(7.0));
    }
}
