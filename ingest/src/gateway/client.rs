//! Determines the client from what the gateway says about the caller.
//!
//! - Each kind of client has its own prefix, so that clients of two kinds never share a name.
//! - A request whose authorizer names no client is refused: treating its callers as anonymous would give them all one name.
//! - A pair of names is written as a JSON array, so that no two pairs look the same.
//! - A role is one client, whatever its session: ECS, EC2 and EKS choose session names at random.

use events::{Client, lenient::Object};
use serde_json::{json, value::RawValue};

/// Which callers that have assumed the same IAM role count as one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleClients {
    /// All of them.
    Role,
    /// Those of one session, for systems that name sessions after their users.
    Session,
}

/// The caller of a request.
#[derive(Debug)]
pub struct Caller {
    /// The name, with its kind; empty if the gateway names nobody.
    name: String,
    /// How long the name is without a role's session.
    role: usize,
}

impl Caller {
    /// Returns the caller as a client.
    pub fn client(mut self, of_role: RoleClients) -> Client {
        if of_role == RoleClients::Role {
            self.name.truncate(self.role);
        }
        Client::identified(self.name)
    }
}

/// An object of `requestContext`, and its members that name a caller.
type Place = (&'static str, &'static [Name]);
/// The kind of caller, the member with its name, and the member that names the issuer of that name.
type Name = (&'static str, &'static str, Option<&'static str>);

/// Where an authorizer names a caller. The first place that does counts.
const BY_AUTHORIZER: [Place; 6] = [
    ("authorizer", &[("principal", "principalId", None)]),
    ("authorizer.lambda", &[("principal", "principalId", None)]),
    ("authorizer.jwt.claims", TOKEN),
    ("authorizer.claims", TOKEN),
    (
        "authorizer.iam.cognitoIdentity", // Before the role: all identities of a pool share it.
        &[("cognito-identity", "identityId", None)],
    ),
    (
        "authorizer.iam",
        &[
            (IAM, "userArn", None),
            (IAM, "callerId", None),
            (IAM, "userId", None),
        ],
    ),
];
/// Where the gateway itself names a caller.
const BY_GATEWAY: [Place; 4] = [
    (
        "identity",
        &[
            ("cognito-identity", "cognitoIdentityId", None),
            (IAM, "userArn", None),
            (IAM, "caller", None),
        ],
    ),
    ("identity.clientCert", CERTIFICATE),
    ("authentication.clientCert", CERTIFICATE),
    ("identity", &[(API_KEY, "apiKeyId", None)]),
];
const TOKEN: &[Name] = &[
    ("subject", "sub", Some("iss")),
    ("oauth-client", "client_id", Some("iss")),
    ("oauth-client", "azp", Some("iss")),
];
const CERTIFICATE: &[Name] = &[("certificate", "subjectDN", Some("issuerDN"))];
const API_KEY: &str = "api-key";
const IAM: &str = "iam";

/// Returns the caller of a request, by its `requestContext`; None if there is an authorizer that names no client.
pub fn caller(context: &Object<'_>) -> Option<Caller> {
    let objects =
        ["authorizer", "identity", "authentication"].map(|name| (name, context.object(name)));
    let find = |places: &[Place]| places.iter().find_map(|place| caller_at(&objects, place));
    find(&BY_AUTHORIZER).or_else(|| {
        let nobody = || Caller {
            name: String::new(),
            role: 0,
        };
        (!has_authorizer(context)).then(|| find(&BY_GATEWAY).unwrap_or_else(nobody))
    })
}

fn caller_at(objects: &[(&str, Object<'_>)], (place, names): &Place) -> Option<Caller> {
    let mut place = place.split('.');
    let first = place.next()?;
    let (_, first) = objects.iter().find(|(name, _)| *name == first)?;
    let within = place
        .next()
        .map(|member| place.fold(first.object(member), |object, member| object.object(member)));
    let object = within.as_ref().unwrap_or(first);
    names.iter().find_map(|(kind, member, issuer)| {
        let name = name(object, member)?;
        let name = match issuer {
            Some(issuer) => {
                let issuer = object.text(issuer).unwrap_or_default();
                format!("{kind}:{}", json!([issuer, name]))
            }
            // Clients by API key had this name before kinds existed. AWS's ids consist of letters and digits.
            None if *kind == API_KEY && !name.contains(':') && name != "anonymous" => name,
            None => format!("{kind}:{name}"),
        };
        let session = match name.strip_prefix("iam:") {
            Some(name) if *kind == IAM => name.len() - without_session(name).len(),
            _ => 0,
        };
        Some(Caller {
            role: name.len() - session,
            name,
        })
    })
}

/// Cuts the session off an assumed role's ARN or id: `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`, in any partition, and
/// `AROA…:SESSION`. Users, federated users and root accounts have no session.
fn without_session(name: &str) -> &str {
    let arn: Vec<_> = name.splitn(6, ':').collect();
    let cut = match *arn {
        ["arn", _, "sts", _, _, resource] => {
            let role = resource.strip_prefix("assumed-role/");
            role.filter(|role| role.contains('/'))
                .and_then(|_| name.rsplit_once('/'))
        }
        _ if name.starts_with("AROA") => name.split_once(':'),
        _ => None,
    };
    cut.map_or(name, |(role, _)| role)
}

/// Returns a member that is a non-blank text, or a number, which an HTTP API's authorizer may put into its context.
fn name(object: &Object<'_>, member: &str) -> Option<String> {
    let number = || {
        let number = object.get(member)?.get();
        let is_id = number.bytes().all(|byte| byte.is_ascii_digit());
        is_id.then(|| number.to_owned())
    };
    let name = object.text(member).or_else(number)?;
    (!name.trim().is_empty()).then_some(name)
}

/// Returns whether an authorizer has seen the request. Without an authorizer, payload format 1.0 of an HTTP API reports null
/// claims and scopes.
fn has_authorizer(context: &Object<'_>) -> bool {
    let Some(value) = context.get("authorizer") else {
        return false;
    };
    let is_none = |(name, value): (&str, &RawValue)| {
        ["claims", "scopes"].contains(&name) && value.get() == "null"
    };
    Object::read(value).is_none_or(|members| !members.members().all(is_none))
}
