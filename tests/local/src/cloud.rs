//! Starts and stops the whole system.

use crate::{
    callers::Callers,
    console::{Console, observer::Observer},
    data,
    event_bus::EventBuses,
    event_source::Mapping,
    faults::{Faults, file::Plan},
    functions, gateway,
    lambda::Lambda,
    listeners::Listeners,
    options::Options,
    secrets::Secrets,
    services::Services,
    sqs::Sqs,
    tables::{self, Filled, Tables},
    template::{
        self,
        model::{Place, Stack},
    },
};
use anyhow::Context;
use std::{path::Path, sync::Arc};
use tokio::task::JoinSet;

/// The running system of one template.
#[derive(Debug)]
pub struct Cloud {
    place: Place,
    stack: Stack,
    faults: Arc<Faults>,
    lambda: Arc<Lambda>,
    filled: Vec<Filled>,
    console: Arc<Console>,
    event_sources: JoinSet<()>,
    servers: JoinSet<()>,
}

impl Cloud {
    /// Builds or finds the functions and starts everything, reporting each step to `progress`. When this returns, the event
    /// source mappings poll and the API answers.
    pub async fn start(options: &Options, progress: impl Fn(&str)) -> anyhow::Result<Self> {
        // Binds the ports first: a port in use should be reported before a build.
        let listeners = Listeners::bind(&options.host, options.port).await?;
        let place = Place {
            api: listeners.api.url()?,
            services: listeners.services.url()?,
        };
        let callers = Callers::new(&options.host);
        let file = |name: &str| options.data.as_ref().map(|folder| folder.join(name));
        if let Some(folder) = &options.data {
            data::folder(folder)?;
        }

        let path = options.template();
        let console = format!("{}/", place.api);
        progress(&format!(
            "the console, once everything has started: {console}"
        ));
        progress(&format!("reading {}", path.display()));
        let mut secrets = Secrets::open(file("secrets.json"))?;
        let overrides = options.overrides()?;
        let stack = template::load(&path, &overrides, &place, &mut |id| secrets.get(id))?;
        let plan = options.faults.as_deref().map(Plan::load).transpose()?;
        if let Some(plan) = &plan {
            plan.check(&stack.functions.keys().map(String::as_str).collect())?;
        }
        secrets.save()?;
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };

        let executables = match &options.functions {
            Some(binaries) => functions::find(binaries, &stack.functions)?,
            None => functions::build(folder, &stack.functions, options.release).await?,
        };

        progress("creating tables and queues");
        for name in ["tables.db", "queues.db"] {
            file(name).as_deref().map(data::private).transpose()?;
        }
        let database = tables::open(file("tables.db"))?;
        let filled = tables::create_all(&database, stack.tables.values(), folder)?;
        let sqs = Sqs::open(file("queues.db").as_deref(), &place.services)?;
        for queue in stack.queues.values() {
            sqs.create(queue)?;
        }

        progress("starting the functions");
        let faults = Arc::new(Faults::new(stack.functions.keys().cloned()));
        let lambda = Arc::new(Lambda::new(
            &stack.functions,
            &executables,
            &place.services,
            options.processes,
            !options.quiet,
            &faults,
        )?);
        let mut servers = JoinSet::new();
        let console = Console::new(
            &stack,
            &place,
            sqs.clone(),
            database.clone(),
            lambda.clone(),
            faults.clone(),
        );
        let answering = Services::new(
            sqs.clone(),
            EventBuses::new(sqs.clone()),
            lambda.clone(),
            faults.clone(),
            Tables::new(database)?,
            callers.clone(),
            console.observer().clone(),
        );
        for listener in listeners.services.0 {
            servers.spawn(answering.clone().serve(listener));
        }
        if let Err(error) = lambda.start().await {
            lambda.stop().await;
            return Err(error);
        }
        let gateway = gateway::router(&stack.api, lambda.clone(), callers.clone());
        let gateway = console.router(gateway, callers);
        for listener in listeners.api.0 {
            let gateway = gateway.clone();
            servers.spawn(async move { drop(axum::serve(listener, gateway).await) });
        }
        // Starts the rules only now, so that an injected fault isn't mistaken for a function that can't start.
        for rule in plan.iter().flat_map(|plan| plan.inject(&faults)) {
            rule.for_good();
        }
        let event_sources = poll(&stack, &sqs, &lambda, &faults, console.observer())?;
        Ok(Self {
            place,
            stack,
            faults,
            lambda,
            filled,
            console,
            event_sources,
            servers,
        })
    }

    /// The resolved template.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Base URL of the API, with the stage: `http://127.0.0.1:3000/v1`.
    pub fn api_url(&self) -> String {
        format!("{}/{}", self.place.api, self.stack.api.stage)
    }

    /// Address of the console: `http://127.0.0.1:3000/`.
    pub fn console_url(&self) -> String {
        format!("{}/", self.place.api)
    }

    /// Base URL of SQS, `DynamoDB`, EventBridge and Lambda: `http://127.0.0.1:3001`.
    pub fn services_url(&self) -> &str {
        &self.place.services
    }

    /// Injects faults between the functions and the services.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    pub fn lambda(&self) -> &Arc<Lambda> {
        &self.lambda
    }

    /// The tables for which the template has items.
    pub fn filled(&self) -> &[Filled] {
        &self.filled
    }

    /// Stops the event source mappings, every process of a function, and the servers.
    pub async fn stop(mut self) {
        self.console.stop();
        self.event_sources.shutdown().await;
        self.lambda.stop().await;
        self.servers.shutdown().await;
    }
}

/// Runs the event source mappings.
fn poll(
    stack: &Stack,
    sqs: &Sqs,
    lambda: &Arc<Lambda>,
    faults: &Arc<Faults>,
    observer: &Arc<Observer>,
) -> anyhow::Result<JoinSet<()>> {
    let mut polled = JoinSet::new();
    for (id, function) in &stack.functions {
        for source in &function.event_sources {
            let queue = stack.queues.get(&source.queue);
            let queue = queue.with_context(|| format!("no queue {}", source.queue))?;
            let mapping = Mapping {
                source: source.clone(),
                queue: queue.name.clone(),
                function: id.clone(),
                sqs: sqs.clone(),
                lambda: lambda.clone(),
                faults: faults.clone(),
                observer: observer.clone(),
            };
            polled.spawn(mapping.run());
        }
    }
    Ok(polled)
}
