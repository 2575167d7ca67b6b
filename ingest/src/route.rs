//! The routes of the API: their paths, and the methods that each allows.

use crate::{problem::Problem, request};
use lambda_http::{Request, RequestExt, http::Method};

/// A path of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `/orders`, of the function `ingest`.
    Orders,
    /// `/orders?ids=`, of the function `status`.
    Statuses,
    /// `/orders/batch`, of the function `ingest`.
    Batch,
    /// `/orders/{id}`, of the function `status`.
    Order,
    /// `/openapi.json`, of the function `status`.
    Description,
}

impl Route {
    /// Returns the route of a request to `ingest`. Any path but that of `Batch` counts as `/orders`.
    pub fn of_ingest(request: &Request) -> Self {
        let [resource, path] = request::paths(request);
        let route = Self::of_resource(resource).unwrap_or_else(|| {
            let is_batch = request::decoded(path).ends_with("/orders/batch");
            if is_batch { Self::Batch } else { Self::Orders }
        });
        match route {
            Self::Batch => Self::Batch,
            _ => Self::Orders,
        }
    }

    /// Returns the route of a request to `status`.
    pub fn of_status(request: &Request) -> Self {
        let [resource, path] = request::paths(request);
        match Self::of_resource(resource) {
            Some(Self::Orders) => Self::Statuses,
            Some(route) => route,
            None if parameter(request).is_some() => Self::Order,
            None => {
                let path = request::decoded(path);
                match path.rsplit('/').next() {
                    Some("orders") => Self::Statuses,
                    // It may be below a stage, but not below `/orders`.
                    Some("openapi.json") if !path.ends_with("/orders/openapi.json") => {
                        Self::Description
                    }
                    _ => Self::Order,
                }
            }
        }
    }

    /// Returns the route of a gateway's resource. The resource decides, whatever a custom domain or a proxy puts before the
    /// path. None if there is no resource, or it takes any path.
    fn of_resource(resource: &str) -> Option<Self> {
        let routes = [
            ("/orders", Self::Orders),
            ("/orders/batch", Self::Batch),
            ("/orders/{id}", Self::Order),
            ("/openapi.json", Self::Description),
        ];
        let mut routes = routes.into_iter();
        routes.find_map(|(end, route)| resource.ends_with(end).then_some(route))
    }

    /// Returns the methods that the path allows, in either function, as in the header `Allow`.
    pub const fn allowed(self) -> &'static str {
        match self {
            Self::Orders | Self::Statuses => "GET, HEAD, POST",
            Self::Batch => "POST",
            Self::Order | Self::Description => "GET, HEAD",
        }
    }

    /// Rejects a method that the path doesn't allow, or that the other function answers.
    pub fn check(self, method: &Method) -> Result<(), Problem> {
        let is_answered = match self {
            Self::Orders | Self::Batch => method == Method::POST,
            Self::Order | Self::Statuses | Self::Description => {
                method == Method::GET || method == Method::HEAD
            }
        };
        is_answered
            .then_some(())
            .ok_or(Problem::MethodNotAllowed(self.allowed()))
    }
}

/// Returns the id in `/orders/{id}`: the gateway's parameter or, without one, the path's last segment, ignoring slashes at its
/// end. Decodes either: some gateways leave that to the function, and an id contains nothing that needs encoding.
pub fn order_id(request: &Request) -> String {
    let [_, path] = request::paths(request);
    if let Some(parameter) = parameter(request) {
        return request::segment(parameter).into_owned();
    }
    let path = request::decoded(path);
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn parameter(request: &Request) -> Option<&str> {
    request.path_parameters_ref()?.first("id")
}
