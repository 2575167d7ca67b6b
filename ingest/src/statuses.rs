//! `GET /orders?ids=`: tells what became of up to a hundred orders.

use crate::{
    problem::{Details, Problem},
    request, response,
    status::Statuses,
    table::NotRead,
};
use events::{OrderId, Outcome, Timestamp};
use lambda_http::{Body, Request, Response, http::StatusCode};
use serde::Serialize;
use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

/// The most orders of a request.
pub(crate) const MOST: usize = 100;

/// Answers for each order in the order asked; for one that is named twice, once.
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
    let ids: Vec<_> = texts
        .iter()
        .map(|text| statuses.ids.recognise(&client, text))
        .collect();
    let known: Vec<_> = ids.iter().copied().flatten().collect();
    let rows = match &known[..] {
        [] => Ok(HashMap::new()),
        known => {
            let start = Instant::now();
            let rows = statuses.table.read_all(known).await;
            statuses.metrics.took("TableMilliseconds", start.elapsed());
            rows
        }
    };
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => {
            tracing::error!(%error, "could not read the rows of orders");
            return match error {
                NotRead::Table(_) => Ok(statuses.unavailable(&client, request::placed_at(request))),
                NotRead::Row(_) => Err(Problem::UnreadableRow),
            };
        }
    };
    let entries: Vec<_> = texts
        .iter()
        .zip(ids)
        .map(|(text, id)| match id {
            Some(id) => match rows.get(&id) {
                Some(row) if row.client != client => Entry::unknown(text),
                Some(row) if !statuses.is_provisional(row.outcome, row.processed_at) => {
                    statuses
                        .polling
                        .settled(&client, row.outcome, row.placed_at, row.processed_at);
                    Entry::Settled {
                        id,
                        outcome: row.outcome,
                        processed_at: row.processed_at,
                        total: row.total,
                    }
                }
                _ => Entry::Queued {
                    id,
                    status: "queued",
                },
            },
            None => Entry::unknown(text),
        })
        .collect();
    let count = |is_it: fn(&Entry<'_>) -> bool| entries.iter().filter(|entry| is_it(entry)).count();
    let queued = count(|entry| matches!(entry, Entry::Queued { .. }));
    let settled = count(|entry| matches!(entry, Entry::Settled { .. }));
    statuses.metrics.count("Queued", queued);
    statuses.metrics.count("Settled", settled);
    let waits = queued > 0;
    tracing::info!(orders = entries.len(), waits, "told the outcomes of orders");
    let answer = response::json(
        StatusCode::OK,
        "application/json",
        &Answer { results: entries },
    );
    if waits {
        let wait = statuses.polling.wait(&client, request::placed_at(request));
        return Ok(response::ask_later(answer, wait));
    }
    Ok(answer)
}

#[derive(Serialize)]
struct Answer<'a> {
    results: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Settled {
        id: OrderId,
        #[serde(flatten)]
        outcome: Outcome,
        processed_at: Timestamp,
        total: u64,
    },
    Queued {
        id: OrderId,
        status: &'static str,
    },
    Unknown {
        /// As it was sent. One that is no id isn't repeated.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        #[serde(flatten)]
        problem: Details<'static>,
    },
}

impl<'a> Entry<'a> {
    fn unknown(text: &'a str) -> Self {
        let is_id = text.len() == 36
            && text
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        Self::Unknown {
            id: is_id.then_some(text),
            problem: Problem::UnknownOrder.details(),
        }
    }
}
