//! `GET /orders?ids=`: returns the outcomes of up to a hundred orders.

use crate::{
    problem::{Details, Problem},
    request, response,
    statuses::Statuses,
    table::Settled,
};
use events::{OrderId, Outcome, Timestamp, order::Summary};
use lambda_http::{Body, Request, Response, http::StatusCode};
use serde::Serialize;
use std::{
    collections::{BTreeSet, HashSet},
    time::Instant,
};

/// Maximum number of orders in a request.
pub(crate) const MOST: usize = 100;

/// Answers for each order in the sequence asked. An order that is named twice, with the same fingerprint, is answered once.
pub(crate) async fn find_all(
    statuses: &Statuses,
    request: &Request,
) -> Result<Response<Body>, Problem> {
    let client = request::client(request)?;
    let mut texts = request::ids(request);
    if texts.is_empty() || texts.len() > MOST {
        return Err(Problem::TooManyOrNone);
    }
    let mut seen = HashSet::new();
    texts.retain(|text| seen.insert(text.to_ascii_lowercase()));
    let asked = texts.iter().filter_map(|text| order(text).ok());
    let asked: BTreeSet<_> = asked.map(|(id, _)| id).collect();
    let start = Instant::now();
    let rows = statuses.table.read_all(asked.iter().copied()).await;
    if !asked.is_empty() {
        statuses.metrics.took("TableMilliseconds", start.elapsed());
        if rows.unread.len() == asked.len() {
            return Ok(statuses.unavailable(&client, request));
        }
    }
    let find = |text: &str| {
        let (id, fingerprint) = order(text)?;
        if rows.unread.contains(&id) {
            return Err(Problem::TableUnavailable);
        }
        let row = statuses.content(&client, id, fingerprint, rows.found.get(&id))?;
        let times = |row: &Settled| (row.placed_at, row.processed_at);
        let row = row.filter(|row| !statuses.is_provisional(request, row.outcome, times(row)));
        if let Some(row) = row {
            let times = times(row);
            statuses
                .polling
                .settled(&client, row.outcome, times.0, times.1);
        }
        Ok(Known::new(id, row))
    };
    let results: Vec<_> = texts.iter().map(|text| find(text)).collect();
    let problems = results.iter().filter_map(|result| result.as_ref().err());
    problems.for_each(|problem| statuses.metrics.refused(problem.name()));
    let is_queued = |known: &&Known| matches!(known, Known::Queued { .. });
    let (queued, settled): (Vec<_>, Vec<_>) = results.iter().flatten().partition(is_queued);
    statuses.metrics.count("Queued", queued.len());
    statuses.metrics.count("Settled", settled.len());
    let waits = queued.len() + rows.unread.len() > 0;
    tracing::info!(
        orders = results.len(),
        waits,
        "returned the outcomes of orders"
    );
    let entries = texts
        .iter()
        .zip(&results)
        .map(|(text, result)| Entry::new(text, result));
    let answer = Answer {
        results: entries.collect(),
    };
    let answer = response::json(StatusCode::OK, "application/json", &answer);
    if waits {
        let wait = statuses.polling.wait(&client, request::placed_at(request));
        return Ok(response::ask_later(answer, wait));
    }
    Ok(answer)
}

/// Parses the id of an order and the expected first digits of its fingerprint.
fn order(text: &str) -> Result<(OrderId, Option<&str>), Problem> {
    let (id, fingerprint) = request::with_fingerprint(text)?;
    Ok((
        OrderId::parse(id).ok_or(Problem::UnknownOrder)?,
        fingerprint,
    ))
}

#[derive(Serialize)]
struct Answer<'a> {
    results: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Known(&'a Known),
    Refused {
        /// The id as it was sent, without the fingerprint. Text that isn't an id isn't repeated.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        #[serde(flatten)]
        problem: Details<'a>,
    },
}

#[derive(Serialize)]
#[serde(untagged)]
enum Known {
    Settled {
        id: OrderId,
        #[serde(flatten)]
        outcome: Outcome,
        processed_at: Timestamp,
        #[serde(flatten)]
        summary: Summary,
    },
    Queued {
        id: OrderId,
        status: &'static str,
    },
}

impl Known {
    fn new(id: OrderId, row: Option<&Settled>) -> Self {
        let queued = Self::Queued {
            id,
            status: "queued",
        };
        row.map_or(queued, |row| Self::Settled {
            id,
            outcome: row.outcome,
            processed_at: row.processed_at,
            summary: row.summary.clone(),
        })
    }
}

impl<'a> Entry<'a> {
    fn new(text: &'a str, result: &'a Result<Known, Problem>) -> Self {
        let is_part = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        let id = text.split('.').next().unwrap_or_default();
        match result {
            Ok(known) => Self::Known(known),
            Err(problem) => Self::Refused {
                id: (id.len() == 36 && id.bytes().all(is_part)).then_some(id),
                problem: problem.details(),
            },
        }
    }
}
