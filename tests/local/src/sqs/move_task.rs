//! `StartMessageMoveTask`: redrives a dead-letter queue.

use super::{
    Shared, Sqs, clock,
    error::SqsError,
    redrive::{self, find_by_arn},
    store,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    sync::{MutexGuard, PoisonError},
    time::Duration,
};
use uuid::Uuid;

/// A redrive of a dead-letter queue, as `ListMessageMoveTasks` shows it.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MoveTask {
    /// The handle, hidden once the task no longer runs.
    task_handle: Option<String>,
    #[serde(skip)]
    id: Uuid,
    status: Status,
    source_arn: String,
    destination_arn: Option<String>,
    max_number_of_messages_per_second: Option<u16>,
    approximate_number_of_messages_moved: usize,
    approximate_number_of_messages_to_move: usize,
    failure_reason: Option<&'static str>,
    started_timestamp: i64,
}

#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Running,
    Completed,
    Cancelled,
    Failed,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StartMessageMoveTask {
    source_arn: String,
    destination_arn: Option<String>,
    max_number_of_messages_per_second: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListMessageMoveTasks {
    source_arn: String,
    max_results: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TaskHandle {
    task_handle: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MoveTasks {
    results: Vec<MoveTask>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CancelledMoveTask {
    approximate_number_of_messages_moved: usize,
}

const NO_SOURCE: SqsError = SqsError::ResourceNotFound(
    "The resource that you specified for the SourceArn parameter doesn't exist.",
);
const NO_DESTINATION: SqsError = SqsError::ResourceNotFound(
    "The resource that you specified for the DestinationArn parameter doesn't exist.",
);

impl Sqs {
    /// Without a rate every message has moved when this returns; with one, a background task moves the rest.
    pub(super) fn start_message_move_task(
        &self,
        request: StartMessageMoveTask,
    ) -> Result<TaskHandle, SqsError> {
        let rate = request.max_number_of_messages_per_second;
        if let Some(rate) = rate.filter(|rate| !(1..=500).contains(rate)) {
            let reason = "Must be between 1 and 500, if provided.";
            return Err(SqsError::invalid(
                "MaxNumberOfMessagesPerSecond",
                rate,
                reason,
            ));
        }
        let to_move = self.0.store.transaction(|tables| {
            let source = find_by_arn(tables, &request.source_arn, NO_SOURCE)?;
            if redrive::sources(tables, &source.name, "")?.is_empty() {
                return Err(SqsError::InvalidParameter(
                    "Source queue must be configured as a Dead Letter Queue.".to_owned(),
                ));
            }
            if let Some(destination) = &request.destination_arn {
                find_by_arn(tables, destination, NO_DESTINATION)?;
            }
            let now = clock::now();
            store::expire(tables, &source, now)?;
            Ok(tables.query_row(
                "SELECT count(*) FROM message WHERE queue = ?1 AND visible_at <= ?2",
                [source.id, now],
                |row| row.get(0),
            )?)
        })?;
        let id = Uuid::new_v4();
        let handle = json!({"taskId": id, "sourceArn": request.source_arn});
        let handle = STANDARD.encode(handle.to_string());
        let task = MoveTask {
            task_handle: Some(handle.clone()),
            id,
            status: Status::Running,
            source_arn: request.source_arn,
            destination_arn: request.destination_arn,
            max_number_of_messages_per_second: rate.and_then(|rate| u16::try_from(rate).ok()),
            approximate_number_of_messages_moved: 0,
            approximate_number_of_messages_to_move: to_move,
            failure_reason: None,
            started_timestamp: clock::now(),
        };
        {
            let mut tasks = self.0.move_tasks();
            let running =
                |other: &MoveTask| other.is_running() && other.source_arn == task.source_arn;
            if tasks.iter().any(running) {
                return Err(SqsError::InvalidParameter("There is already a task running. Only one active task is allowed for a source queue arn at a given time.".to_owned()));
            }
            tasks.push(task);
        }
        if self.0.step(id) {
            let shared = self.0.clone();
            tokio::spawn(async move {
                // Waits a second before each further step, so that a step moves one second's share.
                loop {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    if !shared.step(id) {
                        break;
                    }
                }
            });
        }
        Ok(TaskHandle {
            task_handle: handle,
        })
    }

    pub(super) fn list_message_move_tasks(
        &self,
        request: &ListMessageMoveTasks,
    ) -> Result<MoveTasks, SqsError> {
        let most = request.max_results.unwrap_or(1);
        if !(1..=10).contains(&most) {
            let reason = "Must be between 1 and 10, if provided.";
            return Err(SqsError::invalid("MaxResults", most, reason));
        }
        self.0
            .store
            .transaction(|tables| find_by_arn(tables, &request.source_arn, NO_SOURCE))?;
        let tasks = self.0.move_tasks();
        let newest_first = tasks.iter().rev();
        Ok(MoveTasks {
            results: newest_first
                .filter(|task| task.source_arn == request.source_arn)
                .take(usize::try_from(most).unwrap_or(1))
                .cloned()
                .collect(),
        })
    }

    pub(super) fn cancel_message_move_task(
        &self,
        request: &TaskHandle,
    ) -> Result<CancelledMoveTask, SqsError> {
        let source = source_of(&request.task_handle).ok_or_else(|| {
            SqsError::InvalidParameter("Value for parameter TaskHandle is invalid.".to_owned())
        })?;
        self.0
            .store
            .transaction(|tables| find_by_arn(tables, &source, NO_SOURCE))?;
        let mut tasks = self.0.move_tasks();
        let task = tasks
            .iter_mut()
            .find(|task| task.task_handle.as_ref() == Some(&request.task_handle))
            .ok_or(SqsError::ResourceNotFound("Task does not exist."))?;
        task.end(Status::Cancelled);
        Ok(CancelledMoveTask {
            approximate_number_of_messages_moved: task.approximate_number_of_messages_moved,
        })
    }
}

/// The ARN in a task's handle.
fn source_of(handle: &str) -> Option<String> {
    let handle: Value = serde_json::from_slice(&STANDARD.decode(handle).ok()?).ok()?;
    Some(handle["sourceArn"].as_str()?.to_owned())
}

impl MoveTask {
    fn is_running(&self) -> bool {
        self.status == Status::Running
    }

    fn end(&mut self, status: Status) {
        self.status = status;
        self.task_handle = None;
    }
}

impl Shared {
    fn move_tasks(&self) -> MutexGuard<'_, Vec<MoveTask>> {
        self.move_tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the messages that the rate allows now. Returns whether the task continues.
    fn step(&self, id: Uuid) -> bool {
        let mut tasks = self.move_tasks();
        let Some(task) = tasks
            .iter_mut()
            .find(|task| task.id == id && task.is_running())
        else {
            return false;
        };
        let share = task.max_number_of_messages_per_second;
        let moved = self.store.transaction(|tables| {
            let source = find_by_arn(tables, &task.source_arn, NO_SOURCE)?;
            redrive::move_oldest(tables, &source, task.destination_arn.as_deref(), share)
        });
        match moved {
            Ok(moved) => {
                task.approximate_number_of_messages_moved += moved;
                if share.map(usize::from) != Some(moved) {
                    task.end(Status::Completed);
                }
            }
            Err(error) => {
                task.end(Status::Failed);
                task.failure_reason = Some(match error {
                    SqsError::ResourceNotFound(reason) => reason,
                    error => error.code(),
                });
            }
        }
        self.arrivals.notify_waiters();
        task.is_running()
    }
}
