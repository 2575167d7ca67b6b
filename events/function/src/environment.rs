//! Reads the environment's variables.

use anyhow::{Context, Result, bail, ensure};
use std::{env, str::FromStr, time::Duration};

/// Reads a mandatory variable.
pub fn required(name: &str) -> Result<String> {
    let value = env::var(name)
        .with_context(|| format!("the environment variable {name} is missing or not UTF-8"))?;
    let is_blank = value.trim().is_empty();
    ensure!(!is_blank, "the environment variable {name} is empty");
    // CloudFormation resolves references at deployment. An unresolved one would be a secret that anyone can read in the
    // template.
    let is_reference = value.contains("{{resolve:");
    ensure!(
        !is_reference,
        "the environment variable {name} holds a reference that was not resolved"
    );
    Ok(value)
}

/// Reads a variable that may be missing or empty.
pub fn optional(name: &str) -> Result<Option<String>> {
    let is_there = env::var_os(name).is_some_and(|value| !value.is_empty());
    is_there.then(|| required(name)).transpose()
}

/// Reads a variable that must be a number.
pub fn number<T: FromStr>(name: &str) -> Result<T> {
    let number = required(name)?.parse().ok();
    number.with_context(|| format!("the environment variable {name} is not a number"))
}

/// Reads a variable that must be a number of seconds.
pub fn seconds(name: &str) -> Result<Duration> {
    number(name).map(Duration::from_secs)
}

/// Reads `KEEP_DAYS`: how long an order's row is kept after its outcome. None, for ever, if it is 0.
pub fn keep() -> Result<Option<Duration>> {
    Ok(days(number("KEEP_DAYS")?))
}

fn days(days: u32) -> Option<Duration> {
    (days > 0).then(|| Duration::from_hours(24 * u64::from(days)))
}

/// Reads a variable that is `true` or `false`; None if it is missing or empty. `variable` reads it as [`optional`] does.
pub fn switch(
    name: &str,
    variable: impl Fn(&str) -> Result<Option<String>>,
) -> Result<Option<bool>> {
    let text = variable(name)?.unwrap_or_default();
    match &*text.to_ascii_lowercase() {
        "" => Ok(None),
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        _ => bail!("the environment variable {name} is neither true nor false"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_kept_for_days() {
        let hours = |n| days(n).map(|keep| keep.as_secs() / 3600);
        assert_eq!([0, 1, 400].map(hours), [None, Some(24), Some(9600)]);
    }
}
