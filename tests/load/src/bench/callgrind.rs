//! Counts instructions with callgrind: repeated runs confirm the figure, on any machine.

use super::{
    cloud::{Cloud, Latency},
    contestant::{Contestant, Role},
    function::Function,
    ingest,
    measure::{Measure, Values},
    orders::{self, Queue},
    process, status,
};
use anyhow::{Context, anyhow, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::{ffi::OsString, fs, path::Path};
use tempfile::TempDir;
use tokio::process::Command;

/// Invocations of the shorter and of the longer run: their difference is the cost of warm invocations.
const INGEST: (u32, u32) = (20, 60);
/// Batches of the shorter and of the longer run.
const PROCESS: (u32, u32) = (4, 12);
/// Attempts at each run: on a busy machine some wait too long for an answer, and repeat a call.
const TRIES: u32 = 3;

/// Checks whether valgrind is installed.
pub async fn is_here() -> bool {
    let version = Command::new("valgrind").arg("--version").output().await;
    version.is_ok_and(|version| version.status.success())
}

/// A program, its calls, and a folder for the profiles.
#[derive(Debug, Clone, Copy)]
pub struct Count<'a> {
    pub contestant: &'a Contestant,
    pub cloud: &'a Cloud,
    /// A folder in which to keep the profiles, if any.
    pub keep: Option<&'a Path>,
}

impl Count<'_> {
    /// Counts the instructions of the program's start, of its first invocation, and of an order once it is warm.
    pub async fn values(self) -> anyhow::Result<Values> {
        self.cloud.set_latency(Latency::default());
        let ((few, many), orders) = match self.contestant.role {
            Role::Ingest | Role::Status => (INGEST, 1),
            Role::Process => (PROCESS, u32::try_from(process::BATCH)?),
        };
        let init = self.least(0).await?;
        let first = self.least(1).await? - init;
        let warm = self.least(many).await? - self.least(few).await?;
        let warm = warm / f64::from((many - few) * orders);
        Ok(vec![
            (Measure::InitInstructions, init / 1e6),
            (Measure::FirstInstructions, first / 1e6),
            (Measure::WarmInstructions, warm / 1e3),
        ])
    }

    /// Returns the fewest instructions of a few runs: a run's surplus isn't part of the work. If every run fails, returns the
    /// last error.
    async fn least(self, invocations: u32) -> anyhow::Result<f64> {
        let mut least = Err(anyhow!("it was never run"));
        for _ in 0..TRIES {
            let counted = self.run(invocations).await;
            if counted.is_err() {
                // Forgets calls that this run repeated, so that they don't fail the next one.
                drop(self.cloud.take());
            }
            least = match (least, counted) {
                (Ok(least), Ok(counted)) => Ok(f64::min(least, counted)),
                (Ok(least), Err(_)) => Ok(least),
                (Err(_), counted) => counted,
            };
        }
        least
    }

    /// Starts a process, invokes it `invocations` times, ends it, and returns its instruction count.
    async fn run(self, invocations: u32) -> anyhow::Result<f64> {
        let folder = TempDir::new()?;
        let profile = folder.path().join("callgrind.out");
        let mut out = OsString::from("--callgrind-out-file=");
        out.push(&profile);
        let wrapper = [
            "valgrind".into(),
            "--tool=callgrind".into(),
            "-q".into(),
            out,
        ];
        let (mut function, _) =
            Function::start(&self.contestant.program, &wrapper, self.cloud).await?;
        let mut queue = Queue::new()?;
        for _ in 0..invocations {
            match self.contestant.role {
                Role::Ingest => ingest::send(&mut function, orders::single()?, 1).await?,
                Role::Status => status::ask(&mut function, orders::status()?, 1).await?,
                Role::Process => process::deliver(&mut function, &mut queue).await?,
            };
        }
        function.usage().at_rest().await?;
        // Callgrind writes its counts when the process ends by this signal.
        let pid = Pid::from_raw(i32::try_from(function.pid()?)?).context("no process")?;
        kill_process(pid, Signal::TERM)?;
        function.wait().await?;
        self.cloud.take()?;
        if let Some(folder) = self.keep {
            let name = Path::new(&self.contestant.program.command[0]).file_name();
            let name = name.unwrap_or_default().to_string_lossy();
            fs::create_dir_all(folder)?;
            let kept = folder.join(format!("{name}-{invocations}.out"));
            fs::copy(&profile, kept).context("the profile cannot be kept")?;
        }
        total(&fs::read_to_string(&profile).context("callgrind wrote no profile")?)
    }
}

/// The instructions of a whole profile.
fn total(profile: &str) -> anyhow::Result<f64> {
    let totals = profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: "));
    // Counts below 2⁵³ are exact.
    let total: f64 = totals
        .context("the profile has no totals")?
        .trim()
        .parse()?;
    ensure!(total > 0.0, "the profile counts no instructions");
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_says_its_total() -> anyhow::Result<()> {
        let found = total("version: 1\nevents: Ir\nfn=(1) main\n16 5\ntotals: 1205\n")?;
        assert!((found - 1205.0).abs() < 0.5);
        assert!(total("events: Ir\n").is_err());
        assert!(total("totals: 0\n").is_err());
        Ok(())
    }
}
