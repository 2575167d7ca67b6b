//! The function `ingest`: `POST /orders` and `POST /orders/batch`.

use anyhow::{Error, Result};
use aws_sdk_sqs::Client;
use function::{aws::connector, environment::required, logs};
use ingest::{acceptor::Acceptor, config, dispatch::dispatch, queue::OrderQueue, service};
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
    let connector = connector()?;
    let url = required("QUEUE_URL")?;
    config::connect(&connector, &url).await;
    let sqs = Client::new(&config::aws(&connector)?);
    let queue = OrderQueue::new(&sqs, url);
    let acceptor = &Acceptor::new(config::order_ids()?, queue, config::metrics()?);
    let handler = |request| dispatch(acceptor, request);
    run(service::service(config::role_clients()?, handler))
        .await
        .map_err(Error::from_boxed)
}
