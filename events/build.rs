//! Turns `openapi.yaml` into JSON, in the same order.

use anyhow::{Context, Result, bail};
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use std::{env, fs, path::Path};

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=openapi.yaml");
    let source = fs::read_to_string("openapi.yaml")?;
    let documents = Yaml::load_from_str(&source).context("openapi.yaml")?;
    let [document] = &documents[..] else {
        bail!("openapi.yaml has {} documents", documents.len());
    };
    let mut json = String::new();
    write(document, &mut json).context("openapi.yaml")?;
    let folder = env::var_os("OUT_DIR").context("OUT_DIR is not set")?;
    Ok(fs::write(Path::new(&folder).join("openapi.json"), json)?)
}

fn write(yaml: &Yaml<'_>, json: &mut String) -> Result<()> {
    match yaml {
        Yaml::Value(Scalar::Null) => json.push_str("null"),
        Yaml::Value(Scalar::Boolean(boolean)) => json.push_str(&boolean.to_string()),
        Yaml::Value(Scalar::Integer(number)) => json.push_str(&number.to_string()),
        Yaml::Value(Scalar::String(text)) => json.push_str(&serde_json::to_string(text)?),
        Yaml::Sequence(items) => {
            json.push('[');
            for (n, item) in items.iter().enumerate() {
                json.push_str(if n == 0 { "" } else { "," });
                write(item, json)?;
            }
            json.push(']');
        }
        Yaml::Mapping(members) => {
            json.push('{');
            for (n, (name, value)) in members.iter().enumerate() {
                json.push_str(if n == 0 { "" } else { "," });
                let name = name.as_str().context("a name is not a string: quote it")?;
                json.push_str(&serde_json::to_string(name)?);
                json.push(':');
                write(value, json).with_context(|| name.to_owned())?;
            }
            json.push('}');
        }
        other => bail!("JSON has no value for: {other:?}"),
    }
    Ok(())
}
