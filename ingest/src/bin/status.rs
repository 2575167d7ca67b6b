//! The function `status`: `GET /orders/{id}`.

use aws_sdk_dynamodb::Client;
use ingest::{config, gateway, status::status, table::OrderTable};
use lambda_runtime::{Error, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    config::init_logs();
    let dynamodb = Client::new(&config::aws(&config::connector()?)?);
    let table = &OrderTable::new(dynamodb, config::required("ORDERS_TABLE")?);
    let ids = &config::order_ids()?;
    run(gateway::service(|request| status(ids, table, request))).await
}
