//! An answer of the API.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// The body.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {self:?}"))
    }

    /// The result of each order of a batch request.
    pub fn results(&self) -> Result<Vec<Value>> {
        let body = self.json()?;
        let results = body["results"].as_array().cloned();
        let results = results.with_context(|| format!("no results: {self:?}"))?;
        let accepted = results.iter().filter(|result| result["status"] == 202);
        ensure!(body["accepted"] == accepted.count(), "{body}");
        Ok(results)
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Checks that this is a problem with this status (RFC 9457), and returns it.
    pub fn problem(&self, status: u16) -> Result<Value> {
        ensure!(
            self.status.as_u16() == status,
            "expected {status}: {self:?}"
        );
        ensure!(
            self.header("content-type") == Some("application/problem+json"),
            "{self:?}"
        );
        let problem = self.json()?;
        ensure!(problem["status"] == status, "{problem}");
        for member in ["type", "title", "detail"] {
            ensure!(
                problem[member]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "no {member}: {problem}"
            );
        }
        Ok(problem)
    }
}
