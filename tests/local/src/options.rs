//! Parses the command line.

use anyhow::Context;
use clap::Parser;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    path::{Path, PathBuf},
};

/// Runs the whole system of a SAM template on this machine, with the real function binaries.
// Clap prints these comments verbatim.
#[expect(clippy::doc_markdown)]
#[derive(Debug, Clone, Parser)]
#[command(version)]
pub struct Options {
    /// Port of the API; SQS, DynamoDB, EventBridge and Lambda answer on the next one. 0: any two free ports
    #[arg(long, default_value_t = 3000)]
    pub port: u16,
    /// Another address to listen on, in addition to 127.0.0.1; may be repeated. The one of Docker's bridge, usually
    /// 172.17.0.1, admits containers, such as those of `sam local` on Linux; 0.0.0.0 admits your network, too
    #[arg(long, value_name = "ADDRESS")]
    pub host: Vec<IpAddr>,
    /// The SAM template [default: template.yaml in this folder, else beside the functions or in this workspace]
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// Values for the template's parameters, in SAM's format
    #[arg(long, value_name = "NAME=VALUE", num_args = 1..)]
    pub parameter_overrides: Vec<String>,
    /// Keep tables, queues and secrets in this folder, so that they survive a restart [default: in memory]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Build the functions with optimisations
    #[arg(long)]
    pub release: bool,
    /// Build nothing: run the functions' binaries in this folder, as in a release
    #[arg(long, value_name = "DIR", conflicts_with = "release")]
    pub functions: Option<PathBuf>,
    /// Inject faults from a file: --help shows one
    #[arg(long, value_name = "FILE", long_help = crate::faults::file::HELP)]
    pub faults: Option<PathBuf>,
    /// Maximum number of processes of one function; further invocations wait for a free process (on AWS they would not)
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub processes: u16,
    /// Don't print what the functions log
    #[arg(long)]
    pub quiet: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self::parse_from(["local"])
    }
}

impl Options {
    /// The template to run.
    pub fn template(&self) -> PathBuf {
        let here = Path::new("template.yaml");
        match (&self.template, &self.functions) {
            (Some(template), _) => template.clone(),
            (None, _) if here.exists() => here.to_owned(),
            (None, Some(functions)) => functions.join(here),
            (None, None) => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml"),
        }
    }

    /// The parameter overrides by name.
    pub fn overrides(&self) -> anyhow::Result<BTreeMap<String, String>> {
        self.parameter_overrides
            .iter()
            .flat_map(|argument| {
                // SAM also takes several in one argument; a value may still contain blanks.
                let words: Vec<_> = argument.split_whitespace().collect();
                if words.iter().all(|word| word.contains('=')) {
                    words
                } else {
                    vec![argument.as_str()]
                }
            })
            .map(|pair| {
                let (name, value) = match pair.strip_prefix("ParameterKey=") {
                    Some(rest) => rest.split_once(",ParameterValue="),
                    None => pair.split_once('='),
                }
                .with_context(|| format!("parameter override `{pair}` is not NAME=VALUE"))?;
                Ok((name.to_owned(), value.to_owned()))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_read_as_sam_takes_them() -> anyhow::Result<()> {
        for arguments in [
            vec!["A=1", "B=x=y"],
            vec!["A=1 B=x=y"],
            vec![
                "ParameterKey=A,ParameterValue=1",
                "ParameterKey=B,ParameterValue=x=y",
            ],
        ] {
            let command = ["local", "--parameter-overrides"];
            let options = Options::try_parse_from(command.into_iter().chain(arguments))?;
            let expected = [("A", "1"), ("B", "x=y")].map(|(n, v)| (n.to_owned(), v.to_owned()));
            assert_eq!(options.overrides()?, BTreeMap::from(expected));
        }
        let blanks = Options::try_parse_from(["local", "--parameter-overrides", "A=two words"])?;
        assert_eq!(blanks.overrides()?["A"], "two words");
        let bad = Options::try_parse_from(["local", "--parameter-overrides", "A"])?;
        assert!(bad.overrides().is_err());
        Ok(())
    }
}
