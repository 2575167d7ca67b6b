//! The rules of a standard queue that everything else relies on: the same for `local`'s queue and for any other.

use crate::{
    need::Need,
    scenarios::{Run, Scenario},
    sqs_rules::{BROKEN_BY_LOCALSTACK, RULES, Rule},
    stack::Stack,
};
use std::sync::Arc;

/// Makes a scenario of each rule.
pub fn all() -> Vec<Scenario> {
    let scenario = |(name, rule): &Rule| {
        let (name, rule) = ((*name).to_owned(), *rule);
        let run = move |stack: Arc<Stack>| -> Run {
            Box::pin(async move { rule(stack.aws()?.sqs.clone()).await })
        };
        let exact = BROKEN_BY_LOCALSTACK
            .iter()
            .any(|(broken, _)| *broken == name);
        let needs: &[Need] = if exact {
            &[Need::Queue, Need::ExactQueue]
        } else {
            &[Need::Queue]
        };
        Scenario {
            name,
            needs,
            run: Box::new(run),
        }
    };
    RULES.iter().map(scenario).collect()
}
