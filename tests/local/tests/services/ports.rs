//! Every port that `local` listens on, found in `/proc`: none answers a foreign page.

use super::process::Local;
use anyhow::{Context, Result, ensure};
use std::{collections::BTreeSet, fs, path::Path};

/// The ports on which it listens.
fn ports(local: &Local) -> Result<BTreeSet<u16>> {
    let process = Path::new("/proc").join(
        local
            .child
            .id()
            .context("the process has ended")?
            .to_string(),
    );
    let mut sockets = BTreeSet::new();
    for file in fs::read_dir(process.join("fd"))? {
        // A file may have been closed in the meantime.
        let target = fs::read_link(file?.path()).unwrap_or_default();
        let target = target.to_string_lossy().into_owned();
        let inode = target.strip_prefix("socket:[").map(str::to_owned);
        sockets.extend(inode.and_then(|inode| Some(inode.strip_suffix(']')?.to_owned())));
    }
    let mut ports = BTreeSet::new();
    for table in ["net/tcp", "net/tcp6"] {
        for line in fs::read_to_string(process.join(table))?.lines().skip(1) {
            let fields: Vec<_> = line.split_whitespace().collect();
            let [_, address, _, state, .., _] = fields[..] else {
                continue;
            };
            let is_its_own = fields.get(9).is_some_and(|inode| sockets.contains(*inode));
            // 0A is LISTEN.
            if state == "0A" && is_its_own {
                let (_, port) = address.rsplit_once(':').context("no port")?;
                ports.insert(u16::from_str_radix(port, 16)?);
            }
        }
    }
    Ok(ports)
}

#[tokio::test]
async fn no_port_answers_a_foreign_page() -> Result<()> {
    let local = Local::start(Local::command()).await?;
    let ports = ports(&local)?;
    // At least the API, the services, and a Runtime API for each function.
    ensure!(
        ports.contains(&local.api) && ports.len() >= 5,
        "{ports:?} {}",
        local.api
    );
    for port in ports {
        let rebound = format!("evil.example:{port}");
        let rebound_origin = format!("http://{rebound}");
        let elsewhere = ("origin", "https://evil.example");
        let pages: [&[(&str, &str)]; 9] = [
            &[elsewhere],
            &[elsewhere, ("sec-fetch-site", "cross-site")],
            &[("origin", "null")],
            &[("origin", "http://localhost:5173")],
            &[
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-dest", "image"),
            ],
            &[
                ("sec-fetch-site", "same-site"),
                ("sec-fetch-mode", "no-cors"),
            ],
            // DNS rebinding: to the browser it is the page's own address.
            &[("host", &rebound), ("origin", &rebound_origin)],
            &[("host", &rebound), ("sec-fetch-site", "same-origin")],
            &[("host", "evil.example")],
        ];
        for headers in pages {
            for (method, path, target) in [
                ("GET", "/", ""),
                ("GET", "/2018-06-01/runtime/invocation/next", ""),
                ("GET", "/v1/openapi.json", ""),
                ("POST", "/v1/orders", ""),
                (
                    "POST",
                    "/2015-03-31/functions/IngestFunction/invocations",
                    "",
                ),
                ("POST", "/", "DynamoDB_20120810.ListTables"),
                ("POST", "/", "AmazonSQS.ListQueues"),
                ("POST", "/.console/spike", ""),
                ("DELETE", "/anything", ""),
                ("OPTIONS", "/", ""),
                ("OPTIONS", "/v1/orders", ""),
            ] {
                let asked = [
                    ("access-control-request-method", "POST"),
                    ("access-control-request-headers", "x-amz-target"),
                    ("x-amz-target", target),
                    ("content-type", "application/x-amz-json-1.0"),
                    ("x-amz-date", "20260101T000000Z"),
                    (
                        "authorization",
                        "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=0",
                    ),
                ];
                let headers = [headers, &asked].concat();
                let answer = local.send(method, port, path, &headers, "{}").await?;
                let allows = answer.headers().contains_key("access-control-allow-origin");
                ensure!(
                    answer.status() == 403 && !allows,
                    "{method} {port} {path} {headers:?}: {answer:?}"
                );
            }
        }
        // Only a link opens the console.
        let link = |target| {
            [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", target),
            ]
        };
        for (method, path, target) in [
            ("GET", "/", "document"),
            ("GET", "/?order=1", "document"),
            ("GET", "/", "iframe"),
            ("POST", "/", "document"),
            ("GET", "/.console/events", "document"),
            ("GET", "/v1/openapi.json", "document"),
            ("GET", "/2018-06-01/runtime/invocation/next", "document"),
        ] {
            let is_page = path == "/" || path.starts_with("/?");
            let opens = port == local.api && is_page && (method, target) == ("GET", "document");
            let expected = if opens { 200 } else { 403 };
            let answer = local.send(method, port, path, &link(target), "{}").await?;
            ensure!(
                answer.status() == expected,
                "{method} {port} {path} {target}: {answer:?}"
            );
        }
    }
    Ok(())
}
