//! The spike, while it is sent and drained.

use super::count;
use crate::console::{
    Console,
    form::Form,
    html::{Html, html},
    spike::Stage,
};

pub fn render(console: &Console, _: &Form) -> Html {
    let spike = console.spike().clone();
    let Some(spike) = spike else {
        return Html::default();
    };
    let seen = spike.seen();
    let stage = match seen.stage {
        Stage::Sending => "A spike is being sent",
        Stage::Draining => "The spike is over, and the queue drains",
        Stage::Over => "The last spike is over, and its orders are off the queue",
    };
    html!(
        "<p>{}: {} of {} orders sent, {} accepted, {} refused, {} not answered yet, {} know their outcome.{}</p>",
        stage,
        count(seen.sent),
        count(spike.orders()),
        count(seen.accepted),
        count(seen.refused),
        count(seen.unanswered),
        count(seen.known),
        (seen.stage != Stage::Over).then(|| {
            let units = count(spike.units().into());
            html!(
                " Until the queue is drained, the tables take {} write units a second.",
                units
            )
        }),
    )
}
