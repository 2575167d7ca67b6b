//! Computes the cost of a million orders, at list prices.
//!
//! The prices are those of us-east-1, on demand, first tier, without the free tier, as of November 2026. AWS lists
//! the current ones:
//! <https://aws.amazon.com/api-gateway/pricing/>, <https://aws.amazon.com/lambda/pricing/>,
//! <https://aws.amazon.com/sqs/pricing/>, <https://aws.amazon.com/dynamodb/pricing/on-demand/>,
//! <https://aws.amazon.com/cloudwatch/pricing/>.
//!
//! Left out are storage, its recovery points and data transfer, which are the same for all designs; metrics, alarms and the
//! secret, which cost a few dollars a month; receives that find nothing; retries; and events on a bus, a dollar per million.

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
/// Surcharge in dollars for a request to a standard queue with a message group, as each request that sends an order has.
const GROUP_REQUEST: f64 = 0.1e-6;
/// Dollars for a read unit of a table on demand: a consistent read of up to 4 KiB.
const READ_UNIT: f64 = 0.125e-6;
/// Dollars for a write unit of a table on demand.
const WRITE_UNIT: f64 = 0.625e-6;
/// Dollars for a byte of logs that CloudWatch ingests.
const LOG_BYTE: f64 = 0.5e-9;

/// Memory of the functions in GB, as in the template.
const MEMORY_GB: f64 = 0.25;
/// The share of a CPU that comes with this much memory.
const CPU_SHARE: f64 = 256.0 / 1769.0;
/// The maximum number of messages that Lambda receives, and deletes, in one request.
const MESSAGES_A_REQUEST: f64 = 10.0;

/// The resources that one order uses.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub orders_a_request: f64,
    /// CPU time of `ingest`.
    pub ingest_cpu_micros: f64,
    /// The time that `ingest` waits for SQS in a request.
    pub ingest_wait_millis: f64,
    /// Requests to SQS that put the order on the queue.
    pub sends: f64,
    /// Whether messages have a message group.
    pub has_groups: bool,
    pub orders_a_batch: f64,
    /// CPU time of `process`.
    pub process_cpu_micros: f64,
    /// The time that `process` waits for the table in a batch.
    pub process_wait_millis: f64,
    pub write_units: f64,
    /// Bytes of log of both functions.
    pub logged: f64,
    /// The requests by which the client learns the outcome, if the design has any.
    pub polls: Option<Polls>,
}

/// The status requests that follow one request with orders, each for all of these orders.
#[derive(Debug, Clone, Copy)]
pub struct Polls {
    pub requests: f64,
    /// CPU time of `status` per order.
    pub cpu_micros: f64,
    /// The time that `status` waits for the table in a request.
    pub wait_millis: f64,
    /// Bytes of log per order.
    pub logged: f64,
}

/// Dollars per million orders.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dollars {
    pub rest_api: f64,
    pub http_api: f64,
    /// Invocations and billed time of both functions.
    pub lambda: f64,
    /// Requests that send, receive and delete.
    pub sqs: f64,
    pub dynamodb: f64,
    pub logs: f64,
    /// Status requests behind either API, with all that they use.
    pub polls_rest: f64,
    pub polls_http: f64,
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
        let groups = if usage.has_groups { GROUP_REQUEST } else { 0.0 };
        let polls = |api: f64| {
            let of = |polls: Polls| {
                let invocation = invocation(polls.cpu_micros * orders_a_request, polls.wait_millis);
                let request = (api + invocation) / orders_a_request;
                polls.requests * (request + READ_UNIT + LOG_BYTE * polls.logged)
            };
            usage.polls.map_or(0.0, of)
        };
        let million = |dollars: f64| dollars * 1e6;
        Self {
            rest_api: million(REST_REQUEST / orders_a_request),
            http_api: million(HTTP_REQUEST / orders_a_request),
            lambda: million(ingest / orders_a_request + process / orders_a_batch),
            sqs: million(
                QUEUE_REQUEST * (usage.sends + receives_and_deletes) + groups * usage.sends,
            ),
            dynamodb: million(WRITE_UNIT * usage.write_units),
            logs: million(LOG_BYTE * usage.logged),
            polls_rest: million(polls(REST_REQUEST)),
            polls_http: million(polls(HTTP_REQUEST)),
        }
    }

    /// The total cost with a REST API.
    pub fn with_rest_api(&self) -> f64 {
        self.rest_api + self.polls_rest + self.behind_the_api()
    }

    /// The total behind an HTTP API.
    pub fn with_http_api(&self) -> f64 {
        self.http_api + self.polls_http + self.behind_the_api()
    }

    /// The total without the API.
    pub fn behind_the_api(&self) -> f64 {
        self.lambda + self.sqs + self.dynamodb + self.logs
    }
}

/// Dollars for an invocation that computes with its share of a CPU, and waits. AWS bills by the millisecond.
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
            has_groups: false,
            orders_a_batch: 1.0,
            process_cpu_micros: 0.0,
            process_wait_millis: 10.0,
            write_units: 4.0,
            logged: 1000.0,
            polls: None,
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
    fn message_groups_and_requests_for_a_status_are_billed() {
        let usage = Usage {
            orders_a_request: 1.0,
            ingest_cpu_micros: 0.0,
            ingest_wait_millis: 0.0,
            sends: 1.0,
            has_groups: true,
            orders_a_batch: 1.0,
            process_cpu_micros: 0.0,
            process_wait_millis: 0.0,
            write_units: 0.0,
            logged: 0.0,
            polls: Some(Polls {
                requests: 2.0,
                cpu_micros: 0.0,
                wait_millis: 10.0,
                logged: 100.0,
            }),
        };
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found}");
        let single = Dollars::of(&usage);
        close(single.sqs, 0.4 * 1.2 + 0.1);
        let behind = 0.2 + 0.033_333_5;
        close(single.polls_rest, 2.0 * (3.5 + behind + 0.125 + 0.05));
        close(single.polls_http, 2.0 * (1.0 + behind + 0.125 + 0.05));
        close(single.with_rest_api() - single.with_http_api(), 2.5 + 5.0);
        let hundred = Dollars::of(&Usage {
            orders_a_request: 100.0,
            sends: 0.1,
            ..usage
        });
        close(hundred.sqs, 0.4 * 0.3 + 0.01);
        close(
            hundred.polls_rest,
            2.0 * ((3.5 + behind) / 100.0 + 0.125 + 0.05),
        );
    }

    #[test]
    fn time_is_billed_by_the_millisecond() {
        let close =
            |found: f64, expected: f64| assert!((found - expected).abs() < 1e-15, "{found}");
        let of = |millis: f64| INVOCATION + GB_SECOND * MEMORY_GB * millis / 1e3;
        close(invocation(0.0, 8.2), of(9.0));
        // A millisecond of CPU takes seven with a seventh of a CPU.
        close(invocation(1000.0, 0.0), of(7.0));
    }
}
