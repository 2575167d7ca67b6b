//! The function `status`: `GET /orders/{id}`.

use anyhow::{Error, Result};
use ingest::{
    backlog::Backlog,
    config, gateway,
    status::{Statuses, status},
    table::OrderTable,
};
use lambda_runtime::run;
use std::process::ExitCode;

fn main() -> ExitCode {
    config::main(function)
}

#[tokio::main(flavor = "current_thread")]
async fn function() -> Result<()> {
    let aws = config::aws(&config::connector()?)?;
    let (table, queue) = (
        config::required("ORDERS_TABLE")?,
        config::required("QUEUE_URL")?,
    );
    let statuses = &Statuses {
        ids: config::order_ids()?,
        table: OrderTable::new(aws_sdk_dynamodb::Client::new(&aws), table),
        backlog: Backlog::new(
            aws_sdk_sqs::Client::new(&aws),
            queue,
            config::status_requests()?,
        ),
        keep: config::keep()?,
        worker_timeout: config::worker_timeout()?,
        metrics: config::metrics()?,
    };
    let handler = |request| status(statuses, request);
    run(gateway::service(config::role_clients()?, handler))
        .await
        .map_err(Error::from_boxed)
}
