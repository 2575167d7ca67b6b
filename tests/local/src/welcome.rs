//! What a person reads when everything runs.

use std::fmt::{self, Display, Formatter};

use crate::cloud::Cloud;

/// Articles that are listed; a table that somebody filled may hold any number.
const LISTED: usize = 20;

/// Prints where everything is, and a request to try.
#[derive(Debug)]
pub struct Welcome<'a>(pub &'a Cloud);

impl Display for Welcome<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Self(cloud) = self;
        let (api, services) = (cloud.api_url(), cloud.services_url());
        let articles = cloud.articles();
        let most = articles.iter().max_by_key(|(_, pieces)| pieces);
        let sku = most.map_or("sku", |(sku, _)| sku);
        writeln!(f, "The API is at {api}. An order:\n")?;
        writeln!(
            f,
            "  curl -i {api}/orders -H 'Content-Type: application/json' \\"
        )?;
        writeln!(
            f,
            "    -d '{{\"lines\":[{{\"sku\":\"{sku}\",\"quantity\":1,\"unit_price\":1999}}],\"currency\":\"EUR\"}}'\n"
        )?;
        if !articles.is_empty() {
            let width = articles.iter().map(|(sku, _)| sku.len()).max().unwrap_or(0);
            writeln!(f, "  {:width$}  in stock", "article")?;
            for (sku, pieces) in &articles[..articles.len().min(LISTED)] {
                writeln!(f, "  {sku:width$}  {pieces:>8}")?;
            }
            if let Some(more @ 1..) = articles.len().checked_sub(LISTED) {
                writeln!(f, "  and {more} more")?;
            }
            writeln!(f)?;
        }
        writeln!(
            f,
            "SQS, DynamoDB and Lambda: aws --endpoint-url {services} …"
        )?;
        write!(f, "Ctrl-C stops everything.")
    }
}
