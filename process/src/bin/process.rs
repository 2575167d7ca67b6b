//! The function `process`: orders from the queue into the tables.

use anyhow::{Error, Result};
use function::{
    environment::{keep, number, optional, required, seconds},
    logs,
};
use lambda_runtime::{LambdaEvent, run, service_fn};
use mimalloc::MiMalloc;
use process::{
    bus::OutcomeBus, config, effects::Effects, event::Event, processor::Processor, stock::TABLE,
    table::OrderTable, visibility::MessageVisibility,
};
use std::{
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::Instant;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    logs::main(function)
}

#[tokio::main(flavor = "current_thread")]
async fn function() -> Result<()> {
    let aws = config::aws()?;
    let (orders, claimed) = (required("ORDERS_TABLE")?, required(TABLE)?);
    let service = required("SERVICE")?;
    let bus = optional("OUTCOME_BUS")?.map(|name| {
        let eventbridge = aws_sdk_eventbridge::Client::new(&aws);
        OutcomeBus::new(&eventbridge, name, service)
    });
    let processor = &Processor {
        table: OrderTable::new(&aws_sdk_dynamodb::Client::new(&aws), orders, claimed)
            .keeping(keep()?),
        visibility: MessageVisibility::new(&aws_sdk_sqs::Client::new(&aws), required("QUEUE_URL")?),
        bus,
        max_receives: number("MAX_RECEIVES")?,
        retry_base: seconds("RETRY_BASE_SECONDS")?,
        visibility_timeout: seconds("VISIBILITY_TIMEOUT_SECONDS")?,
        effects: Effects::REAL,
        metrics: |tally| {
            let service = required("SERVICE").unwrap_or_default();
            for line in tally.lines(SystemTime::now(), &service, &logs::log_level()) {
                println!("{line}");
            }
        },
    };
    run(service_fn(|event: LambdaEvent<Event>| async move {
        let end = UNIX_EPOCH + Duration::from_millis(event.context.deadline);
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        processor
            .handle(event.payload.0, Instant::now() + left)
            .await
            .map_err(lambda_runtime::Error::from)
    }))
    .await
    .map_err(Error::from_boxed)
}
