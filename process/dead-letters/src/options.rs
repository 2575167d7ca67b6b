//! Parses the command line.

use crate::{reason::Reason, selection::Selection};
use clap::{Args, Parser, Subcommand};

/// Lists, shows, redrives and drops the dead letters of a stack.
#[derive(Debug, Clone, Parser)]
#[command(version, name = "dead-letters")]
pub struct Options {
    /// The stack
    #[command(flatten)]
    pub target: Target,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The stack, and how to reach it.
#[derive(Debug, Clone, Args)]
pub struct Target {
    /// A `local` on this machine; environment variables are ignored
    #[arg(long, global = true, conflicts_with = "profile")]
    pub local: bool,
    /// Profile in AWS's configuration files, for credentials and region [default: as all AWS tools]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// AWS's region [default: as all AWS tools]
    #[arg(long, global = true, value_name = "NAME")]
    pub region: Option<String>,
    /// Address of SQS and DynamoDB: for LocalStack, or for a `local` on another port
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// The dead-letter queue [default: ORDERS_DEAD_LETTER_QUEUE_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub dead_letter_queue: Option<String>,
    /// The queue that a redrive sends to [default: ORDERS_QUEUE_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub queue: Option<String>,
    /// The table of orders [default: ORDERS_TABLE]
    #[arg(long, global = true, value_name = "NAME")]
    pub table: Option<String>,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// List the dead letters, grouped by what is wrong with them
    List {
        /// Show clients by name instead of message group
        #[arg(long)]
        clients: bool,
    },
    /// Show everything about a dead letter: its receives, its row
    Show {
        /// Id of an order or of a message
        id: String,
        /// Show its client by name instead of message group
        #[arg(long)]
        clients: bool,
        /// Show the message's body, which contains what was ordered
        #[arg(long)]
        order: bool,
    },
    /// Send dead letters back to the queue of orders
    Redrive {
        /// Which dead letters
        #[command(flatten)]
        filters: Filters,
        /// Only show what would be done
        #[arg(long)]
        dry_run: bool,
    },
    /// Delete a dead letter for good
    Drop {
        /// Id of an order or of a message
        id: String,
        /// Don't ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

/// Which dead letters.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = true)]
pub struct Filters {
    /// Those with this id, of an order or of a message; may be repeated
    #[arg(long, num_args = 1.., conflicts_with_all = ["client", "reason", "all"])]
    pub id: Vec<String>,
    /// Those of this client, by name or message group
    #[arg(long, value_name = "CLIENT", conflicts_with = "all")]
    pub client: Option<String>,
    /// Those with this reason, as `list` shows it; may be repeated
    #[arg(long, num_args = 1.., conflicts_with = "all")]
    pub reason: Vec<Reason>,
    /// All of them
    #[arg(long)]
    pub all: bool,
}

impl From<Filters> for Selection {
    fn from(filters: Filters) -> Self {
        let Filters {
            id,
            client,
            reason,
            all: _,
        } = filters;
        Self {
            ids: id,
            client,
            reasons: reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &str) -> Result<Options, clap::Error> {
        Options::try_parse_from(arguments.split(' '))
    }

    #[test]
    fn a_redrive_says_which_and_only_once() {
        let check = |filters: &str, valid: bool| {
            let parsed = parse(&format!("dead-letters redrive {filters}"));
            assert_eq!(parsed.is_ok(), valid, "{filters}: {parsed:?}");
        };
        check("--all", true);
        check("--all --dry-run", true);
        check("--id a", true);
        check("--id a b --id c", true);
        check("--client ann", true);
        check("--reason failed queued", true);
        check("--client ann --reason failed --reason queued", true);
        check("--dry-run", false);
        check("--all --id a", false);
        check("--all --client ann", false);
        check("--all --reason failed", false);
        check("--id a --client ann", false);
        check("--id a --reason failed", false);
        check("--reason sideways", false);
    }

    #[test]
    fn options_of_the_stack_are_accepted_anywhere() -> anyhow::Result<()> {
        for arguments in ["dead-letters --local list", "dead-letters list --local"] {
            assert!(parse(arguments)?.target.local);
        }
        assert!(parse("dead-letters --local --profile p list").is_err());
        Ok(())
    }
}
