//! Parses `AWS::Serverless::Api`: its stage, its gateway responses and its routes.

use super::{
    model::{Api, CONTEXT_VARIABLES, GatewayResponse, Route},
    resolve::{API_ID, Scope},
    resource::Resource,
    yaml::Node,
};
use anyhow::Result;
use std::collections::BTreeMap;

/// Properties for documentation, metering and deployment. `Auth` is read separately.
const DROPPED: [&str; 13] = [
    "AccessLogSetting",
    "AlwaysDeploy",
    "Description",
    "EndpointAccessMode",
    "EndpointConfiguration",
    "FailOnWarnings",
    "MethodSettings",
    "Name",
    "OpenApiVersion",
    "PropagateTags",
    "SecurityPolicy",
    "Tags",
    "TracingEnabled",
];
const RESPONSE_TYPES: [&str; 21] = [
    "ACCESS_DENIED",
    "API_CONFIGURATION_ERROR",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "AUTHORIZER_FAILURE",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "EXPIRED_TOKEN",
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
    "INVALID_API_KEY",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
];
const METHODS: [&str; 8] = [
    "ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT",
];

/// Reads the API; its routes come from the functions' events.
pub fn read(resource: &Resource, scope: &Scope) -> Result<Api> {
    let read = ["StageName", "Auth", "GatewayResponses"];
    let properties = resource.properties(scope, &read, &DROPPED)?;
    let is_signed = properties.get("Auth").map(read_auth).transpose()?;
    let mut gateway_responses = BTreeMap::new();
    let responses = properties.get("GatewayResponses").map(Node::map);
    for (kind, response) in responses.transpose()?.unwrap_or_default() {
        if !RESPONSE_TYPES.contains(&kind.as_str()) {
            let known = RESPONSE_TYPES.join(", ");
            return Err(response.fault(format!("isn't a gateway response; supported: {known}")));
        }
        gateway_responses.insert(kind.clone(), gateway_response(response)?);
    }
    Ok(Api {
        example: resource.local(scope, "Try")?,
        is_signed: is_signed.unwrap_or_default(),
        stage: properties.require("StageName")?.text()?.to_owned(),
        routes: Vec::new(),
        gateway_responses,
    })
}

/// Whether callers must sign their requests (`AWS_IAM`). API keys are neither enforced nor metered here. Other authorizers are
/// refused: ignoring one would change the functions' events.
fn read_auth(auth: &Node) -> Result<bool> {
    auth.only(&[
        "ApiKeyRequired",
        "DefaultAuthorizer",
        "InvokeRole",
        "UsagePlan",
    ])?;
    if let Some(role) = auth.get("InvokeRole")
        && role.text()? != "NONE"
    {
        return Err(role.fault("isn't supported; supported: NONE"));
    }
    let Some(authorizer) = auth.get("DefaultAuthorizer") else {
        return Ok(false);
    };
    match authorizer.text()? {
        "" => Ok(false),
        "AWS_IAM" => Ok(true),
        _ => Err(authorizer.fault("isn't supported; supported: AWS_IAM")),
    }
}

fn gateway_response(node: &Node) -> Result<GatewayResponse> {
    node.only(&["StatusCode", "ResponseParameters", "ResponseTemplates"])?;
    let status = node.get("StatusCode").map(|node| node.number(200..=599));
    let mut response = GatewayResponse {
        status: status.transpose()?,
        ..GatewayResponse::default()
    };
    if let Some(parameters) = node.get("ResponseParameters") {
        parameters.only(&["Headers"])?;
        for (name, value) in parameters.require("Headers")?.map()? {
            let expression = value.text()?.strip_prefix('\'');
            let Some(literal) = expression.and_then(|rest| rest.strip_suffix('\'')) else {
                return Err(value.fault("isn't supported; supported: a literal in single quotes"));
            };
            let name = name.to_ascii_lowercase();
            response.headers.insert(name, literal.to_owned());
        }
    }
    if let Some(templates) = node.get("ResponseTemplates") {
        templates.only(&["application/json"])?;
        let template = templates.require("application/json")?;
        check_variables(template)?;
        response.body = Some(template.text()?.to_owned());
    }
    Ok(response)
}

fn check_variables(template: &Node) -> Result<()> {
    let mut rest = template.text()?;
    while let Some((_, variable)) = rest.split_once('$') {
        let mut known = CONTEXT_VARIABLES.iter();
        let Some(after) = known.find_map(|name| variable.strip_prefix(name)) else {
            let known = CONTEXT_VARIABLES.map(|name| format!("${name}")).join(", ");
            return Err(template.fault(format!(
                "a variable of the template isn't supported; supported: {known}"
            )));
        };
        rest = after;
    }
    Ok(())
}

/// Reads an `Api` event of a function.
pub fn route(properties: &Node, function: &str) -> Result<Route> {
    properties.only(&["RestApiId", "Path", "Method", "Auth"])?;
    if let Some(auth) = properties.get("Auth") {
        auth.only(&["ApiKeyRequired"])?;
    }
    let api = properties.require("RestApiId")?;
    if api.text()? != API_ID {
        return Err(api.fault("isn't the API of this template"));
    }
    let method = properties.require("Method")?;
    let name = method.text()?.to_ascii_uppercase();
    if !METHODS.contains(&name.as_str()) {
        return Err(method.fault(format!(
            "isn't supported; supported: {}",
            METHODS.join(", ")
        )));
    }
    let path = properties.require("Path")?;
    check_path(path)?;
    Ok(Route {
        path: path.text()?.to_owned(),
        method: name,
        function: function.to_owned(),
    })
}

fn check_path(path: &Node) -> Result<()> {
    let supported = path.text()?.strip_prefix('/').is_some_and(|path| {
        path.split('/').all(|segment| {
            let inner = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}'));
            !inner.unwrap_or(segment).contains(['{', '}', '+'])
        })
    });
    if supported {
        return Ok(());
    }
    Err(path.fault("isn't supported; supported: /segments/{parameter}"))
}

/// Adds a function's routes; no two may be equal.
pub fn add_routes(api: &mut Api, resource: &Resource, routes: Vec<Route>) -> Result<()> {
    for route in routes {
        let mut taken = api.routes.iter();
        let same = taken.find(|other| other.path == route.path && other.method == route.method);
        if let Some(other) = same {
            return Err(resource.node.fault(format!(
                "{} {} leads to {} already",
                route.method, route.path, other.function
            )));
        }
        api.routes.push(route);
    }
    Ok(())
}
