//! Kills the functions' processes on demand, for a call or an interval.

use super::injection::scaled;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use uuid::Uuid;

/// Every running process, by the session token that signs its calls.
#[derive(Debug, Default)]
pub(crate) struct Processes(Mutex<BTreeMap<String, Process>>);

#[derive(Debug)]
struct Process {
    function: String,
    works: bool,
    kill: UnboundedSender<()>,
}

/// A process's own end, which receives the order to kill it. Dropped with the process.
#[derive(Debug)]
pub(crate) struct Switch {
    pub(crate) token: String,
    processes: Arc<Processes>,
    killed: UnboundedReceiver<()>,
}

impl Processes {
    pub(crate) fn register(self: &Arc<Self>, function: &str) -> Switch {
        let token = Uuid::new_v4().to_string();
        let (kill, killed) = unbounded_channel();
        let process = Process {
            function: function.to_owned(),
            works: false,
            kill,
        };
        self.locked().insert(token.clone(), process);
        Switch {
            token,
            processes: self.clone(),
            killed,
        }
    }

    /// Kills the process with this token; returns whether there is one.
    pub(crate) fn kill(&self, token: &str) -> bool {
        let processes = self.locked();
        let process = processes.get(token);
        process.is_some_and(|process| process.kill.send(()).is_ok())
    }

    /// Kills one of the processes that are busy with an invocation of this function, or of any; `dice` chooses. Returns the
    /// function's name.
    pub(super) fn kill_any(&self, function: Option<&str>, dice: f64) -> Option<String> {
        let processes = self.locked();
        let working: Vec<_> = processes
            .values()
            .filter(|process| process.works && function.is_none_or(|name| name == process.function))
            .collect();
        let process = working.get(scaled(working.len(), dice))?;
        let sent = process.kill.send(());
        sent.is_ok().then(|| process.function.clone())
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, Process>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Switch {
    /// Completes when the process must be killed.
    pub(crate) async fn killed(&mut self) {
        // The sender goes away only with this switch.
        if self.killed.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// Records whether the process is busy with an invocation. A kill order from the last invocation doesn't apply to the
    /// next.
    pub(crate) fn works(&mut self, works: bool) {
        while works && self.killed.try_recv().is_ok() {}
        if let Some(process) = self.processes.locked().get_mut(&self.token) {
            process.works = works;
        }
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.processes.locked().remove(&self.token);
    }
}
