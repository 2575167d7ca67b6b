//! Finds the route of a path.

use crate::template::model::Route;
use axum::http::Method;
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;

/// A route and the values of its parameters.
#[derive(Debug)]
pub struct Matched<'r> {
    pub route: &'r Route,
    /// The percent-decoded values.
    pub parameters: BTreeMap<String, String>,
}

/// The path without its stage, as it was sent; `None` outside the stage.
pub fn within_stage<'p>(path: &'p str, stage: &str) -> Option<&'p str> {
    match path.strip_prefix('/')?.strip_prefix(stage)? {
        "" => Some("/"),
        path => path.starts_with('/').then_some(path),
    }
}

/// Finds the route by its method and its path together, as API Gateway does: `GET /orders/batch` is `/orders/{id}` if
/// `/orders/batch` takes only `POST`. A trailing slash is ignored.
pub fn find<'r>(routes: &'r [Route], method: &Method, path: &str) -> Option<Matched<'r>> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let is_exact = |route: &Route| route.method == method.as_str();
    let takes = |route: &Route| is_exact(route) || route.method == "ANY" && is_known(method);
    let route = routes
        .iter()
        .filter(|route| takes(route) && matches(&route.path, path))
        .max_by_key(|route| (literal_first(&route.path), is_exact(route)))?;
    let parameters = route.path.split('/').zip(path.split('/'));
    Some(Matched {
        route,
        parameters: parameters
            .filter_map(|(segment, value)| {
                let value = percent_decode_str(value).decode_utf8_lossy();
                Some((parameter(segment)?.to_owned(), value.into_owned()))
            })
            .collect(),
    })
}

fn matches(route: &str, path: &str) -> bool {
    let route = route.strip_suffix('/').unwrap_or(route);
    route.split('/').count() == path.split('/').count()
        && route
            .split('/')
            .zip(path.split('/'))
            .all(|(segment, value)| {
                segment == value || (parameter(segment).is_some() && !value.is_empty())
            })
}

/// Sorts routes so that a literal segment beats a parameter, leftmost first.
fn literal_first(path: &str) -> Vec<bool> {
    path.split('/').map(|s| parameter(s).is_none()).collect()
}

fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// The methods that `ANY` stands for.
fn is_known(method: &Method) -> bool {
    matches!(
        method.as_str(),
        "DELETE" | "GET" | "HEAD" | "OPTIONS" | "PATCH" | "POST" | "PUT"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_route() {
        let routes = [
            ("/orders", "ANY"),
            ("/orders/{id}", "ANY"),
            ("/orders/batch", "POST"),
            ("/", "GET"),
        ]
        .map(|(path, method)| Route {
            path: path.to_owned(),
            method: method.to_owned(),
            function: String::new(),
        });
        let find = |request: &str| {
            let (method, path) = request.split_once(' ')?;
            let path = within_stage(path, "v1")?;
            let found = find(&routes, &method.parse().ok()?, path)?;
            let id = found.parameters.get("id").cloned().unwrap_or_default();
            Some((found.route.path.clone(), id))
        };
        let to = |path: &str, id: &str| Some((path.to_owned(), id.to_owned()));
        for (request, expected) in [
            ("POST /v1/orders", to("/orders", "")),
            ("BREW /v1/orders", None),
            ("POST /v1/orders/", to("/orders", "")),
            ("GET /v1/orders/a%2Fb%20c", to("/orders/{id}", "a/b c")),
            ("GET /v1/orders/%ff", to("/orders/{id}", "\u{fffd}")),
            ("POST /v1/orders/batch", to("/orders/batch", "")),
            ("GET /v1/orders/batch", to("/orders/{id}", "batch")),
            ("GET /v1/orders//", None),
            ("GET /v1/orders/1/2", None),
            ("GET /v1", to("/", "")),
            ("GET /v1/", to("/", "")),
            ("PUT /v1/", None),
            ("GET /v11/orders", None),
            ("GET /orders", None),
            ("GET /", None),
        ] {
            assert_eq!(find(request), expected, "{request}");
        }
    }
}
