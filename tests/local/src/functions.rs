//! Builds or finds the functions' binaries, and builds others.

use crate::{template::model::Function, terminal::note};
use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    io::{IsTerminal, stderr},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Command,
};

/// How often a build's progress is printed where stderr isn't a terminal.
const SHOWN: Duration = Duration::from_secs(10);

/// Builds all of them in the workspace `folder`, with progress on stderr, and returns each function's executable by its
/// logical id. A release build has the features of the functions' packages alone, as deployed; any other build shares its
/// dependencies with the rest of the workspace.
pub async fn build(
    folder: &Path,
    functions: &BTreeMap<String, Function>,
    release: bool,
) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    note("building the functions; the first time, their dependencies take minutes");
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
    // Selects the workspace even where `folder` is a member's.
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

/// Finds each function's executable in `folder`, by the name of its binary.
pub fn find(
    folder: &Path,
    functions: &BTreeMap<String, Function>,
) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    functions
        .iter()
        .map(|(id, function)| {
            let path = folder.join(&function.binary);
            let is_file = path.is_file();
            ensure!(is_file, "{id}: there is no binary {}", path.display());
            // Without a folder, it would be looked up on the path.
            Ok((id.clone(), path.canonicalize()?))
        })
        .collect()
}

/// Builds what cargo's arguments `selection` choose in the workspace `folder`, and returns each executable by the name of its
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
    // `cargo run` sets variables about our own package. If they were passed on, build scripts would see a changed environment,
    // and every other build would start over.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name.as_ref());
        }
    }
    if !stderr().is_terminal() {
        // Cargo shows no progress there by default.
        cargo
            .env("CARGO_TERM_PROGRESS_WHEN", "always")
            .env("CARGO_TERM_PROGRESS_WIDTH", "80")
            .stderr(Stdio::piped());
    }
    // `output` would capture a terminal's stderr too.
    let mut cargo = cargo.spawn().context("cannot run cargo")?;
    let messages = cargo.stderr.take();
    let shown = async {
        if let Some(messages) = messages {
            show(messages, SHOWN, note).await;
        }
    };
    let (output, ()) = tokio::join!(cargo.wait_with_output(), shown);
    let output = output?;
    if !output.status.success() {
        bail!(
            "no binaries: see cargo's messages for {} above",
            selection.join(" ")
        );
    }
    Ok(executables(&output.stdout))
}

/// Passes on cargo's messages, and a line of its progress at intervals.
async fn show(messages: impl AsyncRead + Unpin, often: Duration, mut say: impl FnMut(&str)) {
    let mut messages = BufReader::new(messages);
    let (mut part, mut shown) = (Vec::new(), Instant::now());
    // A progress bar ends in a carriage return, and the next one overwrites it.
    while matches!(messages.read_until(b'\r', &mut part).await, Ok(1..)) {
        for line in String::from_utf8_lossy(&part).lines() {
            let bar = line.trim_start().strip_prefix("Building [");
            let done = bar.and_then(|bar| bar.split_once("] ")?.1.split_once(':'));
            if let Some((done, _)) = done {
                if shown.elapsed() >= often {
                    say(&format!("    building: {done} crates and build scripts"));
                    shown = Instant::now();
                }
            } else if !line.trim().is_empty() {
                say(line.trim_end());
            }
        }
        part.clear();
    }
}

/// Reads the executables by binary name from cargo's messages: one JSON object per line.
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
        // None of cargo's other messages has an executable.
        .filter_map(|line| serde_json::from_slice::<Artifact>(line).ok())
        .filter(|artifact| artifact.target.kind.iter().any(|kind| kind == "bin"))
        .map(|artifact| (artifact.target.name, artifact.executable))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_of_cargo_are_passed_on_with_its_progress_now_and_then() {
        let messages = "   Compiling serde v1.0.229\n    Building [==>  ] 41/310: serde, syn(build)    \r\
            warning: unused\n --> src/lib.rs:1:1\n\n    Building [===> ] 42/310: syn   \r    Finished `dev`\n";
        let say = |often| async move {
            let mut said = Vec::new();
            show(messages.as_bytes(), often, |line| {
                said.push(line.to_owned());
            })
            .await;
            said
        };
        let lines = [
            "   Compiling serde v1.0.229",
            "    building: 41/310 crates and build scripts",
            "warning: unused",
            " --> src/lib.rs:1:1",
            "    building: 42/310 crates and build scripts",
            "    Finished `dev`",
        ];
        assert_eq!(say(Duration::ZERO).await, lines);
        let others = lines.iter().filter(|line| !line.contains("building"));
        let others: Vec<_> = others.copied().collect();
        assert_eq!(say(Duration::from_hours(1)).await, others);
    }

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
