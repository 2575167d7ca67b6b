//! The function `status`: `GET /orders/{id}`.

use anyhow::{Error, Result};
use ingest::{
    config, gateway,
    polling::Polling,
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
    let table = config::required("ORDERS_TABLE")?;
    let statuses = &Statuses {
        ids: config::order_ids()?,
        table: OrderTable::new(aws_sdk_dynamodb::Client::new(&aws), table),
        polling: Polling::default(),
        keep: config::keep()?,
        worker_timeout: config::worker_timeout()?,
        metrics: config::metrics()?,
    };
    let handler = |request| status(statuses, request);
    run(gateway::service(config::role_clients()?, handler))
        .await
        .map_err(Error::from_boxed)
}
