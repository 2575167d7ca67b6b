//! The function `status`: `GET /orders/{id}`.

use ingest::{
    config,
    request::{Event, Request},
    status::StatusDesk,
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    config::init_logs();
    let dynamodb = aws_sdk_dynamodb::Client::new(&config::aws(&config::connector()?)?);
    let desk = &StatusDesk::new(
        config::order_ids()?,
        dynamodb,
        config::required("ORDERS_TABLE")?,
    );
    run(service_fn(|event: LambdaEvent<Event>| async move {
        Ok::<_, Error>(desk.handle(&Request::from(event.payload)).await)
    }))
    .await
}
