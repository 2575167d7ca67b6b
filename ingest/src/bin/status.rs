//! The function `status`: `GET /orders/{id}`.

use anyhow::{Error, Result};
use aws_sdk_dynamodb::Client;
use ingest::{config, gateway, status::status, table::OrderTable};
use lambda_runtime::run;
use std::process::ExitCode;

fn main() -> ExitCode {
    config::main(function)
}

#[tokio::main(flavor = "current_thread")]
async fn function() -> Result<()> {
    let dynamodb = Client::new(&config::aws(&config::connector()?)?);
    let table = &OrderTable::new(dynamodb, config::required("ORDERS_TABLE")?);
    let ids = &config::order_ids()?;
    run(gateway::service(|request| status(ids, table, request)))
        .await
        .map_err(Error::from_boxed)
}
