//! The names of the parts that the console shows.

use crate::template::model::{Place, Stack};

/// The maximum number of workers where the template sets no `MaximumConcurrency`, from the event source mapping.
const WORKERS: usize = 10;

#[derive(Debug, Default)]
pub struct System {
    /// The API with its stage, and the services.
    pub api: String,
    pub services: String,
    /// The logical ids of all functions, sorted.
    pub functions: Vec<String>,
    /// The function that accepts orders, the one that returns statuses, and the one that the queue drives.
    pub intake: String,
    pub status: String,
    pub worker: String,
    /// The maximum number of workers.
    pub workers: usize,
    /// Names of the queue and of its dead-letter queue.
    pub queue: String,
    pub dead_letters: String,
    /// Names of the tables.
    pub orders: String,
    pub articles: String,
}

impl System {
    /// Finds the parts. What the template lacks has an empty name.
    pub fn of(stack: &Stack, place: &Place) -> Self {
        let mut system = Self {
            api: format!("{}/{}", place.api, stack.api.stage),
            services: place.services.clone(),
            functions: stack.functions.keys().cloned().collect(),
            workers: WORKERS,
            ..Self::default()
        };
        let function = |path: &str| {
            let route = stack.api.routes.iter().find(|route| route.path == path);
            route.map_or(String::new(), |route| route.function.clone())
        };
        system.intake = function("/orders");
        system.status = function("/orders/{id}");
        let table = |id: &str| {
            let table = stack.tables.get(id);
            table.map_or(String::new(), |table| table.name.clone())
        };
        system.orders = table("OrdersTable");
        system.articles = table("ArticlesTable");
        let mut sources = stack.functions.iter().flat_map(|(id, function)| {
            let sources = function.event_sources.iter();
            sources.map(move |source| (id, source))
        });
        if let Some((id, source)) = sources.next() {
            system.worker.clone_from(id);
            system.workers = source.maximum_concurrency.unwrap_or(WORKERS);
            if let Some(queue) = stack.queues.get(&source.queue) {
                system.queue.clone_from(&queue.name);
                let redrive = queue.redrive.as_ref();
                system.dead_letters =
                    redrive.map_or(String::new(), |redrive| redrive.dead_letter_queue.clone());
            }
        }
        system
    }
}
