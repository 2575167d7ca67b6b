//! The function `ingest`: `POST /orders` and `POST /orders/batch`.

use ingest::{
    config,
    place::Intake,
    queue::OrderQueue,
    request::{Event, Request},
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    config::init_logs();
    let connector = config::connector()?;
    let url = config::required("QUEUE_URL")?;
    config::connect(&connector, &url).await;
    let queue = OrderQueue::new(aws_sdk_sqs::Client::new(&config::aws(&connector)?), url);
    let intake = &Intake::new(config::order_ids()?, queue);
    run(service_fn(|event: LambdaEvent<Event>| async move {
        let trace = event.context.xray_trace_id.as_deref();
        Ok::<_, Error>(intake.handle(Request::from(event.payload), trace).await)
    }))
    .await
}
