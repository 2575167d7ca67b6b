//! The console: a page at the API's address that shows the running system, live; without script, as of when it was loaded.
//!
//! # Layout
//! - [`observer`]: observes calls and deliveries; `heard`: keeps them until a page reads them; `wire`: their documents;
//!   `counts`: counts them; `journal`: the paths of the latest orders
//! - `system`: the names of the parts; `history`: the last two minutes, sampled while a page is open
//! - `page`: the page; `parts`: what it shows; `html`: writes HTML
//! - `live`: sends changed parts; `actions`: what the page's buttons do; `form`: reads them
//! - `spike`: places orders, and polls for their outcomes; `capacity`: limits the tables in the meantime
//!
//! Only this module of the crate knows about orders: the table `OrdersTable` has their rows, `ArticlesTable` the stock, and
//! the queue is the one that drives a function. What another template lacks stays empty.

mod actions;
mod capacity;
mod counts;
mod form;
mod heard;
mod history;
mod html;
mod journal;
mod live;
pub mod observer;
mod page;
mod parts;
mod spike;
mod system;
mod wire;

use crate::{
    callers::{Callers, guard},
    faults::Faults,
    lambda::Lambda,
    sqs::Sqs,
    template::model::{Place, Stack},
};
use axum::{
    Router,
    extract::{Request, State},
    http::Method,
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use dynoxide::{AttributeValue, Database, Item, actions::get_item::GetItemRequest};
use history::History;
use observer::Observer;
use spike::Spike;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    time::Instant,
};
use system::System;
use tokio::sync::watch;

/// The console, and everything that it shows.
pub struct Console {
    system: System,
    observer: Arc<Observer>,
    sqs: Sqs,
    database: Database,
    lambda: Arc<Lambda>,
    faults: Arc<Faults>,
    history: Mutex<History>,
    spike: Mutex<Option<Arc<Spike>>>,
    stopping: watch::Sender<bool>,
}

impl Console {
    /// Makes a console for these. Nothing is sampled until a page is open.
    pub fn new(
        stack: &Stack,
        place: &Place,
        sqs: Sqs,
        database: Database,
        lambda: Arc<Lambda>,
        faults: Arc<Faults>,
    ) -> Arc<Self> {
        let system = System::of(stack, place);
        Arc::new(Self {
            observer: Arc::new(Observer::new(&system.queue, &system.orders)),
            system,
            sqs,
            database,
            lambda,
            faults,
            history: Mutex::default(),
            spike: Mutex::default(),
            stopping: watch::Sender::new(false),
        })
    }

    /// The observer that feeds the console.
    pub fn observer(&self) -> &Arc<Observer> {
        &self.observer
    }

    /// Serves the console in front of the gateway, and counts the gateway's answers. Admits the same callers; to the page also
    /// a link on any other page.
    pub fn router(self: &Arc<Self>, gateway: Router, callers: Callers) -> Router {
        let page = Router::new().route("/", get(page::page));
        let parts = Router::new()
            .route("/.console/style.css", get(page::style))
            .route("/.console/script.js", get(page::script))
            .route("/.console/events", get(live::events))
            .route("/.console/redrive", post(actions::redrive))
            .route("/.console/faults/on", post(actions::switch_on))
            .route("/.console/faults/off", post(actions::switch_off))
            .route("/.console/spike", post(actions::start_spike));
        let pages = callers.clone();
        let pages = guard(page, move |request| pages.check_page(request))
            .merge(guard(parts, move |request| callers.check(request)))
            .with_state(self.clone());
        let counted = middleware::from_fn_with_state(self.clone(), count);
        pages.fallback_service(gateway.layer(counted))
    }

    /// Ends the live streams, so that no shutdown waits for them.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// A row of a table, by its key.
    fn row(&self, table: &str, key: &str, value: &str) -> Option<Item> {
        let request = GetItemRequest {
            table_name: table.to_owned(),
            key: [(key.to_owned(), AttributeValue::S(value.to_owned()))].into(),
            ..GetItemRequest::default()
        };
        self.database.get_item(request).ok()?.item
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spike(&self) -> MutexGuard<'_, Option<Arc<Spike>>> {
        self.spike.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}

/// Times each request that places orders, and counts those that poll for outcomes.
async fn count(State(console): State<Arc<Console>>, request: Request, next: Next) -> Response {
    let counts = &console.observer.counts;
    if request.method() == Method::POST {
        let start = Instant::now();
        let response = next.run(request).await;
        counts.time(start.elapsed());
        return response;
    }
    if request.method() == Method::GET {
        counts.asked.fetch_add(1, Relaxed);
    }
    next.run(request).await
}
