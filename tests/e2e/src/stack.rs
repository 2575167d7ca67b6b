//! The stack that the scenarios run against.

use crate::{
    api::Api, aws::Aws, listener::Listener, names::Names, need::Need, patience::until,
    permissions::Used,
};
use anyhow::{Context, Result, ensure};
use http::Method;
use local::{
    cloud::Cloud,
    faults::{Call, Fault, Faults, Injection, Kind, Rule},
    options::Options,
};
use std::{collections::BTreeMap, env, ops::Deref, path::Path, sync::Mutex};
use tokio::sync::{RwLock, RwLockWriteGuard};

/// The number of requests, and of scenarios, at a time on LocalStack. It starts a container for each, and more would soon
/// exceed the functions' time-outs.
const ON_LOCALSTACK: usize = 4;

const API_KEY: &str = "ORDERS_API_KEY";

/// Parameters of a `local` with short waits.
const SHORT_WAITS: [&str; 4] = [
    "MaxReceiveCount=3",
    "RetryBaseSeconds=1",
    "ProcessTimeoutSeconds=30",
    "OutcomeBus=default",
];

/// A deployed system.
pub struct Stack {
    /// Its API.
    pub api: Api,
    aws: Option<Aws>,
    cloud: Option<Cloud>,
    is_localstack: bool,
    /// Receives the outcomes that the stack publishes, if it publishes any.
    listener: Option<Listener>,
    /// The calls of a `local`'s functions.
    used: Used,
    /// Held by scenarios that cause dead letters, until these are gone, and by [`Stack::alone`].
    pub dead_letters: RwLock<()>,
    /// The stock that scenarios put into articles of their own.
    stocked: Mutex<BTreeMap<String, u64>>,
}

impl Stack {
    /// Connects to the stack that the environment names, or starts a `local` with short waits.
    pub async fn start() -> Result<Self> {
        let Ok(url) = env::var("ORDERS_API_URL") else {
            // Some variable of `.ci/stack-env` is set, so the user means a deployed stack.
            for name in [
                API_KEY,
                "ORDERS_QUEUE_URL",
                "ORDERS_TABLE",
                "INGEST_FUNCTION",
            ] {
                ensure!(
                    env::var_os(name).is_none(),
                    "{name} is set, but ORDERS_API_URL isn't"
                );
            }
            return Self::local(&SHORT_WAITS).await;
        };
        let api = Api::new(&url, env::var(API_KEY).ok())?;
        let is_localstack = match env::var("AWS_ENDPOINT_URL") {
            Ok(endpoint) => {
                let health = Api::new(&endpoint, None)?;
                let health = health
                    .send(Method::GET, "/_localstack/health", &[], "")
                    .await?;
                health.status == 200
            }
            Err(_) => false,
        };
        let aws = Names::from_env().map(Aws::from_env).transpose()?;
        Ok(Self {
            api: if is_localstack {
                // LocalStack's gateway answers differently from AWS's.
                api.at_most(ON_LOCALSTACK)
            } else {
                api.described()
            },
            listener: listener(aws.as_ref()).await?,
            aws,
            cloud: None,
            is_localstack,
            used: Used::default(),
            dead_letters: RwLock::default(),
            stocked: Mutex::default(),
        })
    }

    /// Whether the stack is a `local`, rather than another emulator or AWS.
    pub fn is_local(&self) -> bool {
        self.cloud.is_some()
    }

    /// Describes the stack for the operator.
    pub fn target(&self) -> String {
        let url = self.api.url();
        match (&self.cloud, self.is_localstack) {
            (Some(_), _) => format!("a `local` of their own, at {url}"),
            (None, true) => format!("a stack on LocalStack, at {url}"),
            (None, false) => format!("a deployed stack, at {url}"),
        }
    }

    /// Starts a `local` with these parameters.
    pub async fn local(parameters: &[&str]) -> Result<Self> {
        Self::local_in(None, parameters).await
    }

    /// Starts a `local` that keeps its secrets, queues and tables in this folder.
    pub async fn local_in(folder: Option<&Path>, parameters: &[&str]) -> Result<Self> {
        let options = Options {
            data: folder.map(Path::to_owned),
            port: 0,
            parameter_overrides: parameters
                .iter()
                .map(|parameter| (*parameter).to_owned())
                .collect(),
            quiet: true,
            ..Options::default()
        };
        let cloud = Cloud::start(&options, |progress| eprintln!("local: {progress}")).await?;
        let aws = Aws::local(cloud.services_url(), Names::of(&cloud)?);
        let api = Api::new(&cloud.api_url(), Some("e2e".to_owned()))?.described();
        Ok(Self {
            api,
            listener: listener(Some(&aws)).await?,
            aws: Some(aws),
            used: Used::watch(cloud.faults(), cloud.stack()),
            cloud: Some(cloud),
            is_localstack: false,
            dead_letters: RwLock::default(),
            stocked: Mutex::default(),
        })
    }

    /// Returns a stack whose dead letters are all the caller's: a `local` of its own if this is one, else this stack, once no
    /// other scenario has dead letters.
    pub async fn alone(&self) -> Result<Alone<'_>> {
        let (mut own, mut lock) = (None, None);
        if self.is_local() {
            own = Some(Box::new(Self::local(&SHORT_WAITS).await?));
        } else {
            lock = Some(self.dead_letters.write().await);
        }
        Ok(Alone {
            own,
            shared: self,
            _lock: lock,
        })
    }

    /// The number of scenarios to run at a time. They mostly wait, so it exceeds the number of cores.
    pub fn at_a_time(&self) -> usize {
        if self.is_localstack {
            ON_LOCALSTACK
        } else {
            16
        }
    }

    /// Whether a scenario with this need can run.
    pub fn has(&self, need: Need) -> bool {
        match need {
            Need::Queue | Need::Tables | Need::Invoke => self.aws.is_some(),
            Need::Events => self.listener.is_some(),
            Need::ExactQueue => self.aws.is_some() && !self.is_localstack,
            Need::GatewayResponses => !self.is_localstack,
            Need::Clients | Need::Faults | Need::Parameters | Need::Quiet => self.cloud.is_some(),
        }
    }

    /// The services behind the API.
    pub fn aws(&self) -> Result<&Aws> {
        self.aws.as_ref().context(
            "the scenario doesn't declare that it needs the queue, the tables or the functions",
        )
    }

    /// Returns the listener to its outcomes.
    pub fn listener(&self) -> Result<&Listener> {
        self.listener
            .as_ref()
            .context("the scenario doesn't declare that it needs events")
    }

    /// Returns the `local` behind this stack.
    pub fn cloud(&self) -> Result<&Cloud> {
        self.cloud
            .as_ref()
            .context("the scenario doesn't declare that it needs faults")
    }

    /// Breaks calls, or observes them, until the rule is dropped. Scenarios run side by side: a rule must match something in
    /// the call that only its own scenario sends.
    pub fn fault(
        &self,
        rule: impl Fn(&Call<'_>) -> Option<Fault> + Send + Sync + 'static,
    ) -> Result<Rule<'_>> {
        let faults: &Faults = self.cloud()?.faults();
        Ok(faults.add(rule))
    }

    /// Injects a fault once, into a call or message that contains `part`.
    pub fn once(&self, kind: Kind, part: &str) -> Result<Rule<'_>> {
        self.inject(kind, part, Some(1))
    }

    /// Injects a fault into every call or message that contains `part`, until the rule is dropped.
    pub fn always(&self, kind: Kind, part: &str) -> Result<Rule<'_>> {
        self.inject(kind, part, None)
    }

    fn inject(&self, kind: Kind, part: &str, times: Option<u64>) -> Result<Rule<'_>> {
        let injection = Injection {
            containing: Some(part.to_owned()),
            times,
            ..Injection::new(kind)
        };
        Ok(self.cloud()?.faults().inject(injection, 1))
    }

    /// Makes an article with this stock, which the audit checks at the end.
    pub async fn article(&self, in_stock: u64) -> Result<String> {
        let sku = format!("e2e-{:016x}", fastrand::u64(..));
        self.aws()?.put_stock(&sku, in_stock).await?;
        self.stocked
            .lock()
            .expect("no scenario panics in here")
            .insert(sku.clone(), in_stock);
        Ok(sku)
    }

    /// Checks that no queue holds a message, that each article lacks exactly the pieces that confirmed orders have, and that
    /// each outcome was published.
    pub async fn audit(&self) -> Result<()> {
        let Some(aws) = &self.aws else { return Ok(()) };
        until("the queues are empty", || async {
            Ok((aws.depth(&aws.names.queue).await?
                + aws.depth(&aws.names.dead_letter_queue).await?
                == 0)
                .then_some(()))
        })
        .await?;
        let stocked = self
            .stocked
            .lock()
            .expect("no scenario panics in here")
            .clone();
        let taken = aws.confirmed_claims().await?;
        for (sku, before) in stocked {
            let (left, taken) = (
                aws.in_stock(&sku).await?,
                taken.get(&sku).copied().unwrap_or_default(),
            );
            ensure!(
                left + taken == before,
                "{sku} had {before} pieces: {taken} are confirmed, {left} are left"
            );
        }
        let Some(listener) = &self.listener else {
            return Ok(());
        };
        let rows = aws.records().await?;
        let source = &aws.names.source;
        let wrong = || listener.compare(source, rows.iter()).0;
        let all_are_published = until("each outcome is published", || async {
            Ok(wrong().is_empty().then_some(()))
        })
        .await;
        all_are_published.with_context(|| format!("{:#?}", wrong()))
    }

    /// Checks that each function's role allows what all the scenarios together made it do, and no more.
    pub fn compare_permissions(&self) -> Result<()> {
        match &self.cloud {
            Some(cloud) => self.used.compare(cloud.stack()),
            None => Ok(()),
        }
    }

    /// Stops everything that was started.
    pub async fn stop(&self) {
        if let (Some(listener), Some(aws)) = (&self.listener, &self.aws)
            && let Err(error) = listener.stop(aws).await
        {
            eprintln!("a rule or a queue of the scenarios was left behind: {error:#}");
        }
        if let Some(cloud) = &self.cloud {
            cloud.lambda().stop().await;
        }
    }
}

/// A stack whose dead letters are all one scenario's.
pub struct Alone<'a> {
    own: Option<Box<Stack>>,
    shared: &'a Stack,
    _lock: Option<RwLockWriteGuard<'a, ()>>,
}

impl Deref for Alone<'_> {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        self.own.as_deref().unwrap_or(self.shared)
    }
}

impl Alone<'_> {
    /// Audits and stops a stack of the scenario's own.
    pub async fn end(&self) -> Result<()> {
        if let Some(stack) = &self.own {
            stack.audit().await?;
            stack.stop().await;
        }
        Ok(())
    }
}

/// Starts a listener if the stack publishes outcomes.
async fn listener(aws: Option<&Aws>) -> Result<Option<Listener>> {
    match aws {
        Some(aws) if aws.names.outcome_bus.is_some() => Ok(Some(Listener::start(aws).await?)),
        _ => Ok(None),
    }
}
