//! Sends the parts of the page as they change, as server-sent events: each is a JSON object of HTML by element.

use super::{
    Console,
    form::Form,
    html::Html,
    parts::{LIVE, Render},
};
use axum::{
    extract::State,
    http::Uri,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream::unfold;
use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};
use tokio::{
    select,
    sync::watch,
    time::{Interval, MissedTickBehavior, interval},
};

/// How often to check for changes.
const TICK: Duration = Duration::from_millis(500);

struct Live {
    console: Arc<Console>,
    form: Form,
    sent: HashMap<&'static str, Html>,
    ticks: Interval,
    stopping: watch::Receiver<bool>,
}

/// Sends until the browser disconnects, or everything stops.
pub async fn events(State(console): State<Arc<Console>>, uri: Uri) -> Response {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let live = Live {
        form: Form::read(uri.query().unwrap_or_default().as_bytes()),
        sent: HashMap::new(),
        ticks,
        stopping: console.stopping.subscribe(),
        console,
    };
    let events = unfold(live, |mut live| async move {
        loop {
            select! {
                biased;
                _ = live.stopping.wait_for(|stopping| *stopping) => return None,
                _ = live.ticks.tick() => {}
            }
            live.console.look();
            let changed = live.changed();
            if !changed.is_empty() {
                let changed = serde_json::to_string(&changed).unwrap_or_default();
                let event = Event::default().data(changed);
                return Some((Ok::<_, Infallible>(event), live));
            }
        }
    });
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}

impl Live {
    /// The parts that differ from what was sent.
    fn changed(&mut self) -> BTreeMap<&'static str, String> {
        let mut changed = BTreeMap::new();
        for (id, render) in LIVE {
            let part = (render as Render)(&self.console, &self.form);
            if self.sent.get(id) != Some(&part) {
                changed.insert(id, part.0.clone());
                self.sent.insert(id, part);
            }
        }
        changed
    }
}
