//! The calls of the API: which path is which, and the methods that each allows.

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
    /// Tells the routes of `ingest` apart, by the end of the resource or of the path. Whatever other path a gateway sends
    /// to that function is taken for `/orders`.
    pub fn of_ingest(request: &Request) -> Self {
        let is_batch = |path: &str| path.trim_end_matches('/').ends_with("/orders/batch");
        if request::paths(request).into_iter().any(is_batch) {
            Self::Batch
        } else {
            Self::Orders
        }
    }

    /// Tells the routes of `status` apart: a request that names no order by its path may name many in its query.
    pub fn of_status(request: &Request) -> Self {
        let parameters = request.path_parameters_ref();
        let has_id = parameters.is_some_and(|parameters| parameters.first("id").is_some());
        if has_id {
            return Self::Order;
        }
        let [_, path] = request::paths(request);
        let path = path.trim_end_matches('/');
        match path.rsplit('/').next() {
            Some("orders") => Self::Statuses,
            // It may be below a stage, and isn't below the orders.
            Some("openapi.json") if !path.ends_with("/orders/openapi.json") => Self::Description,
            _ => Self::Order,
        }
    }

    /// The methods that the path allows, as the header `Allow` has them, whichever function answers them.
    pub const fn allowed(self) -> &'static str {
        match self {
            Self::Orders | Self::Statuses => "GET, HEAD, POST",
            Self::Batch => "POST",
            Self::Order | Self::Description => "GET, HEAD",
        }
    }

    /// Refuses a method that the path doesn't allow, or that another function answers.
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

/// The id in `/orders/{id}`: the gateway's parameter or, where it gives none, the path's last segment. Slashes at the end
/// don't count.
pub fn order_id(request: &Request) -> &str {
    let [_, path] = request::paths(request);
    request
        .path_parameters_ref()
        .and_then(|parameters| parameters.first("id"))
        .unwrap_or_else(|| {
            let path = path.trim_end_matches('/');
            path.rsplit('/').next().unwrap_or_default()
        })
}
