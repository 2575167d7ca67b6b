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
            "`drop` asks, and stdin is no terminal: --yes drops without a question"
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

/// The first Ctrl-C, SIGTERM or SIGHUP asks for an end, the second is one.
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
                "\nEnding after this page. Ctrl-C again ends at once, and what was read stays hidden for {} minutes or more.",
                VISIBILITY.as_secs() / 60
            );
        }
    });
    Ok(Stop::new(wanted))
}

/// Asks for a yes. Ctrl-C is a no.
async fn ask(console: &mut Console, question: &str, stop: &Stop) -> Result<bool> {
    console.ask(format_args!("{question} [y/N] "))?;
    let (answer, answered) = oneshot::channel();
    // In a thread that nobody waits for: a read from a terminal can't be given up.
    thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line);
        let is_yes = ["y", "yes"].contains(&line.trim().to_lowercase().as_str());
        // Nobody listens after Ctrl-C.
        answer.send(read.is_ok() && is_yes).ok();
    });
    select! {
        answer = answered => Ok(answer.unwrap_or(false)),
        () = stop.wanted() => Ok(false),
    }
}
