//! The console: a page at the API's address that shows what runs, live, and without script as it is at that moment.
//!
//! # Layout
//! - [`observer`]: hears of calls and deliveries; `heard`: keeps them until somebody looks; `wire`: their documents;
//!   `counts`: counts them; `journal`: the ways of the latest orders
//! - `system`: the names of the parts; `history`: the last two minutes, sampled while somebody looks
//! - `page`: the page; `parts`: what it shows; `html`: writes HTML
//! - `live`: sends the parts anew; `actions`: what the page's buttons do; `form`: reads them
//! - `spike`: places orders, and asks for their outcomes; `capacity`: limits the tables meanwhile
//!
//! It alone in this crate knows of orders: the table `OrdersTable` has their rows, `ArticlesTable` the stock, and the
//! queue is the one that drives a function. What another template lacks stays empty.

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

/// The console, and all that it shows.
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
    /// Looks at these. Nothing is sampled before somebody looks.
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

    /// Hears of what is shown.
    pub fn observer(&self) -> &Arc<Observer> {
        &self.observer
    }

    /// Serves the console before the gateway, and counts what the gateway answers. It lets in the same callers, and to the
    /// page a link on any other.
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

    /// Ends what is sent live, so that nobody waits for it.
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

/// Takes the time of each request that places orders, and counts those that ask for outcomes.
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
