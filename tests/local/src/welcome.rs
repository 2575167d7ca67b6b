//! Prints the addresses of the running system.

use crate::{cloud::Cloud, tables::Filled};
use std::fmt::{self, Display, Formatter};

/// The number of items to list; a table that a user filled may have any number.
const LISTED: usize = 20;

/// Displays the address of everything, and a request to try.
#[derive(Debug)]
pub struct Welcome<'a>(pub &'a Cloud);

impl Display for Welcome<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Self(cloud) = self;
        let (api, services) = (cloud.api_url(), cloud.services_url());
        writeln!(
            f,
            "Watch the system, and send it a spike: {}\n",
            cloud.console_url()
        )?;
        writeln!(f, "The API is at {api}.\n")?;
        if let Some(example) = &cloud.stack().api.example {
            writeln!(f, "{}\n", example.replace("{api}", &api).trim_end())?;
        }
        for Filled { table, items } in cloud.filled() {
            writeln!(f, "{table}:")?;
            for item in &items[..items.len().min(LISTED)] {
                let attributes = item.iter().map(|(name, value)| format!("{name} {value}"));
                writeln!(f, "  {}", attributes.collect::<Vec<_>>().join(", "))?;
            }
            if let Some(more @ 1..) = items.len().checked_sub(LISTED) {
                writeln!(f, "  and {more} more")?;
            }
            writeln!(f)?;
        }
        writeln!(
            f,
            "SQS, DynamoDB, EventBridge and Lambda: aws --endpoint-url {services} …"
        )?;
        write!(f, "Ctrl-C stops everything.")
    }
}
