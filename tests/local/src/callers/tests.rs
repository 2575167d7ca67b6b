//! Which requests are admitted.

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
fn no_page_of_another_address_is_admitted() -> anyhow::Result<()> {
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
    // A link to a foreign name that leads here is refused.
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
