//! Trace ids in X-Ray's header. Traces aren't collected here, only passed on.

use axum::http::HeaderMap;
use std::{
    fmt::{self, Display, Formatter},
    time::{SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

/// The header of a request.
pub const HEADER: &str = "x-amzn-trace-id";

/// A trace, and the caller's place in it: `Root=1-XXXXXXXX-XXXXXXXXXXXXXXXXXXXXXXXX;Parent=XXXXXXXXXXXXXXXX;Sampled=0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    root: String,
    parent: Option<String>,
    sampled: Option<bool>,
}

impl Trace {
    /// Starts a trace.
    pub fn begin() -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            root: format!("1-{:08x}-{}", now.as_secs(), random(24)),
            parent: None,
            sampled: None,
        }
    }

    /// Parses a header; `None` if it has no root, or is malformed.
    pub fn read(header: &str) -> Option<Self> {
        let member = |name| {
            let mut members = header
                .split(';')
                .filter_map(|member| member.split_once('='));
            members.find(|(key, _)| key.trim() == name)
        };
        let (_, root) = member("Root")?;
        let [version, time, id] = root.split('-').collect::<Vec<_>>()[..] else {
            return None;
        };
        let is_root = version == "1" && is_hex(time, 8) && is_hex(id, 24);
        is_root.then(|| Self {
            root: root.to_owned(),
            parent: member("Parent")
                .filter(|(_, parent)| is_hex(parent, 16))
                .map(|(_, parent)| parent.to_owned()),
            sampled: member("Sampled").map(|(_, sampled)| sampled == "1"),
        })
    }

    /// The trace in a request's headers.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        Self::read(headers.get(HEADER)?.to_str().ok()?)
    }

    /// The header that Lambda passes to a function: sampled only if the caller says so.
    #[must_use]
    pub fn of_invocation(self) -> Self {
        Self {
            parent: self.parent.or_else(|| Some(random(16))),
            sampled: self.sampled.or(Some(false)),
            ..self
        }
    }
}

impl Display for Trace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Root={}", self.root)?;
        if let Some(parent) = &self.parent {
            write!(f, ";Parent={parent}")?;
        }
        match self.sampled {
            Some(sampled) => write!(f, ";Sampled={}", u8::from(sampled)),
            None => Ok(()),
        }
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn random(digits: usize) -> String {
    let mut random = Uuid::new_v4().simple().to_string();
    random.truncate(digits);
    random
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";

    #[test]
    fn a_function_gets_its_callers_trace() {
        for (given, passed) in [
            (
                format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=1"),
                format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=1"),
            ),
            (
                format!("Self=1-0-0;{ROOT};Parent=53995c3f42cd8ad8"),
                format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=0"),
            ),
        ] {
            let trace = Trace::read(&given).map(Trace::of_invocation);
            assert_eq!(
                trace.map(|trace| trace.to_string()),
                Some(passed),
                "{given}"
            );
        }
        let begun = Trace::begin();
        assert_eq!(Trace::read(&begun.to_string()), Some(begun));
        let passed = Trace::begin().of_invocation().to_string();
        assert!(
            passed.ends_with(";Sampled=0") && passed.contains(";Parent="),
            "{passed}"
        );
    }

    #[test]
    fn a_malformed_trace_is_none() {
        for header in [
            "",
            "Parent=53995c3f42cd8ad8",
            "Root=1-2-3",
            "Root=2-5759e988-bd862e3fe1be46a994272793",
            "Root=1-5759e988-bd862e3fe1be46a99427279g",
            "Root=1-5759e988-bd862e3fe1be46a994272793-1",
        ] {
            assert_eq!(Trace::read(header), None, "{header}");
        }
    }
}
