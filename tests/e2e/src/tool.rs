//! Runs the operator's tool for dead letters, as an operator does.

use crate::stack::Stack;
use anyhow::{Context, Result};
use local::{functions::binaries, template::model::REGION};
use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
};
use tokio::{
    process::{Child, Command},
    sync::OnceCell,
};

/// The access key id that signs the tool's calls to a `local`.
pub const CALLER: &str = "dead-letters";

/// Returns the tool's executable; the first call builds it.
pub async fn executable() -> Result<&'static Path> {
    static BUILT: OnceCell<PathBuf> = OnceCell::const_new();
    let build = || async {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut built = binaries(&workspace, &["--bin", "dead-letters"]).await?;
        built.remove("dead-letters").context("no binary")
    };
    Ok(BUILT.get_or_try_init(build).await?)
}

impl Stack {
    /// Starts the tool with the variables of `.ci/stack-env`, and no terminal.
    pub async fn start_tool(&self, arguments: &[&str]) -> Result<Child> {
        let names = &self.aws()?.names;
        let mut tool = Command::new(executable().await?);
        tool.args(arguments)
            .env("ORDERS_DEAD_LETTER_QUEUE_URL", &names.dead_letter_queue)
            .env("ORDERS_QUEUE_URL", &names.queue)
            .env("ORDERS_TABLE", &names.orders)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // For any other stack the environment has them already.
        if self.is_local() {
            tool.env("AWS_ENDPOINT_URL", self.cloud()?.services_url())
                .env("AWS_REGION", REGION)
                .env("AWS_ACCESS_KEY_ID", CALLER)
                .env("AWS_SECRET_ACCESS_KEY", "e2e");
        }
        Ok(tool.spawn()?)
    }

    /// Runs the tool to its end.
    pub async fn tool(&self, arguments: &[&str]) -> Result<Run> {
        Run::of(self.start_tool(arguments).await?).await
    }
}

/// The output of a run of the tool.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Run {
    /// Waits for the tool to end.
    pub async fn of(tool: Child) -> Result<Self> {
        let Output {
            status,
            stdout,
            stderr,
        } = tool.wait_with_output().await?;
        Ok(Self {
            code: status.code(),
            out: String::from_utf8(stdout)?,
            err: String::from_utf8(stderr)?,
        })
    }
}
