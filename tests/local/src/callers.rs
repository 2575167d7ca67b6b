//! Tells the callers that are meant from a web page. A page of any site may send a request to this machine, or let its
//! own name lead here, and would reach tables, queues and functions.

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

/// The names by which containers of Docker and Podman know this machine.
const CONTAINERS: [&str; 2] = ["host.docker.internal", "host.containers.internal"];
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// The addresses that `local` was told to listen on, beside loopback.
#[derive(Debug, Clone, Default)]
pub struct Callers(Vec<IpAddr>);

/// The reason why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub enum Stranger {
    /// It has no `Host`, or several.
    NoHost,
    /// Its `Host` isn't ours: a name that somebody has pointed here.
    Host(String),
    /// It is a web page's.
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
    /// Lets in who calls one of these addresses, or loopback.
    pub fn new(hosts: &[IpAddr]) -> Self {
        Self(hosts.to_vec())
    }

    /// Refuses a request that a web page of another address has sent.
    pub fn check<B>(&self, request: &Request<B>) -> Result<(), Stranger> {
        let host = self.own_host(request)?;
        if is_page(request.headers(), &host) {
            return Err(Stranger::Page);
        }
        Ok(())
    }

    /// The same, but lets in a link on any page that opens this one in a tab of its own, where the other page can't read it.
    pub fn check_page<B>(&self, request: &Request<B>) -> Result<(), Stranger> {
        if is_link(request) {
            return self.own_host(request).map(drop);
        }
        self.check(request)
    }

    /// The same as [`Callers::check`], for what only programs call: refuses each browser, also one too old to say which page
    /// sends its request.
    pub fn check_program<B>(&self, request: &Request<B>) -> Result<(), Stranger> {
        let headers = request.headers();
        let agent = headers.get(header::USER_AGENT);
        let is_browser = agent.is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"));
        if is_browser || headers.contains_key(SEC_FETCH_SITE) {
            return Err(Stranger::Page);
        }
        self.check(request)
    }

    /// The request's `Host`, if it is ours.
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
            // No page can make an address lead elsewhere, so with `--host 0.0.0.0` each is good.
            return address.is_loopback() || is_any || self.0.contains(&address);
        }
        name == "localhost" || name.ends_with(".localhost") || CONTAINERS.contains(&name)
    }
}

/// Answers what the router is asked with 403 if the check refuses them.
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

/// The host without its port, and an IPv6 address without its brackets.
fn name(host: &str) -> &str {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    host.split(':').next().unwrap_or_default()
}

/// Browsers say where a page comes from, at least for requests that aren't harmless. A page of our own is at `host`.
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

/// A link that was followed, or an address that a page sent its own tab to. A frame's `Sec-Fetch-Dest` is another, and a form
/// that is posted has an `Origin`.
fn is_link<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    let is = |name, value| headers.get(name).is_some_and(|found| found == value);
    request.method() == Method::GET
        && is(SEC_FETCH_MODE, "navigate")
        && is(SEC_FETCH_DEST, "document")
        && !headers.contains_key(header::ORIGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hosts: &[&str], headers: &[(&str, &str)]) -> anyhow::Result<Result<(), Stranger>> {
        let hosts: Vec<IpAddr> = hosts
            .iter()
            .map(|host| host.parse())
            .collect::<Result<_, _>>()?;
        let mut request = Request::post("/v1/orders");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Ok(Callers::new(&hosts).check(&request.body(())?))
    }

    #[test]
    fn a_host_must_be_ours() -> anyhow::Result<()> {
        for host in [
            "127.0.0.1:3000",
            "127.0.0.1",
            "127.1.2.3:1",
            "[::1]:3001",
            "localhost",
            "LOCALHOST:3000",
            "orders.localhost:3001",
            "host.docker.internal:3001",
            "host.containers.internal",
        ] {
            assert_eq!(check(&[], &[("host", host)])?, Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:3001",
            "localhost.evil.example",
            "127.0.0.1.evil.example:3001",
            "notlocalhost",
            "192.168.0.7:3001",
            "0.0.0.0:3001",
            "[::ffff:192.168.0.7]",
            "[::1",
            "",
            ":3001",
            "127.0.0.1@evil.example",
            "evil.example@127.0.0.1",
            "2130706433",
        ] {
            let refused = check(&[], &[("host", host)])?;
            assert!(
                matches!(refused, Err(Stranger::Host(_))),
                "{host}: {refused:?}"
            );
        }
        assert_eq!(check(&[], &[])?, Err(Stranger::NoHost));
        let two = [("host", "127.0.0.1"), ("host", "evil.example")];
        assert_eq!(check(&[], &two)?, Err(Stranger::NoHost));
        Ok(())
    }

    #[test]
    fn each_host_adds_its_own_address() -> anyhow::Result<()> {
        let bridge = [("host", "172.17.0.1:3001")];
        assert!(check(&[], &bridge)?.is_err());
        assert!(check(&["172.17.0.2"], &bridge)?.is_err());
        assert_eq!(check(&["172.17.0.2", "172.17.0.1"], &bridge)?, Ok(()));
        assert_eq!(check(&["0.0.0.0"], &bridge)?, Ok(()));
        assert_eq!(check(&["::"], &[("host", "[fd00::7]:3001")])?, Ok(()));
        assert!(check(&["0.0.0.0"], &[("host", "evil.example")])?.is_err());
        Ok(())
    }

    #[test]
    fn no_page_of_another_address_is_let_in() -> anyhow::Result<()> {
        let host = ("host", "localhost:3000");
        for other in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", ""),
            ("origin", "http://localhost:5173"),
            ("origin", "http://127.0.0.1:3000"),
            ("origin", "https://localhost:3000"),
            ("origin", "http://localhost"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            assert_eq!(
                check(&[], &[host, other])?,
                Err(Stranger::Page),
                "{other:?}"
            );
        }
        let two = [
            host,
            ("origin", "http://localhost:3000"),
            ("origin", "null"),
        ];
        assert_eq!(check(&[], &two)?, Err(Stranger::Page));
        for own in [
            ("origin", "http://localhost:3000"),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "none"),
            ("referer", "https://evil.example"),
        ] {
            assert_eq!(check(&[], &[host, own])?, Ok(()), "{own:?}");
        }
        Ok(())
    }

    #[test]
    fn a_link_opens_a_page_and_nothing_else_does() -> anyhow::Result<()> {
        let callers = Callers::default();
        let link = [
            ("host", "localhost:3000"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        let check = |method: &str, changed: &[(&str, &str)]| {
            let mut request = Request::builder().method(method).uri("/").body(())?;
            for (name, value) in link.iter().chain(changed) {
                let name: HeaderName = name.parse()?;
                request.headers_mut().insert(name, value.parse()?);
            }
            assert_eq!(callers.check(&request), Err(Stranger::Page));
            anyhow::Ok(callers.check_page(&request))
        };
        assert_eq!(check("GET", &[])?, Ok(()));
        assert_eq!(check("GET", &[("sec-fetch-site", "same-site")])?, Ok(()));
        for (method, changed) in [
            ("POST", ("sec-fetch-user", "?1")),
            ("OPTIONS", ("sec-fetch-user", "?1")),
            ("GET", ("sec-fetch-mode", "no-cors")),
            ("GET", ("sec-fetch-mode", "cors")),
            ("GET", ("sec-fetch-dest", "iframe")),
            ("GET", ("sec-fetch-dest", "frame")),
            ("GET", ("sec-fetch-dest", "embed")),
            ("GET", ("sec-fetch-dest", "image")),
            ("GET", ("origin", "https://evil.example")),
            ("GET", ("origin", "null")),
        ] {
            let refused = check(method, &[changed])?;
            assert_eq!(refused, Err(Stranger::Page), "{method} {changed:?}");
        }
        // A name that leads here is no link's business.
        let mut request = Request::get("/").body(())?;
        for (name, value) in link {
            let name: HeaderName = name.parse()?;
            request.headers_mut().insert(name, value.parse()?);
        }
        let rebound = "evil.example:3000".parse()?;
        request.headers_mut().insert("host", rebound);
        let refused = callers.check_page(&request);
        assert!(matches!(refused, Err(Stranger::Host(_))), "{refused:?}");
        Ok(())
    }

    #[test]
    fn no_browser_calls_what_is_for_programs() -> anyhow::Result<()> {
        let check = |name: &str, value: &str| {
            let request = Request::get("/").header("host", "127.0.0.1:9001");
            let request = request.header(name, value).body(())?;
            anyhow::Ok(Callers::default().check_program(&request))
        };
        assert_eq!(check("user-agent", "aws-lambda-rust/1.1.1")?, Ok(()));
        assert_eq!(check("accept", "*/*")?, Ok(()));
        for (name, value) in [
            ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Safari/605.1"),
            ("sec-fetch-site", "none"),
            ("sec-fetch-site", "same-origin"),
            ("origin", "null"),
        ] {
            assert_eq!(check(name, value)?, Err(Stranger::Page), "{name} {value}");
        }
        Ok(())
    }
}
