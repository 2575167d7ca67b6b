//! What the figures were taken on, and how busy it was.

use std::{env, fs, thread, time::SystemTime};

use events::Timestamp;
use tokio::process::Command;

/// CPU, cores, kernel, toolchain and day, in one line.
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
    let now = Timestamp::try_from(SystemTime::now()).map(|now| now.to_string());
    let now = now.unwrap_or_default();
    let day = now.split('T').next().unwrap_or_default();
    format!(
        "{model}, {cores} cores; Linux {}; {rustc}; {day}",
        kernel.trim()
    )
}

/// The load average of the last minute, five and fifteen minutes.
pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}
