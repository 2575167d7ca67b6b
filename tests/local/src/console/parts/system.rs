//! The diagram of the system, as in the project's README, with numbers on its parts.

use super::{UNKNOWN, charts, count, rate, time};
use crate::console::{
    Console,
    form::Form,
    history::Sample,
    html::{Html, html},
};
use svg::{Document, node::element::Rectangle};

/// The number of workers to draw individually; more are only counted.
const DRAWN: usize = 40;

pub fn render(console: &Console, _: &Form) -> Html {
    let (sample, gauges) = {
        let history = console.history();
        (history.newest(), history.gauges())
    };
    let a_second =
        |of: fn(&Sample) -> f64| sample.as_ref().map_or(UNKNOWN.to_owned(), |s| rate(of(s)));
    let took = |of: fn(&Sample) -> Option<f64>| {
        let ms = sample.as_ref().and_then(of);
        ms.map_or(UNKNOWN.to_owned(), time)
    };
    let system = &console.system;
    let dead = html!(
        "<li class=\"node dead {}\"><h3>Dead letters</h3><p class=\"figure\"><b>{}</b></p></li>",
        if gauges.dead == 0 { "none" } else { "some" },
        count(gauges.dead),
    );
    html!(
        "<ol class=\"system\">\
         <li class=\"node clients\"><h3>Clients</h3><p class=\"figure\"><b>{}</b> p50</p><p>{} p99</p></li>\
         <li class=\"arrow post\"><b>{}</b> accepted a second</li>\
         <li class=\"node ingest\"><h3>ingest</h3><p class=\"figure\"><b>{}</b> at work</p></li>\
         <li class=\"arrow send\"></li>\
         <li class=\"node queue\"><h3>Queue</h3><p class=\"figure\"><b>{}</b> waiting</p><p>{} in flight</p></li>\
         <li class=\"arrow take\">batches</li>\
         <li class=\"node process\"><h3>process</h3><p class=\"figure\"><b>{}</b> of {} workers</p>{}</li>\
         <li class=\"arrow write\"><b>{}</b> written a second</li>\
         <li class=\"node tables\"><h3>Tables</h3><p><b>{}</b> throttled a second</p><p><b>{}</b> conflicts a second</p></li>\
         <li class=\"arrow ask\"><b>{}</b> asked for a second</li>\
         <li class=\"node status\"><h3>status</h3><p class=\"figure\"><b>{}</b> at work</p></li>\
         <li class=\"arrow read\">reads</li>\
         {}</ol>",
        took(|sample| sample.p50),
        took(|sample| sample.p99),
        a_second(|sample| sample.accepted),
        console.lambda.running(&system.intake),
        count(gauges.waiting),
        count(gauges.in_flight),
        gauges.busy,
        system.workers,
        workers(gauges.busy, system.workers),
        charts::written_now(console).map_or(UNKNOWN.to_owned(), rate),
        a_second(|sample| sample.throttled),
        a_second(|sample| sample.conflicts),
        a_second(|sample| sample.asked),
        console.lambda.running(&system.status),
        dead,
    )
}

/// A square for each worker, filled if it is busy.
fn workers(busy: usize, all: usize) -> Option<Html> {
    if all > DRAWN {
        return None;
    }
    let square = |n| {
        Rectangle::new()
            .set("class", if n < busy { "busy" } else { "idle" })
            .set("x", 12 * n + 1)
            .set("y", 1)
            .set("width", 9)
            .set("height", 9)
    };
    let drawing = Document::new()
        .set("class", "workers")
        .set("viewBox", (0, 0, 12 * all, 11))
        .set("aria-hidden", "true");
    let drawing = (0..all).map(square).fold(drawing, Document::add);
    Some(Html(drawing.to_string()))
}
