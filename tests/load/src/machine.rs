//! Describes the machine on which figures are taken, and watches its load.

use events::Timestamp;
use std::{env, fs, thread, time::SystemTime};
use tokio::process::Command;

/// Describes CPU, cores, kernel, toolchain and date, in one line.
pub async fn description() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(": "))
        .map_or(env::consts::ARCH, |(_, model)| model.trim());
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let rustc = match Command::new("rustc").arg("--version").output().await {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(error) => format!("rustc: {error}"),
    };
    let now = Timestamp::from(SystemTime::now()).to_string();
    let day = now.split('T').next().unwrap_or_default();
    format!(
        "{model}, {cores} cores; Linux {}; {rustc}; {day}",
        kernel.trim()
    )
}

/// Watches the machine's load.
#[derive(Debug)]
pub struct Watch {
    load: String,
    times: String,
}

impl Watch {
    pub fn start() -> Self {
        Self {
            load: load(),
            times: times(),
        }
    }

    /// Describes the load so far: figures mean little if other guests of the host took much of the CPU time.
    pub fn says(&self) -> String {
        let stolen = stolen(&self.times, &times());
        let stolen = stolen.map_or_else(String::new, |share| {
            format!(
                "; of the CPU time that it wanted, {:.1}% went to others on its host",
                100.0 * share
            )
        });
        format!(
            "load average {} before, {} after{stolen}",
            self.load,
            load()
        )
    }
}

fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}

fn times() -> String {
    fs::read_to_string("/proc/stat").unwrap_or_default()
}

/// The steal share: of the time with work to do, the share that a hypervisor gave to other guests. Computed from the first
/// line of `/proc/stat`, `cpu user nice system idle iowait irq softirq steal`, see proc(5).
fn stolen(before: &str, after: &str) -> Option<f64> {
    let parse = |stat: &str| {
        let fields = stat.lines().next()?.split_whitespace().skip(1).take(8);
        let times: Vec<f64> = fields.map(str::parse).collect::<Result<_, _>>().ok()?;
        <[f64; 8]>::try_from(times).ok()
    };
    let (before, after) = (parse(before)?, parse(after)?);
    let spent = |field: usize| after[field] - before[field];
    let steal = spent(7);
    let busy: f64 = [0, 1, 2, 5, 6].map(spent).iter().sum();
    (busy + steal > 0.0).then(|| steal / (busy + steal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_takes_is_a_share_of_what_is_wanted() {
        let before = "cpu  100 10 50 9000 7 1 2 20 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        let after = "cpu  130 10 60 9900 9 1 2 60 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(stolen(before, after), Some(0.5));
        assert_eq!(stolen(before, before), None);
        assert_eq!(stolen("", after), None);
        assert_eq!(stolen("cpu  1 2 3", after), None);
    }
}
