//! The real binary finds region, credentials and endpoint like AWS's tools.

use anyhow::{Context, Result};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    process::Command,
    sync::mpsc,
    thread,
};

const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "environments"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
];

/// Stands for the service's address in arguments and variables.
const SERVICE: &str = "SERVICE";
/// An address where no service listens.
const NOWHERE: &str = "http://127.0.0.1:1";

/// Returns the access key and the region with which the tool signs its first call. By default the call goes to [`SERVICE`].
/// The profile `ops` has both.
fn signed_with(arguments: &[&str], variables: &[(&str, &str)]) -> Result<String> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", server.local_addr()?);
    let (report, reported) = mpsc::channel();
    thread::spawn(move || {
        let (mut stream, _) = server.accept()?;
        let lines = BufReader::new(stream.try_clone()?).lines();
        let signature = lines
            .map_while(Result::ok)
            .find(|line| line.starts_with("authorization: "));
        report.send(signature)?;
        // The tool gives up.
        stream.write_all(
            b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
        )?;
        anyhow::Ok(())
    });

    let folder = tempfile::tempdir()?;
    let (config, credentials) = (folder.path().join("config"), folder.path().join("keys"));
    fs::write(&config, "[profile ops]\nregion = eu-west-3\n")?;
    fs::write(
        &credentials,
        "[ops]\naws_access_key_id = profiles\naws_secret_access_key = secret\n",
    )?;
    let given = |text: &str| text.replace(SERVICE, &address);
    let output = Command::new(env!("CARGO_BIN_EXE_dead-letters"))
        .args(arguments.iter().map(|argument| given(argument)))
        .env_clear()
        .env("AWS_CONFIG_FILE", config)
        .env("AWS_SHARED_CREDENTIALS_FILE", credentials)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ENDPOINT_URL", &address)
        .env("ORDERS_DEAD_LETTER_QUEUE_URL", "https://d")
        .env("ORDERS_QUEUE_URL", "https://q")
        .env("ORDERS_TABLE", "orders")
        .envs(variables.iter().map(|(name, value)| (name, given(value))))
        .output()?;
    let signature = reported.try_recv().ok().flatten();
    let signature = signature.with_context(|| format!("no call: {output:?}"))?;
    // authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/sqs/aws4_request, …
    let (_, scope) = signature.split_once("Credential=").context("no scope")?;
    let scope: Vec<_> = scope.split('/').collect();
    Ok(format!("{} {}", scope[0], scope[2]))
}

#[test]
fn region_and_credentials_are_found_as_by_aws_tools() -> Result<()> {
    let region = ("AWS_REGION", "us-west-1");
    let [id, secret] = KEYS;
    let check = |arguments: &[&str], variables: &[(&str, &str)], expected: &str| {
        let found = signed_with(arguments, variables).with_context(|| format!("{arguments:?}"))?;
        assert_eq!(found, expected, "{arguments:?} {variables:?}");
        anyhow::Ok(())
    };
    check(&["list"], &[id, secret, region], "environments us-west-1")?;
    check(&["list"], &[("AWS_PROFILE", "ops")], "profiles eu-west-3")?;
    check(&["list", "--profile", "ops"], &[], "profiles eu-west-3")?;
    // Keys that `.ci/stack-env` put into the environment may be another account's.
    check(&["list", "--profile", "ops"], &KEYS, "profiles eu-west-3")?;
    check(
        &["list", "--profile", "ops"],
        &[region],
        "profiles us-west-1",
    )?;
    let both = ["list", "--profile", "ops", "--region", "ap-south-1"];
    check(&both, &[region], "profiles ap-south-1")?;
    Ok(())
}

#[test]
fn calls_go_where_aws_tools_would_send_them() -> Result<()> {
    let [id, secret] = KEYS;
    let region = ("AWS_REGION", "us-west-1");
    let elsewhere = ("AWS_ENDPOINT_URL", NOWHERE);
    let check = |arguments: &[&str], variables: &[(&str, &str)]| {
        let variables = [&[id, secret, region], variables].concat();
        let found = signed_with(arguments, &variables).with_context(|| format!("{variables:?}"))?;
        assert_eq!(found, "environments us-west-1", "{arguments:?}");
        anyhow::Ok(())
    };
    check(&["list"], &[("AWS_ENDPOINT_URL_SQS", SERVICE), elsewhere])?;
    check(&["list"], &[("AWS_ENDPOINT_URL_DYNAMODB", NOWHERE)])?;
    // The command line takes precedence in any case.
    let option = ["list", "--endpoint-url", SERVICE];
    check(&option, &[("AWS_ENDPOINT_URL_SQS", NOWHERE), elsewhere])?;
    check(&option, &[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")])
}
