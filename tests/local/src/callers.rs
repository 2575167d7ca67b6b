//! Distinguishes intended callers from web pages. A page of any site may send a request to this machine, or point its own name
//! here, and would reach tables, queues and functions.

use axum::{
    Router,
    extract::Request as Received,
    http::StatusCode,
    middleware::{Next, from_fn},
    response::IntoResponse,
};
use hyper::{
    HeaderMap, Method, Request,
    header::{self, HeaderName},
    http::uri::Authority,
};
use std::{
    fmt::{self, Display, Formatter},
    net::IpAddr,
};

/// The names under which containers of Docker and Podman know this machine.
const CONTAINERS: [&str; 2] = ["host.docker.internal", "host.containers.internal"];
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// The addresses that `local` listens on, in addition to loopback.
#[derive(Debug, Clone, Default)]
pub struct Callers(Vec<IpAddr>);

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub enum Stranger {
    /// It has no `Host`, or several.
    NoHost,
    /// Its `Host` isn't ours: a name that someone has pointed here.
    Host(String),
    /// A web page sent it.
    Page,
}

impl Display for Stranger {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHost => f.write_str("the request must have one Host header"),
            Self::Host(host) => write!(
                f,
                "`local` isn't called {host:?}: use 127.0.0.1 or localhost, or start it with --host ADDRESS"
            ),
            Self::Page => {
                f.write_str("`local` takes no requests from web pages of other addresses")
            }
        }
    }
}

impl Callers {
    /// Admits callers of these addresses, and of loopback.
    pub fn new(hosts: &[IpAddr]) -> Self {
        Self(hosts.to_vec())
    }

    /// Refuses a request that a web page of another address sent.
    pub fn check<B>(&self, request: &Request<B>) -> Result<(), Stranger> {
        let host = self.own_host(request)?;
        if is_page(request.headers(), &host) {
            return Err(Stranger::Page);
        }
        Ok(())
    }

    /// Does the same, but admits a link on any page that opens this one in a tab of its own, where the other page can't read
    /// it.
    pub fn check_page<B>(&self, request: &Request<B>) -> Result<(), Stranger> {
        if is_link(request) {
            return self.own_host(request).map(drop);
        }
        self.check(request)
    }

    /// Does the same as [`Callers::check`] for what only programs call: refuses every browser, even one too old to send the
    /// page's origin.
    pub fn check_program<B>(&self, request: &Request<B>) -> Result<(), Stranger> {
        let headers = request.headers();
        let agent = headers.get(header::USER_AGENT);
        let is_browser = agent.is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"));
        if is_browser || headers.contains_key(SEC_FETCH_SITE) {
            return Err(Stranger::Page);
        }
        self.check(request)
    }

    /// Returns the request's `Host`, if it is ours.
    fn own_host<B>(&self, request: &Request<B>) -> Result<String, Stranger> {
        let headers = request.headers();
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(Stranger::NoHost);
        };
        let host = String::from_utf8_lossy(host.as_bytes()).to_ascii_lowercase();
        let authority = request.uri().authority();
        for host in [Some(&*host), authority.map(Authority::as_str)] {
            if let Some(host) = host.filter(|host| !self.is_ours(host)) {
                return Err(Stranger::Host(host.to_owned()));
            }
        }
        Ok(host)
    }

    fn is_ours(&self, host: &str) -> bool {
        let name = name(host);
        if let Ok(address) = name.parse::<IpAddr>() {
            let is_any = self.0.iter().any(IpAddr::is_unspecified);
            // A web page can make a host name resolve to this machine, but not an IP address, so with `--host 0.0.0.0` every
            // address is fine.
            return address.is_loopback() || is_any || self.0.contains(&address);
        }
        name == "localhost" || name.ends_with(".localhost") || CONTAINERS.contains(&name)
    }
}

/// Makes the router answer 403 when the check refuses a request.
pub fn guard<S>(
    router: Router<S>,
    check: impl Fn(&Received) -> Result<(), Stranger> + Clone + Send + Sync + 'static,
) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    router.layer(from_fn(move |request: Received, next: Next| {
        let checked = check(&request);
        async move {
            match checked {
                Ok(()) => next.run(request).await,
                Err(stranger) => (StatusCode::FORBIDDEN, stranger.to_string()).into_response(),
            }
        }
    }))
}

/// The host without its port; an IPv6 address without its brackets.
fn name(host: &str) -> &str {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    host.split(':').next().unwrap_or_default()
}

/// Browsers send a page's origin, at least for requests that aren't harmless. Our own pages are at `host`.
fn is_page(headers: &HeaderMap, host: &str) -> bool {
    let own = format!("http://{host}");
    let origins = headers.get_all(header::ORIGIN).iter();
    let is_other = |origin: &[u8]| !origin.eq_ignore_ascii_case(own.as_bytes());
    let site = headers.get(SEC_FETCH_SITE);
    let is_elsewhere = site.is_some_and(|site| site != "same-origin" && site != "none");
    is_elsewhere
        || origins
            .into_iter()
            .any(|origin| is_other(origin.as_bytes()))
}

/// Whether a link was followed, or a page navigated its own tab. A frame has another `Sec-Fetch-Dest`, and a posted form an
/// `Origin`.
fn is_link<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    let is = |name, value| headers.get(name).is_some_and(|found| found == value);
    request.method() == Method::GET
        && is(SEC_FETCH_MODE, "navigate")
        && is(SEC_FETCH_DEST, "document")
        && !headers.contains_key(header::ORIGIN)
}

#[cfg(test)]
mod tests;
