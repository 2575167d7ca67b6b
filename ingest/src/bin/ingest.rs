//! The function `ingest`: `POST /orders` and `POST /orders/batch`.

use aws_sdk_sqs::Client;
use ingest::{acceptor::Acceptor, config, dispatch::dispatch, gateway, queue::OrderQueue};
use lambda_runtime::{Error, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    config::init_logs();
    let connector = config::connector()?;
    let url = config::required("QUEUE_URL")?;
    config::connect(&connector, &url).await;
    let queue = OrderQueue::new(Client::new(&config::aws(&connector)?), url);
    let acceptor = &Acceptor::new(config::order_ids()?, queue);
    run(gateway::service(|request| dispatch(acceptor, request))).await
}
