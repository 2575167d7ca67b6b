//! Runs the scenarios, counts the ones that the stack cannot run, and audits its tables, queues and roles at the end.

use crate::{
    need::Need,
    scenarios::{self, Scenario},
    stack::Stack,
    tool,
};
use anyhow::{Context, Result};
use libtest_mimic::{Arguments, Failed, Trial};
use std::{collections::BTreeMap, process::ExitCode, sync::Arc};
use tokio::{runtime::Runtime, sync::RwLock};

/// Runs what the command line asks for. Fails if the stack can't be reached or its audit fails.
pub fn run() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    let runtime = Arc::new(Runtime::new()?);
    if arguments.list {
        return Ok(libtest_mimic::run(&arguments, trials(&runtime, None)).exit_code());
    }
    let stack = Arc::new(runtime.block_on(Stack::start())?);
    // Printed first and last: a suite that ran against the wrong stack looks the same otherwise.
    println!("The scenarios run against {}.", stack.target());
    if stack.has(Need::Queue) {
        // Built up front: a later build would slow down running scenarios.
        runtime.block_on(tool::executable())?;
    }
    arguments.test_threads = arguments.test_threads.or(Some(stack.at_a_time()));
    let conclusion = libtest_mimic::run(&arguments, trials(&runtime, Some(&stack)));
    let audit = runtime.block_on(stack.audit());
    // A subset of the scenarios doesn't need every permission.
    let whole = conclusion.num_filtered_out == 0 && !conclusion.has_failed();
    let permissions = if whole {
        stack.compare_permissions()
    } else {
        Ok(())
    };
    let target = stack.target();
    runtime.block_on(stack.stop());
    println!("The scenarios ran against {target}.");
    audit.context("the stack's tables and queues don't agree with what clients read")?;
    permissions.context("the roles in template.yaml are not what the functions need")?;
    for (need, count) in left_out(&stack) {
        eprintln!("left out: {count} that need {need:?}: {}", need.reason());
    }
    Ok(conclusion.exit_code())
}

/// Returns a capability that a scenario needs and the stack lacks.
fn missing(scenario: &Scenario, stack: &Stack) -> Option<Need> {
    let mut needs = scenario.needs.iter().copied();
    needs.find(|need| !stack.has(*need))
}

/// The number of scenarios that the stack can't run, by the capability that it lacks.
fn left_out(stack: &Stack) -> BTreeMap<Need, usize> {
    let mut counts = BTreeMap::new();
    for need in scenarios::all()
        .iter()
        .filter_map(|scenario| missing(scenario, stack))
    {
        *counts.entry(need).or_default() += 1;
    }
    counts
}

/// Makes every scenario a trial. Those that the stack can't run are ignored, with what they need.
fn trials(runtime: &Arc<Runtime>, stack: Option<&Arc<Stack>>) -> Vec<Trial> {
    let alone = Arc::new(RwLock::new(()));
    let trial = |scenario: Scenario| {
        let missing = stack.and_then(|stack| missing(&scenario, stack));
        let (runtime, stack, alone) = (runtime.clone(), stack.cloned(), alone.clone());
        let trial = Trial::test(scenario.name, move || {
            let stack = stack.ok_or("listed scenarios don't run")?;
            let run = async {
                if scenario.needs.contains(&Need::Quiet) {
                    let _alone = alone.write().await;
                    (scenario.run)(stack).await
                } else {
                    let _together = alone.read().await;
                    (scenario.run)(stack).await
                }
            };
            runtime
                .block_on(run)
                .map_err(|error| Failed::from(format!("{error:?}")))
        });
        match missing {
            Some(need) => trial
                .with_kind(format!("needs {need:?}"))
                .with_ignored_flag(true),
            None => trial,
        }
    };
    scenarios::all().into_iter().map(trial).collect()
}
