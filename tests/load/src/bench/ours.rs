//! Builds this repository's functions.

use super::{
    ROOT,
    contestant::{Contestant, Deployment, Role},
    function::Program,
};
use anyhow::Context;
use local::functions;
use std::{collections::BTreeMap, fs};

pub const NAME: &str = "ours";

/// Builds each package by itself, as SAM does: together, each would get the other's features.
pub async fn build(deployment: &Deployment) -> anyhow::Result<Vec<Contestant>> {
    let mut contestants = Vec::new();
    for role in [Role::Ingest, Role::Status, Role::Process] {
        let (id, function) = deployment.function(role)?;
        let alone = BTreeMap::from([(id.to_owned(), function.clone())]);
        let built = functions::build(ROOT.as_ref(), &alone, true).await?;
        let executable = built.get(id).context("the function was not built")?;
        contestants.push(Contestant {
            name: NAME,
            role,
            compiles: false,
            program: Program {
                command: vec![executable.into()],
                folder: executable.parent().unwrap_or(executable).to_owned(),
                environment: deployment.environment(role)?,
                bytes: fs::metadata(executable)?.len(),
            },
        });
    }
    Ok(contestants)
}
