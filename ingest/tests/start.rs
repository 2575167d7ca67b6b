//! The start of the functions: what keeps one from starting is one line of the log.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::{fs, process::Command};

/// A root certificate, Amazon Root CA 3.
const ROOT: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBtjCCAVugAwIBAgITBmyf1XSXNmY/Owua2eiedgPySjAKBggqhkjOPQQDAjA5\n\
MQswCQYDVQQGEwJVUzEPMA0GA1UEChMGQW1hem9uMRkwFwYDVQQDExBBbWF6b24g\n\
Um9vdCBDQSAzMB4XDTE1MDUyNjAwMDAwMFoXDTQwMDUyNjAwMDAwMFowOTELMAkG\n\
A1UEBhMCVVMxDzANBgNVBAoTBkFtYXpvbjEZMBcGA1UEAxMQQW1hem9uIFJvb3Qg\n\
Q0EgMzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCmXp8ZBf8ANm+gBG1bG8lKl\n\
ui2yEujSLtf6ycXYqm0fc4E7O5hrOXwzpcVOho6AF2hiRVd9RFgdszflZwjrZt6j\n\
QjBAMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgGGMB0GA1UdDgQWBBSr\n\
ttvXBp43rDCGB5Fwx5zEGbF4wDAKBggqhkjOPQQDAgNJADBGAiEA4IWSoxe3jfkr\n\
BqWTrBqYaGFy+uGh0PsceGCmQ5nFuMQCIQCcAu/xlJyzlvnrxir4tiz+OpAUFteM\n\
YyRIHN8wfdVoOw==\n\
-----END CERTIFICATE-----\n";

const FUNCTIONS: [&str; 2] = [env!("CARGO_BIN_EXE_ingest"), env!("CARGO_BIN_EXE_status")];

/// The environment that Lambda and the template make.
const ENVIRONMENT: [(&str, &str); 13] = [
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ACCESS_KEY_ID", "a"),
    ("AWS_SECRET_ACCESS_KEY", "b"),
    ("AWS_LAMBDA_FUNCTION_NAME", "f"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "g"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "s"),
    // Nobody listens there, so a function that gets that far ends, too.
    ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"),
    ("QUEUE_URL", "http://127.0.0.1:1/orders"),
    ("ORDERS_TABLE", "orders"),
    ("STATUS_REQUESTS_PER_SECOND", "1000"),
    ("ORDER_ID_SECRET", "development-secret-not-for-production"),
];

/// Starts a function with these variables instead of the good ones, or without them; gives the error of its one line.
fn start(function: &str, changed: &[(&str, Option<&str>)]) -> Result<String> {
    let mut command = Command::new(function);
    command.env_clear().envs(ENVIRONMENT);
    for (name, value) in changed {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.output()?;
    let (out, err) = (
        String::from_utf8(output.stdout)?,
        String::from_utf8(output.stderr)?,
    );
    ensure!(!output.status.success(), "it has started: {out}");
    ensure!(err.is_empty() && out.lines().count() == 1, "{out}{err}");
    let line: Value = serde_json::from_str(&out)?;
    ensure!(
        line["level"] == "ERROR" && line["message"] == "the function could not start",
        "{line}"
    );
    ensure!(line["timestamp"].is_string(), "{line}");
    Ok(line["error"].as_str().context("no error")?.to_owned())
}

#[test]
fn a_function_that_cannot_start_says_why_in_one_line() -> Result<()> {
    let check = |name: &str, value: Option<&str>, part: &str| {
        for function in FUNCTIONS {
            let error = start(function, &[(name, value)])?;
            ensure!(
                error.contains(name) && error.contains(part),
                "{function}: {error}"
            );
            let quoted = value.filter(|value| value.contains("private"));
            ensure!(
                !quoted.is_some_and(|value| error.contains(value)),
                "{error}"
            );
        }
        Ok(())
    };
    check("ORDER_ID_SECRET", None, "missing")?;
    check("ORDER_ID_SECRET", Some("private"), "at least 32")?;
    let blank = " \t".repeat(32);
    for name in [
        "ORDER_ID_SECRET",
        "ORDER_ID_SECRET_NEXT",
        "ORDER_ID_SECRET_PREVIOUS",
    ] {
        check(name, Some(&blank), "empty")?;
        for reference in [
            "{{resolve:secretsmanager:private-of-the-order-intake-stack}}",
            " {{resolve:ssm-secure:/private-of-the-order-intake-stack:1}}",
            "private-and-{{resolve:secretsmanager:arn:aws:secretsmanager:a:b}}",
        ] {
            check(name, Some(reference), "resolved")?;
        }
    }
    check("AWS_REGION", None, "missing")?;
    for number in ["many", "0", "-1", "inf", "NaN"] {
        check(
            "STATUS_REQUESTS_PER_SECOND",
            Some(number),
            "no number above zero",
        )?;
    }
    check("AWS_SECRET_ACCESS_KEY", Some(""), "empty")?;
    for name in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
        check(name, Some("yes"), "neither true nor false")?;
    }
    check("AWS_CA_BUNDLE", Some("/nowhere/roots.pem"), "cannot use")?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("roots.pem");
    let path = file.to_str().context("a path is text")?;
    let named = |base64: &str| {
        format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
    };
    // One that is good doesn't help one that isn't.
    for bad in [
        String::new(),
        "none".to_owned(),
        ROOT[..300].to_owned(),
        ROOT.to_owned() + &named("!!"),
        named("AAAA") + ROOT,
    ] {
        fs::write(&file, bad)?;
        check("AWS_CA_BUNDLE", Some(path), "cannot use")?;
    }
    Ok(())
}

#[test]
fn no_service_at_an_address_of_its_own_has_a_fips_endpoint() -> Result<()> {
    for name in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
        for function in FUNCTIONS {
            let both = [
                (name, Some("true")),
                ("AWS_ENDPOINT_URL", Some("http://127.0.0.1:1")),
            ];
            let error = start(function, &both)?;
            ensure!(error.contains("exclude each other"), "{error}");
        }
    }
    Ok(())
}

#[test]
fn a_function_starts_with_what_is_allowed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("roots.pem");
    fs::write(&file, ROOT)?;
    for changed in [
        ("AWS_CA_BUNDLE", file.to_str().context("a path is text")?),
        ("AWS_CA_BUNDLE", ""),
        ("AWS_USE_FIPS_ENDPOINT", "True"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "false"),
        ("AWS_USE_FIPS_ENDPOINT", ""),
    ] {
        for function in FUNCTIONS {
            let error = start(function, &[(changed.0, Some(changed.1))])?;
            // It got as far as the Runtime API.
            ensure!(
                !error.contains("AWS_") && !error.contains("environment"),
                "{changed:?}: {error}"
            );
        }
    }
    Ok(())
}
