//! Builds binaries, above all the functions'.

use crate::template::model::Function;
use anyhow::{Context, bail};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

/// Builds all of them in the workspace `folder`, with cargo's own progress on stderr, and returns each function's
/// executable by its logical id. A release build has the features of the functions' packages alone, as it is deployed;
/// any other shares its dependencies with the rest of the workspace.
pub async fn build(
    folder: &Path,
    functions: &BTreeMap<String, Function>,
    release: bool,
) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let names: BTreeSet<_> = functions
        .values()
        .map(|function| {
            if release {
                ["-p", &function.package]
            } else {
                ["--bin", &function.binary]
            }
        })
        .collect();
    let mut selection: Vec<_> = names.into_iter().flatten().collect();
    // Also where `folder` is a member's.
    selection.push(if release { "--release" } else { "--workspace" });
    let binaries = binaries(folder, &selection).await?;
    functions
        .iter()
        .map(|(id, function)| {
            let path = binaries.get(&function.binary).with_context(|| {
                let Function {
                    package, binary, ..
                } = function;
                format!("{id}: package {package} has no binary `{binary}`")
            })?;
            Ok((id.clone(), path.clone()))
        })
        .collect()
}

/// Builds what cargo's arguments `selection` choose in the workspace `folder`, and gives each executable by the name of its
/// binary.
pub async fn binaries(
    folder: &Path,
    selection: &[&str],
) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(folder)
        .args([
            "build",
            "--locked",
            "--message-format=json-render-diagnostics",
        ])
        .args(selection)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    // `cargo run` tells us about our own package. Passed on, it would look to build scripts as if
    // their environment had changed, and every other build would start over.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name.as_ref());
        }
    }
    // `output` would capture stderr too.
    let cargo = cargo.spawn().context("cannot run cargo")?;
    let output = cargo.wait_with_output().await?;
    if !output.status.success() {
        bail!(
            "no binaries: see cargo's messages for {} above",
            selection.join(" ")
        );
    }
    Ok(executables(&output.stdout))
}

/// Reads the executables by binary name from cargo's messages: one JSON object a line.
fn executables(messages: &[u8]) -> BTreeMap<String, PathBuf> {
    #[derive(Deserialize)]
    struct Artifact {
        target: Target,
        executable: PathBuf,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
        kind: Vec<String>,
    }
    messages
        .split(|byte| *byte == b'\n')
        // No other message of cargo has an executable.
        .filter_map(|line| serde_json::from_slice::<Artifact>(line).ok())
        .filter(|artifact| artifact.target.kind.iter().any(|kind| kind == "bin"))
        .map(|artifact| (artifact.target.name, artifact.executable))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_found_among_cargos_messages() {
        let messages = br#"
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"ingest"},"executable":null,"fresh":true}
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"status"},"executable":"/t/status"}
{"reason":"compiler-artifact","target":{"kind":["custom-build"],"name":"ring"},"executable":"/t/b"}
{"reason":"build-finished","success":true}
not json"#;
        let expected = BTreeMap::from([("status".to_owned(), PathBuf::from("/t/status"))]);
        assert_eq!(executables(messages), expected);
    }
}
