//! The part of a template that `local` understands, resolved: without parameters or intrinsic functions.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// The addresses to which resolved values point.
#[derive(Debug, Clone)]
pub struct Place {
    /// Base URL of the API, without the stage: `http://127.0.0.1:3000`.
    pub api: String,
    /// Base URL of SQS, `DynamoDB`, EventBridge and Lambda: `http://127.0.0.1:3001`.
    pub services: String,
}

/// The region that everything runs in.
pub const REGION: &str = "us-east-1";
/// The account that everything belongs to.
pub const ACCOUNT: &str = "000000000000";

/// The whole system.
#[derive(Debug)]
pub struct Stack {
    pub functions: BTreeMap<String, Function>,
    pub queues: BTreeMap<String, Queue>,
    pub tables: BTreeMap<String, Table>,
    pub roles: BTreeMap<String, Role>,
    /// The one REST API.
    pub api: Api,
    /// The template's `Outputs`.
    pub outputs: BTreeMap<String, String>,
}

/// A function that Lambda runs.
#[derive(Debug, Clone)]
pub struct Function {
    /// `FunctionName`, or the logical id.
    pub name: String,
    /// `AutoPublishAlias`: the function is also known as `NAME:ALIAS`.
    pub alias: Option<String>,
    /// The workspace member, from `CodeUri`.
    pub package: String,
    /// The binary of that member, from `Metadata.BuildProperties.Binary`.
    pub binary: String,
    /// Time-out of an invocation, after which the environment is killed.
    pub timeout: Duration,
    /// MB.
    pub memory_size: u32,
    /// `Environment.Variables`, merged over the globals'.
    pub environment: BTreeMap<String, String>,
    /// `ReservedConcurrentExecutions`.
    pub reserved_concurrency: Option<usize>,
    /// The event source mappings that drive it.
    pub event_sources: Vec<EventSource>,
    /// Logical id of its role; without one SAM makes a role that may do more.
    pub role: Option<String>,
    /// Name of its log group, `LoggingConfig.LogGroup`.
    pub log_group: Option<String>,
}

/// The permissions of a function.
#[derive(Debug, Clone, Default)]
pub struct Role {
    /// The statements of all its policies.
    pub statements: Vec<Statement>,
}

/// A statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// `sqs:SendMessage`, …
    pub actions: Vec<String>,
    /// ARNs.
    pub resources: Vec<String>,
}

/// An event source mapping from a queue to a function.
#[derive(Debug, Clone)]
pub struct EventSource {
    /// Logical id of the queue.
    pub queue: String,
    /// Maximum number of messages in one invocation.
    pub batch_size: usize,
    /// Time that a batch may take to fill.
    pub window: Duration,
    /// Maximum number of concurrent invocations, `ScalingConfig.MaximumConcurrency`.
    pub maximum_concurrency: Option<usize>,
    /// Whether the function reports failures per message: `ReportBatchItemFailures`.
    pub report_batch_item_failures: bool,
}

/// A standard queue.
#[derive(Debug, Clone)]
pub struct Queue {
    /// `QueueName`, or the logical id.
    pub name: String,
    /// Time that a received message stays hidden.
    pub visibility_timeout: Duration,
    /// Time that a message is kept, counted from its first send.
    pub retention: Duration,
    /// Time that a sent message stays hidden at first.
    pub delay: Duration,
    /// Maximum size of a message, in bytes.
    pub maximum_message_size: usize,
    /// Wait of a receive that sets none itself.
    pub receive_wait: Duration,
    /// `RedrivePolicy`.
    pub redrive: Option<Redrive>,
}

/// The destination of messages that were received too often.
#[derive(Debug, Clone)]
pub struct Redrive {
    /// Name of the dead-letter queue.
    pub dead_letter_queue: String,
    /// Receives after which a message is moved.
    pub max_receive_count: u32,
}

/// A table, in the format of `DynamoDB`'s `CreateTable`.
#[derive(Debug, Clone)]
pub struct Table {
    /// `TableName`, or the logical id.
    pub name: String,
    /// The request body of `CreateTable`: name, key schema, attribute definitions, billing mode.
    pub definition: serde_json::Value,
    /// A JSON array of its initial items, from `Metadata.Local.Items`; the path is relative to the template.
    pub items: Option<PathBuf>,
}

/// A REST API.
#[derive(Debug, Clone)]
pub struct Api {
    /// `StageName`.
    pub stage: String,
    /// Whether callers must sign their requests.
    pub is_signed: bool,
    /// In the template's sequence.
    pub routes: Vec<Route>,
    /// A request to try, from `Metadata.Local.Try`; `{api}` stands for the API's address.
    pub example: Option<String>,
    /// `GatewayResponses`, by type: `MISSING_AUTHENTICATION_TOKEN`, `DEFAULT_5XX`.
    pub gateway_responses: BTreeMap<String, GatewayResponse>,
}

/// A path that invokes a function.
#[derive(Debug, Clone)]
pub struct Route {
    /// `/orders/{id}`
    pub path: String,
    /// Upper case; `ANY` for all.
    pub method: String,
    /// Logical id of the function.
    pub function: String,
}

/// One of the gateway's own answers.
#[derive(Debug, Clone, Default)]
pub struct GatewayResponse {
    /// `StatusCode`; `None`: the type's own.
    pub status: Option<u16>,
    /// Literal headers, lower-case names, without the quotes of the mapping expression.
    pub headers: BTreeMap<String, String>,
    /// The body template for JSON, with `$context.…` variables.
    pub body: Option<String>,
}

/// The variables that a gateway response's template may contain after a `$`; a name comes before its own prefixes.
pub const CONTEXT_VARIABLES: [&str; 4] = [
    "context.error.messageString",
    "context.error.message",
    "context.error.responseType",
    "context.requestId",
];
