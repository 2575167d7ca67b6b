//! Limits a process to the CPU of a 128 MB function, with a cgroup.

use anyhow::bail;
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process,
};

/// Lambda assigns one CPU to 1,769 MB, and other sizes in proportion:
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
const MEGABYTES_OF_ONE_CPU: u64 = 1769;
const MEGABYTES: u64 = 128;
/// The cgroup period: on Lambda a function can stand still for up to 20 ms at a time.
const PERIOD_MICROS: u64 = 20_000;
/// CPU time of one period.
const QUOTA_MICROS: u64 = PERIOD_MICROS * MEGABYTES / MEGABYTES_OF_ONE_CPU;

/// The mount points of the CPU controller: version 1 of cgroups, and version 2.
const ROOTS: [&str; 2] = ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup"];

/// A group of processes that share the CPU of one such function. Dropping it removes the group.
#[derive(Debug)]
pub struct Quota {
    folder: PathBuf,
}

impl Quota {
    /// Makes the group; the error says why this machine can't have one.
    pub fn new() -> anyhow::Result<Self> {
        let mut refusals = Vec::new();
        for root in ROOTS.map(Path::new) {
            if !root.exists() {
                continue;
            }
            let folder = root.join(format!("order-intake-bench-{}", process::id()));
            match limit(&folder) {
                Ok(()) => return Ok(Self { folder }),
                Err(error) => {
                    drop(fs::remove_dir(&folder));
                    refusals.push(format!("{}: {error}", folder.display()));
                }
            }
        }
        bail!(
            "no cgroup can be limited here ({}); run as root, on a machine with cgroups",
            refusals.join("; ")
        );
    }

    /// The words that start a command within the group when put before it.
    pub fn wrapper(&self) -> Vec<OsString> {
        let script = "echo $$ >\"$0\" && exec \"$@\"";
        let mut words: Vec<OsString> = ["/bin/sh", "-c", script].map(Into::into).into();
        words.push(self.folder.join("cgroup.procs").into());
        words
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        // The folder stays if a process is left in it.
        drop(fs::remove_dir(&self.folder));
    }
}

fn limit(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)?;
    if folder.join("cpu.cfs_quota_us").exists() {
        fs::write(folder.join("cpu.cfs_period_us"), PERIOD_MICROS.to_string())?;
        fs::write(folder.join("cpu.cfs_quota_us"), QUOTA_MICROS.to_string())
    } else {
        fs::write(
            folder.join("cpu.max"),
            format!("{QUOTA_MICROS} {PERIOD_MICROS}"),
        )
    }
}
