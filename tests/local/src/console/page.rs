//! The whole page: without script it works too, as of when it was loaded.

use super::{
    Console,
    form::Form,
    html::{Html, html},
    parts::{LIVE, faults},
};
use crate::chart;
use axum::{
    extract::State,
    http::{
        HeaderName, HeaderValue, Uri,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// Allows only our own style and script, and no other page to frame this one.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// `GET /`; `?order=ID` shows an order.
pub async fn page(State(console): State<Arc<Console>>, uri: Uri) -> Response {
    let form = Form::read(uri.query().unwrap_or_default().as_bytes());
    render(&console, &form, None).into_response()
}

pub async fn style() -> Response {
    let style = format!("{}\n{}", chart::STYLE, include_str!("style.css"));
    respond("text/css; charset=utf-8", style)
}

pub async fn script() -> Response {
    respond(
        "text/javascript; charset=utf-8",
        include_str!("script.js").to_owned(),
    )
}

/// Renders the page. `refused` is the part whose button failed, and the reason.
pub fn render(
    console: &Arc<Console>,
    form: &Form,
    refused: Option<(&'static str, &str)>,
) -> Response {
    console.look();
    let live = |id: &str| {
        let part = LIVE.into_iter().find(|(name, _)| *name == id);
        let part = part.map(|(_, render)| render(console, form));
        html!("<div id=\"{}\">{}</div>", id, part)
    };
    let alert = |part: &str| {
        let reason = refused.filter(|(refused, _)| *refused == part);
        reason.map(|(_, reason)| html!("<p role=\"alert\" class=\"alert\">{}</p>", reason))
    };
    let system = &console.system;
    let faults_open = refused.is_some_and(|(part, _)| part == "faults");
    let page = html!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Order intake, live</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"/.console/style.css\">\
         <script src=\"/.console/script.js\" defer></script></head><body>\
         <a class=\"skip\" href=\"#main\">Skip to the numbers</a>\
         <header><div><h1>Order intake</h1><p>API <code>{}</code>, services <code>{}</code></p></div>\
         <p class=\"state\"><span id=\"state\" role=\"status\">As it was when this page was made</span> \
         <button id=\"pause\" type=\"button\" hidden>Pause</button><noscript><a href=\"/\">Reload</a></noscript></p></header>\
         <main id=\"main\">{}\
         <section id=\"load\" aria-labelledby=\"load-title\"><h2 id=\"load-title\">Load</h2>{}{}{}{}</section>\
         <section aria-labelledby=\"system-title\"><h2 id=\"system-title\">System</h2>{}{}</section>\
         <section id=\"orders\" aria-labelledby=\"orders-title\"><h2 id=\"orders-title\">Latest orders</h2>{}{}</section>\
         <div class=\"columns\">\
         <section id=\"dead-letters\" aria-labelledby=\"dead-title\"><h2 id=\"dead-title\">Dead letters</h2>{}{}</section>\
         <section aria-labelledby=\"stock-title\"><h2 id=\"stock-title\">Stock</h2>{}</section></div>\
         <section id=\"faults\" aria-labelledby=\"faults-title\"><h2 id=\"faults-title\">Faults</h2>{}{}\
         <details{}><summary>Switch a fault on</summary>{}</details></section></main></body></html>\n",
        system.api,
        system.services,
        html!(
            "<section id=\"order\" aria-label=\"One order\">{}</section>",
            live("live-order")
        ),
        alert("load"),
        spike(),
        live("live-spike"),
        live("live-wall"),
        live("live-system"),
        live("live-charts"),
        find(form),
        live("live-orders"),
        alert("dead-letters"),
        live("live-dead-letters"),
        live("live-stock"),
        alert("faults"),
        live("live-faults"),
        faults_open.then(|| html!(" open")),
        faults::forms(console),
    );
    respond("text/html; charset=utf-8", page.0)
}

fn spike() -> Html {
    html!(
        "<form class=\"spike-form\" method=\"post\" action=\"/.console/spike\">\
         <p><label for=\"spike-rate\">Orders a second</label> \
         <input id=\"spike-rate\" name=\"rate\" type=\"number\" min=\"1\" max=\"2000\" required value=\"200\"></p>\
         <p><label for=\"spike-seconds\">for seconds</label> \
         <input id=\"spike-seconds\" name=\"seconds\" type=\"number\" min=\"1\" max=\"120\" required value=\"15\"></p>\
         <p><label for=\"spike-units\">while the tables take, in write units a second</label> \
         <input id=\"spike-units\" name=\"units\" type=\"number\" min=\"10\" max=\"100000\" required value=\"300\"></p>\
         <button id=\"spike\" class=\"main\">Send a spike</button></form>"
    )
}

fn find(form: &Form) -> Html {
    html!(
        "<form class=\"find\" method=\"get\" action=\"/\"><label for=\"find\">Find an order by its id</label> \
         <input id=\"find\" name=\"order\" autocomplete=\"off\" spellcheck=\"false\" value=\"{}\"> <button>Show</button></form>",
        form.get("order"),
    )
}

fn respond(kind: &'static str, body: String) -> Response {
    let headers: [(HeaderName, &str); 5] = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Without any referrer, browsers would send `Origin: null` with our own forms.
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    (headers, body).into_response()
}
