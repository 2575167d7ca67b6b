//! Parses `AWS::SecretsManager::Secret`, and the dynamic references to it.

use super::{
    resolve::Scope,
    resource::{self, Resource},
    yaml::Node,
};
use anyhow::Result;

/// A generated secret.
pub struct Secret {
    id: String,
    arn: String,
    /// The JSON member that contains it, `GenerateStringKey`.
    key: Option<String>,
}

/// Reads one secret.
pub fn read(resource: &Resource, scope: &Scope) -> Result<Secret> {
    let properties = resource.properties(
        scope,
        &["Name", "GenerateSecretString"],
        &["Description", "KmsKeyId", "Tags"],
    )?;
    let generate = properties.require("GenerateSecretString")?;
    // The generator decides on the alphabet and the length.
    generate.only(&[
        "ExcludeCharacters",
        "ExcludeLowercase",
        "ExcludeNumbers",
        "ExcludePunctuation",
        "ExcludeUppercase",
        "GenerateStringKey",
        "IncludeSpace",
        "PasswordLength",
        "RequireEachIncludedType",
        "SecretStringTemplate",
    ])?;
    let key = generate.get("GenerateStringKey").map(Node::text);
    Ok(Secret {
        id: resource.id.clone(),
        arn: resource::secret_arn(&resource.name(scope, "Name")?),
        key: key.transpose()?.map(str::to_owned),
    })
}

/// The secrets of a stack, generated on first use.
pub struct Secrets<'g> {
    known: Vec<(Secret, Option<String>)>,
    generate: &'g mut dyn FnMut(&str) -> String,
}

const START: &str = "{{resolve:";

impl<'g> Secrets<'g> {
    pub fn new(generate: &'g mut dyn FnMut(&str) -> String) -> Self {
        Self {
            known: Vec::new(),
            generate,
        }
    }

    pub fn add(&mut self, secret: Secret) {
        self.known.push((secret, None));
    }

    /// The text with every dynamic reference replaced by its value.
    pub fn fill_in(&mut self, node: &Node) -> Result<String> {
        let mut result = String::new();
        let mut rest = node.text()?;
        while let Some((before, after)) = rest.split_once(START) {
            let Some((reference, after)) = after.split_once("}}") else {
                return Err(node.fault(format!("a {START} isn't closed")));
            };
            result.push_str(before);
            result.push_str(&self.value(node, reference)?);
            rest = after;
        }
        Ok(result + rest)
    }

    /// Parses `secretsmanager:{ARN}:SecretString:{key}:{stage}:{version}`; everything after the ARN is optional. A plain name
    /// stands for a secret that isn't the template's: here every name exists.
    fn value(&mut self, node: &Node, reference: &str) -> Result<String> {
        if let Some(name) = reference.strip_prefix("secretsmanager:")
            && !name.is_empty()
            && !name.contains([':', '$'])
        {
            return Ok((self.generate)(name));
        }
        let unknown = || {
            node.fault(format!(
                "{START}{reference}}}}} is no secret of this template; supported: \
                 {START}secretsmanager:${{Secret}}:SecretString:key}}}}, {START}secretsmanager:name}}}}"
            ))
        };
        let found = self.known.iter_mut().find_map(|(secret, value)| {
            let reference = reference.strip_prefix("secretsmanager:")?;
            let selection = reference.strip_prefix(&secret.arn)?;
            Some((secret, value, selection))
        });
        let (secret, value, selection) = found.ok_or_else(unknown)?;
        let mut selection = selection.split(':');
        let (Some(""), None | Some("" | "SecretString")) = (selection.next(), selection.next())
        else {
            return Err(unknown());
        };
        if selection.next().unwrap_or_default() != secret.key.as_deref().unwrap_or_default() {
            return Err(node.fault(format!(
                "{START}{reference}}}}} has to name the key that {} generates, if any",
                secret.id
            )));
        }
        // Here every version is the first one.
        let generate = || (self.generate)(&secret.id);
        Ok(value.get_or_insert_with(generate).clone())
    }
}
