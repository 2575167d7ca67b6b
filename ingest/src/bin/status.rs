//! The function `status`: `GET /orders/{id}`.

use anyhow::{Error, Result};
use function::{
    aws::connector,
    environment::{keep, required, seconds},
    logs,
};
use ingest::{
    backlog::Backlog,
    config, gateway,
    status::{Statuses, status},
    table::OrderTable,
};
use lambda_runtime::run;
use std::process::ExitCode;

fn main() -> ExitCode {
    logs::main(function)
}

#[tokio::main(flavor = "current_thread")]
async fn function() -> Result<()> {
    let aws = config::aws(&connector()?)?;
    let (table, queue) = (required("ORDERS_TABLE")?, required("QUEUE_URL")?);
    let statuses = &Statuses {
        ids: config::order_ids()?,
        table: OrderTable::new(&aws_sdk_dynamodb::Client::new(&aws), table),
        backlog: Backlog::new(
            aws_sdk_sqs::Client::new(&aws),
            queue,
            config::status_requests()?,
        ),
        keep: keep()?,
        worker_timeout: seconds("PROCESS_TIMEOUT_SECONDS")?,
        metrics: config::metrics()?,
    };
    let handler = |request| status(statuses, request);
    run(gateway::service(config::role_clients()?, handler))
        .await
        .map_err(Error::from_boxed)
}
