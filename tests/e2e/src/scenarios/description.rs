//! The description of the API, which the API serves.

use crate::{scenarios::scenarios, stack::Stack};
use anyhow::{Context, Result, ensure};
use http::Method;
use std::sync::Arc;

scenarios! {
    the_api_describes_itself_to_whoever_asks []
}

async fn the_api_describes_itself_to_whoever_asks(stack: Arc<Stack>) -> Result<()> {
    let stranger = stack.api.with_key(None);
    let send = async |method| stranger.send(method, "/openapi.json", &[], "").await;
    let found = send(Method::GET).await?;
    ensure!(found.status == 200, "{found:?}");
    ensure!(found.header("content-type") == Some("application/json"));
    let document = found.json()?;
    let paths = document["paths"].as_object().context("no paths")?;
    ensure!(paths.contains_key("/openapi.json"), "{document}");
    ensure!(found.body == events::openapi::JSON, "another document");
    let head = send(Method::HEAD).await?;
    ensure!(head.status == 200 && head.body.is_empty(), "{head:?}");
    let refused = send(Method::POST).await?;
    refused.problem(405)?;
    ensure!(refused.header("allow") == Some("GET, HEAD"), "{refused:?}");
    Ok(())
}
