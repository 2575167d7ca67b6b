//! Runs `template.yaml` on this machine until Ctrl-C or SIGTERM.

use clap::Parser;
use local::{
    cloud::Cloud,
    options::Options,
    terminal::{note, print},
    welcome::Welcome,
};
use std::process::ExitCode;
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
};

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async {
        select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    };
    tokio::pin!(stop);
    let cloud = select! {
        cloud = Cloud::start(options, note) => cloud?,
        () = &mut stop => return Ok(()),
    };
    print(&Welcome(&cloud).to_string());
    stop.await;
    if options.faults.is_some() {
        print(&format!(
            "\nFaults that were injected:\n{}",
            cloud.faults().tally()
        ));
    }
    cloud.stop().await;
    Ok(())
}
