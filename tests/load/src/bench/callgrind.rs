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

/// What the invocations of a run contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// One order.
    One,
    /// A hundred orders.
    Hundred,
    /// A batch of orders for one article.
    Hot,
    /// A batch of orders for an article each.
    Distinct,
}

impl Load {
    /// Returns the invocations of the shorter and of the longer run: their difference is the cost of warm invocations.
    fn invocations(self) -> (u32, u32) {
        match self {
            Self::One => (20, 60),
            Self::Hundred | Self::Hot | Self::Distinct => (4, 12),
        }
    }

    /// Returns the orders of an invocation.
    fn orders(self) -> usize {
        match self {
            Self::One => 1,
            Self::Hundred => 100,
            Self::Hot | Self::Distinct => process::BATCH,
        }
    }
}

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
        let load = match self.contestant.role {
            Role::Ingest | Role::Status => Load::One,
            Role::Process => Load::Hot,
        };
        let (init, first) = self.start(load).await?;
        Ok(vec![
            (Measure::InitInstructions, init / 1e6),
            (Measure::FirstInstructions, first / 1e6),
            (Measure::WarmInstructions, self.warm(load).await? / 1e3),
        ])
    }

    /// Counts the instructions of the program's start, and of its first invocation.
    pub async fn start(self, load: Load) -> anyhow::Result<(f64, f64)> {
        let init = self.least(0, load).await?;
        Ok((init, self.least(1, load).await? - init))
    }

    /// Counts the instructions of an order once the program is warm.
    pub async fn warm(self, load: Load) -> anyhow::Result<f64> {
        let (few, many) = load.invocations();
        let warm = self.least(many, load).await? - self.least(few, load).await?;
        let orders = f64::from(many - few) * f64::from(u32::try_from(load.orders())?);
        Ok(warm / orders)
    }

    /// Returns the fewest instructions of a few runs: a run's surplus isn't part of the work. If every run fails, returns the
    /// last error.
    async fn least(self, invocations: u32, load: Load) -> anyhow::Result<f64> {
        self.cloud.set_latency(Latency::default());
        let mut least = Err(anyhow!("it was never run"));
        for _ in 0..TRIES {
            let counted = self.run(invocations, load).await;
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
    async fn run(self, invocations: u32, load: Load) -> anyhow::Result<f64> {
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
        let mut queue = Queue::new(load == Load::Distinct)?;
        let (one, orders) = (load == Load::One, load.orders());
        for _ in 0..invocations {
            match self.contestant.role {
                Role::Ingest => {
                    let event = if one {
                        orders::single()?
                    } else {
                        orders::batch(orders)?
                    };
                    ingest::send(&mut function, event, orders).await?
                }
                Role::Status => {
                    let event = if one {
                        orders::status()?
                    } else {
                        orders::statuses(orders)?
                    };
                    status::ask(&mut function, event, orders).await?
                }
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
            let kept = folder.join(format!("{name}-{load:?}-{invocations}.out"));
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
