//! The programs under measurement.

use super::{ROOT, cloud::Cloud, function::Program, orders};
use anyhow::Context;
use local::template::{
    self,
    model::{Function, Place, Stack},
};
use std::{collections::BTreeMap, ffi::OsString};

/// One of the functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Sends orders from the gateway to the queue.
    Ingest,
    /// Reads orders from the tables for the client.
    Status,
    /// Writes orders from the queue to the tables.
    Process,
}

/// A program that does the work of one function.
#[derive(Debug, Clone)]
pub struct Contestant {
    /// Its name in the tables.
    pub name: &'static str,
    pub role: Role,
    /// Whether the program is compiled while it runs, and takes longer to become warm.
    pub compiles: bool,
    pub program: Program,
}

/// The functions of `template.yaml`, as they would be deployed with these fakes.
#[derive(Debug)]
pub struct Deployment {
    stack: Stack,
}

impl Deployment {
    /// Reads the template.
    pub fn read(cloud: &Cloud) -> anyhow::Result<Self> {
        let place = Place {
            api: String::new(),
            services: cloud.endpoint.clone(),
        };
        let path = format!("{ROOT}/template.yaml");
        let secret = &mut |_: &str| orders::SECRET.to_owned();
        let stack = template::load(path.as_ref(), &BTreeMap::new(), &place, secret)?;
        Ok(Self { stack })
    }

    /// The function of this role.
    pub fn function(&self, role: Role) -> anyhow::Result<(&'static str, &Function)> {
        let id = match role {
            Role::Ingest => "IngestFunction",
            Role::Status => "StatusFunction",
            Role::Process => "ProcessFunction",
        };
        let function = self.stack.functions.get(id);
        Ok((
            id,
            function.with_context(|| format!("the template has no {id}"))?,
        ))
    }

    /// The environment of a function in this role, whatever its implementation.
    pub fn environment(&self, role: Role) -> anyhow::Result<BTreeMap<String, OsString>> {
        let (_, function) = self.function(role)?;
        let variables = function.environment.iter();
        Ok(variables
            .map(|(name, value)| (name.clone(), value.into()))
            .collect())
    }
}
