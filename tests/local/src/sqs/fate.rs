//! Injected faults of messages.

use super::{
    clock::{self, milliseconds},
    error::SqsError,
    message::Message,
};
use crate::faults::Delivery;
use rusqlite::{Connection, params};
use std::{collections::HashMap, time::Duration};

/// Returns the fault in the delivery of a message with this body.
pub type Fate<'a> = dyn Fn(&str) -> Option<Delivery> + Sync + 'a;

/// The faults of one receive, to be stored with it.
#[derive(Default)]
pub struct Fates {
    /// These come after the messages that were behind them, if there is room.
    pub overtaken: Vec<(i64, Message)>,
    /// The receive hides these for this long, whatever the visibility timeout is.
    pub early: HashMap<i64, Duration>,
    late: Vec<(i64, Duration)>,
    copies: Vec<(i64, Duration)>,
    jumps: Vec<(i64, u32)>,
}

impl Fates {
    /// Returns the message if it is delivered now.
    pub fn meet(
        &mut self,
        seq: i64,
        mut message: Message,
        fate: &Fate<'_>,
    ) -> Option<(i64, Message)> {
        match fate(&message.body) {
            None => {}
            Some(Delivery::Twice(after)) => self.copies.push((seq, after)),
            Some(Delivery::Late(by)) => {
                self.late.push((seq, by));
                return None;
            }
            Some(Delivery::BackEarly(after)) => {
                self.early.insert(seq, after);
            }
            Some(Delivery::Overtaken) => {
                self.overtaken.push((seq, message));
                return None;
            }
            Some(Delivery::Received(times)) => {
                self.jumps.push((seq, times));
                if let Some(count) = message.attributes.get_mut("ApproximateReceiveCount") {
                    let before: u32 = count.parse().unwrap_or(0);
                    *count = (before + times).to_string();
                }
            }
        }
        Some((seq, message))
    }

    /// Stores the faults; must run before the receive itself is stored. A copy has the message's id, and is received and
    /// deleted independently.
    pub fn write(&self, tables: &Connection, now: i64) -> Result<(), SqsError> {
        let mut hide =
            tables.prepare_cached("UPDATE message SET visible_at = ?2 WHERE seq = ?1")?;
        for (seq, by) in &self.late {
            hide.execute(params![seq, clock::after(now, milliseconds(*by))])?;
        }
        let mut copy = tables.prepare_cached(
            "INSERT INTO message (queue, id, body, md5, message_attributes, group_id, trace_header,
                sent_at, visible_at, first_received_at, receive_count, dead_letter_source)
            SELECT queue, id, body, md5, message_attributes, group_id, trace_header,
                sent_at, ?2, first_received_at, receive_count, dead_letter_source
            FROM message WHERE seq = ?1",
        )?;
        for (seq, after) in &self.copies {
            copy.execute(params![seq, clock::after(now, milliseconds(*after))])?;
        }
        let mut jump = tables.prepare_cached(
            "UPDATE message SET receive_count = receive_count + ?2 WHERE seq = ?1",
        )?;
        for (seq, times) in &self.jumps {
            jump.execute(params![seq, times])?;
        }
        Ok(())
    }
}
