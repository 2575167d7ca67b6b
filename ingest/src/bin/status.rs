//! The function `status`: `GET /orders/{id}`.

use anyhow::{Error, Result};
use function::{
    aws::connector,
    environment::{keep, required, seconds},
    logs,
};
use ingest::{
    config, polling::Polling, service, status::status, statuses::Statuses, table::OrderTable,
};
use lambda_runtime::run;
use mimalloc::MiMalloc;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    logs::main(function)
}

#[tokio::main(flavor = "current_thread")]
async fn function() -> Result<()> {
    let aws = config::aws(&connector()?)?;
    let table = required("ORDERS_TABLE")?;
    let statuses = &Statuses {
        ids: config::order_ids()?,
        table: OrderTable::new(&aws_sdk_dynamodb::Client::new(&aws), table),
        polling: Polling::default(),
        keep: keep()?,
        worker_timeout: seconds("PROCESS_TIMEOUT_SECONDS")?,
        metrics: config::metrics()?,
    };
    let handler = |request| status(statuses, request);
    run(service::service(config::role_clients()?, handler))
        .await
        .map_err(Error::from_boxed)
}
