//! Lists, shows, redrives and drops dead letters.

use anyhow::{Result, ensure};
use clap::Parser;
use dead_letters::{
    aws::{Names, connect},
    console::{Console, visible},
    dropping::drop_letters,
    list::list,
    options::{Command, Options},
    queues::VISIBILITY,
    redrive::redrive,
    show::show,
    stop::{End, Stop},
    view::Shown,
};
use std::{
    env,
    io::{self, IsTerminal, Write},
    process::{ExitCode, exit},
    thread,
    time::SystemTime,
};
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
    sync::{oneshot, watch},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(end) => end.into(),
        Err(error) => {
            eprintln!("error: {}", visible(format_args!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<End> {
    let names = Names::of(&options.target, |name| env::var(name).ok())?;
    if let Command::Drop { yes: false, .. } = options.command {
        ensure!(
            io::stdin().is_terminal(),
            "`drop` asks for confirmation, but stdin is not a terminal: use --yes to drop without asking"
        );
    }
    let stop = interrupts()?;
    let mut console = Console::standard();
    let console = &mut console;
    console.note(format_args!("{}", names.dead_letters))?;
    let stack = connect(&options.target, names).await;
    let now = SystemTime::now().into();
    match options.command {
        Command::List { clients } => {
            let shown = Shown {
                clients,
                order: false,
            };
            list(&stack, &stop, shown, now, console).await
        }
        Command::Show { id, clients, order } => {
            show(&stack, &stop, &id, Shown { clients, order }, now, console).await
        }
        Command::Redrive { filters, dry_run } => {
            redrive(&stack, &stop, &filters.into(), dry_run, console).await
        }
        Command::Drop { id, yes } => {
            let confirm = async |console: &mut Console, question: &str| {
                Ok(yes || ask(console, question, &stop).await?)
            };
            drop_letters(&stack, &stop, &id, now, console, confirm).await
        }
    }
}

/// Handles Ctrl-C, SIGTERM and SIGHUP: the first asks for an orderly end, the second ends the process.
fn interrupts() -> Result<Stop> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let (want, wanted) = watch::channel(false);
    tokio::spawn(async move {
        loop {
            select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {}, _ = hangup.recv() => {} }
            if want.send_replace(true) {
                exit(130);
            }
            // `eprintln!` would panic if the terminal is gone.
            let _gone = writeln!(
                io::stderr(),
                "\nEnding after this page. Press Ctrl-C again to end at once; then what was read stays hidden for {} minutes or more.",
                VISIBILITY.as_secs() / 60
            );
        }
    });
    Ok(Stop::new(wanted))
}

/// Asks for a yes. Ctrl-C counts as no.
async fn ask(console: &mut Console, question: &str, stop: &Stop) -> Result<bool> {
    console.ask(format_args!("{question} [y/N] "))?;
    let (answer, answered) = oneshot::channel();
    // A thread of its own, which is never joined: a read from a terminal can't be cancelled.
    thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line);
        let is_yes = ["y", "yes"].contains(&line.trim().to_lowercase().as_str());
        // After Ctrl-C the receiver is gone.
        answer.send(read.is_ok() && is_yes).ok();
    });
    select! {
        answer = answered => Ok(answer.unwrap_or(false)),
        () = stop.wanted() => Ok(false),
    }
}
