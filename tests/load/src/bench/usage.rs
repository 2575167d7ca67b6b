//! What a process has used so far: its CPU clock, which counts nanoseconds of all its threads, those that ended
//! included, and its memory.

use std::{fs, time::Duration};

use anyhow::Context;
use nix::{time::ClockId, unistd::Pid};
use tokio::time::sleep;

/// How often a process is looked at while it comes to rest.
const GLANCE: Duration = Duration::from_millis(2);
/// It rests when so many glances see no work: longer than a quota keeps a process waiting.
const QUIET_GLANCES: usize = 12;
/// Glances after which a process that does not come to rest is taken as it is.
const MOST_GLANCES: usize = 500;

/// A process that is measured.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pid: u32,
    clock: ClockId,
}

impl Usage {
    /// Of the process with this id.
    pub fn of(pid: u32) -> anyhow::Result<Usage> {
        let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(pid)?))?;
        Ok(Usage { pid, clock })
    }

    /// The CPU time that it has used.
    pub fn cpu(self) -> anyhow::Result<Duration> {
        let time = self.clock.now().context("the process has ended")?;
        Ok(time.into())
    }

    /// Waits until it uses no more CPU time: a runtime tidies up after it has answered. Gives what it has used.
    pub async fn at_rest(self) -> anyhow::Result<Duration> {
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

    /// Bytes of memory that it has resident, the pages that it shares with others included.
    pub fn resident(self) -> anyhow::Result<u64> {
        // Unlike `status`, which may be some hundred KiB late, this counts pages.
        let path = format!("/proc/{}/smaps_rollup", self.pid);
        let rollup = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
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
        let usage = Usage::of(std::process::id())?;
        let before = usage.cpu()?;
        while usage.cpu()? == before {}
        assert!(usage.resident()? > 100_000);
        Ok(())
    }
}
