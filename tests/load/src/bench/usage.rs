//! Reads the CPU time of a process's threads, in nanoseconds, and its memory.

use anyhow::Context;
use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};
use tokio::time::sleep;

/// The interval between two polls of a process that is coming to rest.
const GLANCE: Duration = Duration::from_millis(2);
/// A process is at rest when this many polls in a row see no work: longer than a quota keeps a process waiting.
const QUIET_GLANCES: usize = 12;
/// The number of polls after which a process that doesn't come to rest is measured anyway.
const MOST_GLANCES: usize = 500;

/// A process under measurement.
#[derive(Debug)]
pub struct Usage {
    folder: PathBuf,
    /// Nanoseconds of each thread at the last poll; threads that have ended since still count.
    threads: BTreeMap<String, u64>,
}

impl Usage {
    pub fn of(pid: u32) -> Self {
        Self {
            folder: format!("/proc/{pid}").into(),
            threads: BTreeMap::new(),
        }
    }

    /// Returns its CPU time so far.
    pub fn cpu(&mut self) -> anyhow::Result<Duration> {
        let threads = self.folder.join("task");
        for thread in fs::read_dir(&threads).context("the process has ended")? {
            let thread = thread?.path();
            // A thread that has just ended has no file.
            let Ok(statistics) = fs::read_to_string(thread.join("schedstat")) else {
                continue;
            };
            let nanos = statistics.split(' ').next().unwrap_or_default();
            let nanos = nanos
                .parse()
                .with_context(|| format!("{} has no time", thread.display()))?;
            self.threads
                .insert(thread.to_string_lossy().into_owned(), nanos);
        }
        Ok(Duration::from_nanos(self.threads.values().sum()))
    }

    /// Waits until it uses no more CPU time, and returns its usage: a runtime cleans up after it has answered.
    pub async fn at_rest(&mut self) -> anyhow::Result<Duration> {
        let (mut before, mut quiet) = (self.cpu()?, 0);
        for _ in 0..MOST_GLANCES {
            sleep(GLANCE).await;
            let now = self.cpu()?;
            quiet = if now == before { quiet + 1 } else { 0 };
            if quiet == QUIET_GLANCES {
                break;
            }
            before = now;
        }
        Ok(before)
    }

    /// Returns its resident memory in bytes, including shared pages.
    pub fn resident(&self) -> anyhow::Result<u64> {
        // Unlike `status`, which can lag by some hundred KiB, this counts pages.
        let path = self.folder.join("smaps_rollup");
        let path = path.display();
        let rollup =
            fs::read_to_string(path.to_string()).with_context(|| format!("cannot read {path}"))?;
        let kibibytes = rollup.lines().find_map(|line| line.strip_prefix("Rss:"));
        let kibibytes = kibibytes.and_then(|rest| rest.trim().strip_suffix(" kB"));
        let kibibytes: u64 = kibibytes
            .with_context(|| format!("{path} has no Rss"))?
            .parse()?;
        Ok(kibibytes * 1024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_used_time_and_memory() -> anyhow::Result<()> {
        let mut usage = Usage::of(std::process::id());
        let before = usage.cpu()?;
        while usage.cpu()? == before {}
        assert!(usage.resident()? > 100_000);
        Ok(())
    }
}
