//! The orders' rows over time: each is settled once, and deleted after it expired.

use super::{Tables, fingerprint};
use crate::{clock, request::Row};
use std::time::{Duration, UNIX_EPOCH};

/// DynamoDB deletes an expired row within this time.
const SWEPT_WITHIN: Duration = Duration::from_hours(48);

impl Tables {
    /// Deletes expired rows: a third at once, the others up to two days late.
    pub fn sweep(&mut self) {
        if self.case.stack.keep.is_none() {
            return;
        }
        let now = clock::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs();
        let is_swept = |_: &String, row: &mut Row| {
            let hash = fingerprint(&row.id);
            let late = if hash.is_multiple_of(3) {
                0
            } else {
                hash as u64 % SWEPT_WITHIN.as_secs()
            };
            row.expires_at().is_some_and(|at| at + late < now)
        };
        let swept = self.rows.extract_if(.., is_swept);
        self.gone.extend(swept.map(|(_, row)| row));
    }

    /// The rows of an order: those that expired, and the current one.
    pub fn rows_of<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Row> {
        let gone = self.gone.iter().filter(move |row| row.id == id);
        gone.chain(self.rows.get(id))
    }

    /// Puts a row, and checks what it replaces: the order's own `failed` row, or the row of an order that was placed under
    /// the same key after the time for which rows are kept.
    pub(super) fn put_row(&mut self, row: Row) {
        let may_replace = |before: &&Row| {
            let is_own = before.fingerprint == row.fingerprint;
            (is_own && before.status == "failed") || self.is_new_order(before, &row)
        };
        let settled = self.rows_of(&row.id).find(|before| !may_replace(before));
        if let Some(Row { id, status, .. }) = settled {
            let wrong = format!("{id} was {status} and became {}", row.status);
            self.seen.wrong.push(wrong);
        }
        if row.status == "failed" {
            let at = row.text("processed_at").unwrap_or_default().to_owned();
            self.failed.insert((row.id.clone(), at));
        }
        // A client that reads right before and right after a change notices each contradiction.
        let id = row.id.clone();
        self.read(&id);
        if let Some(before) = self.rows.insert(id.clone(), row) {
            if before.status != "failed" {
                self.gone.push(before);
                self.forget(&id);
            }
            self.read(&id);
        }
    }

    /// Whether the second row's order was placed so late after the first one's that its key stands for a new order.
    pub(super) fn is_new_order(&self, before: &Row, after: &Row) -> bool {
        let age = before.placed_at().until(after.placed_at());
        self.case.stack.keep.is_some_and(|keep| age >= keep)
    }
}
