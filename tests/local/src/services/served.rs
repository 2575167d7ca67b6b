//! The services and operations that are served, in one list.

/// A service's operations.
pub struct Service {
    /// Its name, for people.
    pub name: &'static str,
    pub protocol: &'static str,
    /// The prefix of its operations in `X-Amz-Target`; empty for REST.
    pub target: &'static str,
    pub operations: &'static [&'static str],
}

pub const SERVED: [Service; 4] = [
    Service {
        name: "SQS",
        protocol: "AWS JSON 1.0",
        target: super::SQS,
        operations: &[
            "CancelMessageMoveTask",
            "ChangeMessageVisibility",
            "ChangeMessageVisibilityBatch",
            "CreateQueue",
            "DeleteMessage",
            "DeleteMessageBatch",
            "DeleteQueue",
            "GetQueueAttributes",
            "GetQueueUrl",
            "ListDeadLetterSourceQueues",
            "ListMessageMoveTasks",
            "ListQueues",
            "PurgeQueue",
            "ReceiveMessage",
            "SendMessage",
            "SendMessageBatch",
            "SetQueueAttributes",
            "StartMessageMoveTask",
        ],
    },
    Service {
        name: "DynamoDB",
        protocol: "AWS JSON 1.0",
        target: super::DYNAMODB,
        operations: &[
            "BatchExecuteStatement",
            "BatchGetItem",
            "BatchWriteItem",
            "CreateTable",
            "DeleteItem",
            "DeleteTable",
            "DescribeTable",
            "DescribeTimeToLive",
            "ExecuteStatement",
            "ExecuteTransaction",
            "GetItem",
            "ListTables",
            "ListTagsOfResource",
            "PutItem",
            "Query",
            "Scan",
            "TagResource",
            "TransactGetItems",
            "TransactWriteItems",
            "UntagResource",
            "UpdateItem",
            "UpdateTable",
            "UpdateTimeToLive",
        ],
    },
    Service {
        name: "EventBridge",
        protocol: "AWS JSON 1.1",
        target: super::EVENTS,
        operations: &[
            "CreateEventBus",
            "DeleteEventBus",
            "DeleteRule",
            "DescribeEventBus",
            "PutEvents",
            "PutRule",
            "PutTargets",
            "RemoveTargets",
        ],
    },
    Service {
        name: "Lambda",
        protocol: "REST JSON",
        target: "",
        operations: &["Invoke"],
    },
];

/// Whether the service with this prefix in `X-Amz-Target` has the operation.
pub fn is(target: &str, operation: &str) -> bool {
    SERVED
        .iter()
        .any(|service| service.target == target && service.operations.contains(&operation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_the_list() {
        let readme = include_str!("../../README.md");
        for service in SERVED {
            let operations: Vec<_> = service
                .operations
                .iter()
                .map(|operation| format!("`{operation}`"))
                .collect();
            let row = format!(
                "| {} | {} | {} |",
                service.name,
                service.protocol,
                operations.join(", ")
            );
            assert!(readme.contains(&row), "README.md lacks this row:\n{row}");
        }
    }
}
