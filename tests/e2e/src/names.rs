//! The names of the resources behind the API.

use anyhow::{Context, Result};
use local::cloud::Cloud;
use std::env;

/// The names of a stack's resources.
#[derive(Debug)]
pub struct Names {
    pub queue: String,
    pub dead_letter_queue: String,
    pub orders: String,
    pub articles: String,
    pub ingest: String,
    pub status: String,
    pub process: String,
    /// The bus that outcomes are published on, if there is one.
    pub outcome_bus: Option<String>,
    /// The source of outcome events.
    pub source: String,
}

impl Names {
    /// Reads the names from the environment; `None` unless all are set.
    pub fn from_env() -> Option<Self> {
        let name = |variable| env::var(variable).ok();
        Some(Self {
            queue: name("ORDERS_QUEUE_URL")?,
            dead_letter_queue: name("ORDERS_DEAD_LETTER_QUEUE_URL")?,
            orders: name("ORDERS_TABLE")?,
            articles: name("ARTICLES_TABLE")?,
            ingest: name("INGEST_FUNCTION")?,
            status: name("STATUS_FUNCTION")?,
            process: name("PROCESS_FUNCTION")?,
            outcome_bus: name("OUTCOME_BUS").filter(|bus| !bus.is_empty()),
            source: name("OUTCOME_SOURCE").unwrap_or_default(),
        })
    }

    /// Reads the names from the template.
    pub fn of(cloud: &Cloud) -> Result<Self> {
        let stack = cloud.stack();
        let output = |name: &str| {
            let outputs = &stack.outputs;
            outputs
                .get(name)
                .cloned()
                .with_context(|| format!("the template has no output {name}"))
        };
        let function = |id: &str| {
            let function = stack.functions.get(id).context("no such function")?;
            // Names the alias that the API and the queue invoke.
            let alias = function.alias.as_ref().context("no alias")?;
            Ok::<_, anyhow::Error>(format!("{}:{alias}", function.name))
        };
        Ok(Self {
            queue: output("OrdersQueueUrl")?,
            dead_letter_queue: output("OrdersDeadLetterQueueUrl")?,
            orders: output("OrdersTableName")?,
            articles: output("ArticlesTableName")?,
            ingest: function("IngestFunction")?,
            status: function("StatusFunction")?,
            process: function("ProcessFunction")?,
            outcome_bus: stack.outputs.get("OutcomeBus").cloned(),
            source: "local".to_owned(),
        })
    }
}
