//! Reads injections from a YAML file.

use super::{Crash, Delivery, Fault, Faults, Injection, Kind, Rule};
use crate::template::yaml::{self, Node};
use anyhow::{Context, Result};
use std::{collections::BTreeSet, fs, ops::RangeInclusive, path::Path, time::Duration};

/// The `--help` text about the file.
pub const HELP: &str = "\
Inject faults from a YAML file:

  seed: 1
  faults:
    - {fault: refused, call: SendMessage, code: ServiceUnavailable, rate: 0.05}
    - {fault: cut_off, call: TransactWriteItems, rate: 0.02}
    - {fault: killed, function: ProcessFunction, seconds: 2, rate: 0.1}

The n-th event that a fault matches has the same fate for the same seed. A fault strikes with its `rate` (1), at most \
`times` times, and only:

  function calls       with `call` OPERATION, `function`, `containing` TEXT, `larger_than` BYTES
    refused              not done; `code`, and `status`, `message`
    cancelled            a transaction isn't done: one of its actions gets the reason `code`
    done_in_part         a batch is done except for one entry, which gets `code`
    cut_off              done, but the connection is cut before the answer
    done_late            done after `seconds`, whether or not the caller still waits
    answered_late        done at once, and answered after `seconds`
    caller_killed_before not done, because the calling process is killed
    caller_killed_after  done, but the calling process is killed
  messages to functions, with `containing` TEXT
    delivered_twice      a copy is delivered after `seconds` (0)
    delivered_late       delivered after `seconds`
    back_early           visible again after `seconds` (0), although its receiver still has it
    overtaken            the messages behind it are delivered first
    received_before      its receive count jumps by `receives`
  processes of functions, with `function`, and `containing` TEXT in the payload
    killed_in_init       within `seconds` (0) of its start
    killed               within `seconds` of an invocation's start
    hung                 stopped within `seconds` (0) of an invocation's start, until its time-out
    garbage              its answer is replaced
    killed_every         a busy one, every `seconds`";

/// Operations that a fault may be for.
pub(crate) const OPERATIONS: [&str; 18] = [
    "BatchGetItem",
    "BatchWriteItem",
    "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch",
    "DeleteItem",
    "DeleteMessage",
    "DeleteMessageBatch",
    "GetItem",
    "GetQueueAttributes",
    "PutEvents",
    "PutItem",
    "Query",
    "Scan",
    "SendMessage",
    "SendMessageBatch",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
];

/// Faults, and the seed of their randomness.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Another seed hits other events.
    pub seed: u64,
    /// The injections.
    pub injections: Vec<Injection>,
}

impl Plan {
    /// Reads the file at `path`. An error is one line (`{:#}`): the file, the line, and what is expected there.
    pub fn load(path: &Path) -> Result<Self> {
        fs::read_to_string(path)
            .map_err(anyhow::Error::from)
            .and_then(|source| Self::read(&source))
            .with_context(|| path.display().to_string())
    }

    /// Parses the text of such a file.
    pub fn read(source: &str) -> Result<Self> {
        let document = yaml::load(source)?;
        document.only(&["seed", "faults"])?;
        let seed = document.get("seed");
        Ok(Self {
            seed: seed.map_or(Ok(1), |seed| seed.number(0..=u64::MAX))?,
            injections: document
                .require("faults")?
                .list()?
                .iter()
                .map(injection)
                .collect::<Result<_>>()?,
        })
    }

    /// Refuses functions other than these.
    pub fn check(&self, functions: &BTreeSet<&str>) -> Result<()> {
        for injection in &self.injections {
            let function = injection.function.as_deref();
            if let Some(unknown) = function.filter(|name| !functions.contains(name)) {
                let known: Vec<_> = functions.iter().copied().collect();
                anyhow::bail!("no function {unknown}; there are {}", known.join(", "));
            }
        }
        Ok(())
    }

    /// Injects all of them, each at its own rate, until the rules are dropped.
    pub fn inject<'a>(&self, faults: &'a Faults) -> Vec<Rule<'a>> {
        let mut seeds = fastrand::Rng::with_seed(self.seed);
        self.injections
            .iter()
            .map(|injection| faults.inject(injection.clone(), seeds.u64(..)))
            .collect()
    }
}

const OF_CALLS: &[&str] = &["call", "function", "containing", "larger_than"];
const OF_MESSAGES: &[&str] = &["containing"];
const OF_INVOCATIONS: &[&str] = &["function", "containing"];
const OF_PROCESSES: &[&str] = &["function"];

fn injection(node: &Node) -> Result<Injection> {
    let fault = node.require("fault")?;
    let code = || Ok::<_, anyhow::Error>(node.require("code")?.text()?.to_owned());
    let (kind, own, shared): (_, &[&str], _) = match fault.text()? {
        "refused" => (
            Kind::Call(refused(node)?),
            &["code", "status", "message"],
            OF_CALLS,
        ),
        "cancelled" => (Kind::Cancel(code()?), &["code"], OF_CALLS),
        "done_in_part" => (Kind::Part(code()?), &["code"], OF_CALLS),
        "cut_off" => (Kind::Call(Fault::Unanswered), &[], OF_CALLS),
        "done_late" => (
            Kind::Call(Fault::Late(seconds(node, None)?)),
            &["seconds"],
            OF_CALLS,
        ),
        "answered_late" => (
            Kind::Call(Fault::Slow(seconds(node, None)?)),
            &["seconds"],
            OF_CALLS,
        ),
        "caller_killed_before" => (Kind::Call(Fault::KilledBefore), &[], OF_CALLS),
        "caller_killed_after" => (Kind::Call(Fault::KilledAfter), &[], OF_CALLS),
        "delivered_twice" => {
            let twice = Delivery::Twice(seconds(node, Some(0.0))?);
            (Kind::Message(twice), &["seconds"], OF_MESSAGES)
        }
        "delivered_late" => {
            let late = Delivery::Late(seconds(node, None)?);
            (Kind::Message(late), &["seconds"], OF_MESSAGES)
        }
        "back_early" => {
            let early = Delivery::BackEarly(seconds(node, Some(0.0))?);
            (Kind::Message(early), &["seconds"], OF_MESSAGES)
        }
        "overtaken" => (Kind::Message(Delivery::Overtaken), &[], OF_MESSAGES),
        "received_before" => {
            let receives = node.require("receives")?.number(1..=1000)?;
            (
                Kind::Message(Delivery::Received(receives)),
                &["receives"],
                OF_MESSAGES,
            )
        }
        "killed_in_init" => {
            let crash = Crash::KilledInInit(seconds(node, Some(0.0))?);
            (Kind::Function(crash), &["seconds"], OF_PROCESSES)
        }
        "killed" => {
            let crash = Crash::Killed(seconds(node, None)?);
            (Kind::Function(crash), &["seconds"], OF_INVOCATIONS)
        }
        "hung" => {
            let crash = Crash::Hung(seconds(node, Some(0.0))?);
            (Kind::Function(crash), &["seconds"], OF_INVOCATIONS)
        }
        "garbage" => (Kind::Function(Crash::Garbage), &[], OF_INVOCATIONS),
        "killed_every" => {
            let crash = Crash::KilledEvery(seconds(node, None)?);
            (Kind::Function(crash), &["seconds"], OF_PROCESSES)
        }
        _ => return Err(fault.fault("no such fault; --help names them")),
    };
    node.only(&[&["fault", "rate", "times"], own, shared].concat())?;
    let text = |name| {
        let text = node.get(name).map(|node| node.text().map(str::to_owned));
        text.transpose()
    };
    let operation = node.get("call");
    if let Some(call) = operation
        && !OPERATIONS.contains(&call.text()?)
    {
        return Err(call.fault(format!(
            "no such operation; there are {}",
            OPERATIONS.join(", ")
        )));
    }
    let number = |name| {
        node.get(name)
            .map(|node| node.number(0..=u64::MAX))
            .transpose()
    };
    let rate = node
        .get("rate")
        .map(|rate| decimal(rate, 0.0..=1.0))
        .transpose()?;
    Ok(Injection {
        rate: rate.unwrap_or(1.0),
        times: number("times")?,
        function: text("function")?,
        operation: text("call")?,
        containing: text("containing")?,
        larger_than: node
            .get("larger_than")
            .map(|node| node.number(0..=1 << 24))
            .transpose()?,
        ..Injection::new(kind)
    })
}

fn refused(node: &Node) -> Result<Fault> {
    let code = node.require("code")?.text()?;
    let usual = match code {
        "ServiceUnavailable" => 503,
        "InternalServerError" | "InternalFailure" => 500,
        _ => 400,
    };
    let status = node
        .get("status")
        .map(|status| status.number(400..=599))
        .transpose()?;
    let message = node.get("message").map_or(Ok("injected"), Node::text)?;
    Ok(Fault::refuse(status.unwrap_or(usual), code, message))
}

/// The value of `seconds`, which is required without a default.
fn seconds(node: &Node, default: Option<f64>) -> Result<Duration> {
    let seconds = match (node.get("seconds"), default) {
        (None, Some(default)) => default,
        _ => decimal(node.require("seconds")?, 0.0..=86_400.0)?,
    };
    Ok(Duration::from_secs_f64(seconds))
}

fn decimal(node: &Node, range: RangeInclusive<f64>) -> Result<f64> {
    let number = node.text()?.parse().ok();
    number
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
            let (least, most) = range.into_inner();
            node.fault(format!("a number from {least} to {most} is expected"))
        })
}

#[cfg(test)]
mod tests;
