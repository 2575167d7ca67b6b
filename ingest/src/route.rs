//! The calls of the API: which path is which, and the methods that each allows.

use crate::{problem::Problem, request};
use lambda_http::{Request, RequestExt, http::Method};

/// A path of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `/orders`, of the function `ingest`.
    Orders,
    /// `/orders/batch`, of the function `ingest`.
    Batch,
    /// `/orders/{id}`, of the function `status`.
    Order,
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

    /// The methods that the route allows, as the header `Allow` has them.
    pub const fn allowed(self) -> &'static str {
        match self {
            Self::Orders | Self::Batch => "POST",
            Self::Order => "GET, HEAD",
        }
    }

    /// Refuses a method that the route doesn't allow.
    pub fn check(self, method: &Method) -> Result<(), Problem> {
        let allowed = self.allowed();
        if allowed.split(", ").any(|allowed| method == allowed) {
            Ok(())
        } else {
            Err(Problem::MethodNotAllowed(allowed))
        }
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
