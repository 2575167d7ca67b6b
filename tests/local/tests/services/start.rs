//! The start of the functions, in the environment that the template defines: what keeps one from starting is one line of the
//! log.

use anyhow::{Context, Result, ensure};
use local::{
    functions,
    template::{
        self,
        model::{Place, REGION, Stack},
    },
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use tokio::process::Command;

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

/// The functions of this repository.
struct Functions {
    stack: Stack,
    executables: BTreeMap<String, PathBuf>,
}

impl Functions {
    async fn build() -> Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let nowhere = Place {
            api: "http://127.0.0.1:1".to_owned(),
            services: "http://127.0.0.1:1".to_owned(),
        };
        let template = folder.join("template.yaml");
        let secret = |_: &str| "development-secret-not-for-production".to_owned();
        let bus = [("OutcomeBus".to_owned(), "orders".to_owned())];
        let stack = template::load(&template, &bus.into(), &nowhere, &mut { secret })?;
        let executables = functions::build(&folder, &stack.functions, false).await?;
        Ok(Self { stack, executables })
    }

    /// Starts each function that has these variables, with these values instead of the good ones, or without them. Returns the
    /// error of its one line.
    async fn start(&self, changed: &[(&str, Option<&str>)]) -> Result<Vec<String>> {
        let mut errors = Vec::new();
        for (id, function) in &self.stack.functions {
            let is_its_own =
                |name: &str| name.starts_with("AWS_") || function.environment.contains_key(name);
            if !changed
                .iter()
                .all(|(name, _)| is_its_own(name) || is_optional(name, id))
            {
                continue;
            }
            let mut command = Command::new(&self.executables[id]);
            command.env_clear().envs(&function.environment).envs([
                ("AWS_REGION", REGION),
                ("AWS_ACCESS_KEY_ID", "a"),
                ("AWS_SECRET_ACCESS_KEY", "b"),
                ("AWS_LAMBDA_FUNCTION_NAME", "f"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
                ("AWS_LAMBDA_LOG_GROUP_NAME", "g"),
                ("AWS_LAMBDA_LOG_STREAM_NAME", "s"),
                // Nothing listens there, so a function that gets that far ends, too.
                ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"),
            ]);
            for (name, value) in changed {
                match value {
                    Some(value) => command.env(name, value),
                    None => command.env_remove(name),
                };
            }
            let output = command.output().await?;
            let out = String::from_utf8(output.stdout)?;
            let err = String::from_utf8(output.stderr)?;
            ensure!(!output.status.success(), "{id} has started: {out}");
            ensure!(
                err.is_empty() && out.lines().count() == 1,
                "{id}: {out}{err}"
            );
            let line: Value = serde_json::from_str(&out)?;
            ensure!(
                line["level"] == "ERROR" && line["timestamp"].is_string(),
                "{line}"
            );
            ensure!(line["message"] == "the function could not start", "{line}");
            errors.push(line["error"].as_str().context("no error")?.to_owned());
        }
        ensure!(!errors.is_empty(), "no function has {changed:?}");
        Ok(errors)
    }

    /// Checks that no function that has the variable starts with this value, and that its error names the variable, contains
    /// `part`, and doesn't repeat private values.
    async fn check(&self, name: &str, value: Option<&str>, part: &str) -> Result<()> {
        for error in self.start(&[(name, value)]).await? {
            ensure!(
                error.contains(name) && error.contains(part),
                "{name}: {error}"
            );
            let private = value.filter(|value| value.contains("private"));
            ensure!(
                !private.is_some_and(|value| error.contains(value)),
                "{error}"
            );
        }
        Ok(())
    }
}

/// The secrets of a rotation exist only while it lasts.
fn is_optional(name: &str, function: &str) -> bool {
    name.starts_with("ORDER_ID_SECRET_") && function != "ProcessFunction"
}

#[tokio::test]
async fn a_function_that_cannot_start_says_why_in_one_line() -> Result<()> {
    let functions = Functions::build().await?;
    let names: Vec<_> = functions
        .stack
        .functions
        .values()
        .flat_map(|function| function.environment.keys().cloned())
        .collect();
    ensure!(names.len() >= 10, "{names:?}");
    for name in names
        .iter()
        .map(String::as_str)
        .chain(["AWS_REGION", "AWS_SECRET_ACCESS_KEY"])
    {
        let is_optional = ["OUTCOME_BUS", "ROLE_SESSIONS_ARE_CLIENTS"].contains(&name);
        if !is_optional {
            functions.check(name, None, "missing").await?;
        }
        functions.check(name, Some(" \t"), "empty").await?;
        functions
            .check(name, Some("{{resolve:ssm:/private}}"), "resolved")
            .await?;
    }
    functions
        .check("ORDER_ID_SECRET", Some("private"), "at least 32")
        .await?;
    let blank = " \t".repeat(32);
    for name in [
        "ORDER_ID_SECRET",
        "ORDER_ID_SECRET_NEXT",
        "ORDER_ID_SECRET_PREVIOUS",
    ] {
        functions.check(name, Some(&blank), "empty").await?;
        for reference in [
            "{{resolve:secretsmanager:private-of-the-order-intake-stack}}",
            " {{resolve:ssm-secure:/private-of-the-order-intake-stack:1}}",
            "private-and-{{resolve:secretsmanager:arn:aws:secretsmanager:a:b}}",
        ] {
            functions.check(name, Some(reference), "resolved").await?;
        }
    }
    for name in ["RETRY_BASE_SECONDS", "KEEP_DAYS", "PROCESS_TIMEOUT_SECONDS"] {
        functions.check(name, Some("five"), "not a number").await?;
    }
    for name in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
        functions
            .check(name, Some("yes"), "neither true nor false")
            .await?;
        let both = [
            (name, Some("true")),
            ("AWS_ENDPOINT_URL", Some("http://127.0.0.1:1")),
        ];
        for error in functions.start(&both).await? {
            ensure!(error.contains("exclude each other"), "{error}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn all_functions_trust_the_same() -> Result<()> {
    let functions = Functions::build().await?;
    functions
        .check("AWS_CA_BUNDLE", Some("/nowhere/roots.pem"), "cannot use")
        .await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("roots.pem");
    let path = file.to_str().context("a path is text")?;
    let named = |base64: &str| {
        format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
    };
    // A good certificate doesn't make up for a bad one.
    for bad in [
        String::new(),
        "none".to_owned(),
        ROOT[..300].to_owned(),
        ROOT.to_owned() + &named("!!"),
        named("AAAA") + ROOT,
    ] {
        fs::write(&file, bad)?;
        functions
            .check("AWS_CA_BUNDLE", Some(path), "cannot use")
            .await?;
    }
    fs::write(&file, ROOT)?;
    for (name, value) in [
        ("AWS_CA_BUNDLE", path),
        ("AWS_CA_BUNDLE", ""),
        ("AWS_USE_FIPS_ENDPOINT", "True"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "false"),
        ("AWS_USE_FIPS_ENDPOINT", ""),
    ] {
        let errors = functions.start(&[(name, Some(value))]).await?;
        ensure!(
            errors.len() == functions.stack.functions.len(),
            "{errors:?}"
        );
        // The functions got as far as the Runtime API.
        let is_ours = |error: &String| error.contains("AWS_") || error.contains("environment");
        ensure!(!errors.iter().any(is_ours), "{name} is {value}: {errors:?}");
    }
    Ok(())
}
