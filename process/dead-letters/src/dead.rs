//! The system that the dead letters belong to, and what it knows about each of them.

use crate::{
    letter::Letter,
    queues::Queues,
    reason::Reason,
    table::{OrdersTable, Row},
};
use anyhow::Result;

/// The queues and the table.
#[derive(Debug)]
pub struct Stack {
    /// The dead-letter queue, and the queue that its messages come from.
    pub queues: Queues,
    /// The orders' rows.
    pub table: OrdersTable,
}

/// A dead letter, and why it is one.
#[derive(Debug)]
pub struct Dead {
    /// The message.
    pub letter: Letter,
    /// The row of its order.
    pub row: Row,
    /// Why it is a dead letter.
    pub reason: Reason,
}

impl Stack {
    /// Judges letters by their orders' rows.
    pub async fn judge(&self, letters: Vec<Letter>) -> Result<Vec<Dead>> {
        let ids = letters
            .iter()
            .map(|letter| Some(letter.order().as_ref().ok()?.id()));
        let rows = self.table.rows(ids).await?;
        let judge = |(letter, row)| {
            let reason = Reason::of(&letter, &row);
            Dead {
                letter,
                row,
                reason,
            }
        };
        Ok(letters.into_iter().zip(rows).map(judge).collect())
    }
}
