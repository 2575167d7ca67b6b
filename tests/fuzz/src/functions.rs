//! The functions, wired as their `main` does it, above services that only exist here.

use crate::{cloud::Cloud, logs::Logs, samples::SECRET};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use events::{OrderIds, Secret};
use ingest::{
    place::Intake, queue::OrderQueue, request::Request, response::Response, status::StatusDesk,
};
use process::{
    effects::Effects,
    processor::{NoMessageId, Processor},
    table::OrderTable,
    visibility::MessageVisibility,
};
use std::{cell::LazyCell, time::Duration};
use tokio::{
    runtime::{Builder, Runtime},
    time::Instant,
};

/// The X-Ray header of every request.
pub const TRACE: &str = "Root=1-6b02d8d0-5f1c2e3d4a5b6c7d8e9f0a1b";

/// One of each, on a thread of their own.
#[derive(Debug)]
pub struct Functions {
    /// What they call.
    pub cloud: Cloud,
    /// The ids that they give and know.
    pub ids: OrderIds,
    intake: Intake,
    desk: StatusDesk,
    processor: Processor,
    logs: (Logs, Logs),
    runtime: Runtime,
}

thread_local! {
    static FUNCTIONS: LazyCell<Functions> = LazyCell::new(Functions::new);
}

/// Does something with this thread's functions.
pub fn with<T>(what: impl FnOnce(&Functions) -> T) -> T {
    FUNCTIONS.with(|functions| what(functions))
}

impl Functions {
    fn new() -> Functions {
        let cloud = Cloud::default();
        let config = cloud.config();
        let sqs = || aws_sdk_sqs::Client::new(&config);
        let dynamodb = || aws_sdk_dynamodb::Client::new(&config);
        let ids = OrderIds::new(Secret::new(SECRET).expect("long enough"), vec![]);
        let url = "https://sqs.test/orders";
        Functions {
            intake: Intake::new(ids.clone(), OrderQueue::new(sqs(), url.to_owned())),
            desk: StatusDesk::new(ids.clone(), dynamodb(), "orders".to_owned()),
            processor: Processor {
                table: OrderTable::new(dynamodb(), "orders".to_owned(), "articles".to_owned()),
                visibility: MessageVisibility::new(sqs(), url.to_owned()),
                max_receives: 10,
                retry_base: Duration::from_secs(5),
                visibility_timeout: Duration::from_secs(185),
                effects: Effects::REAL,
                metrics: |_| {},
            },
            ids,
            cloud,
            logs: (Logs::of_ingest(), Logs::of_process()),
            runtime: Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .expect("a runtime"),
        }
    }

    /// What `ingest` answers. `sent` must not be in a log line.
    pub fn place(&self, request: Request, sent: &[&str]) -> Response {
        let answer = self.intake.handle(request, Some(TRACE));
        self.logs.0.judge(sent, || self.runtime.block_on(answer))
    }

    /// What `status` answers.
    pub fn ask(&self, request: &Request, sent: &[&str]) -> Response {
        let answer = self.desk.handle(request);
        self.logs.0.judge(sent, || self.runtime.block_on(answer))
    }

    /// What `process` answers.
    pub fn process(&self, event: SqsEvent) -> Result<SqsBatchResponse, NoMessageId> {
        let answer = async {
            self.processor
                .handle(event, Instant::now() + Duration::from_secs(30))
                .await
        };
        self.logs.1.judge(&[], || self.runtime.block_on(answer))
    }
}
