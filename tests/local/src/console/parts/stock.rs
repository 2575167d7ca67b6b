//! The stock of each article.

use crate::console::{
    Console,
    form::Form,
    html::{Html, html},
};
use dynoxide::{Item, actions::scan::ScanRequest};
use events::order::kit;

/// The number of articles to show.
const SHOWN: usize = 40;

pub fn render(console: &Console, _: &Form) -> Html {
    let request = ScanRequest {
        table_name: console.system.articles.clone(),
        ..ScanRequest::default()
    };
    // Reads the first page, which is 1 MB.
    let page = console.database.scan(request).ok();
    let rows = page.and_then(|page| page.items).unwrap_or_default();
    let article = |row: Item| {
        let row = serde_json::to_value(row).ok()?;
        let left = kit::left_in(&row).map_or("not a number".to_owned(), |left| left.to_string());
        Some((kit::key_of(&row)?.to_owned(), left))
    };
    let mut articles: Vec<_> = rows.into_iter().filter_map(article).collect();
    if articles.is_empty() {
        return html!("<p>No article.</p>");
    }
    articles.sort();
    let more = articles.len().saturating_sub(SHOWN);
    let rows = articles.into_iter().take(SHOWN).map(|(key, left)| {
        let class = if left == "0" { "number none" } else { "number" };
        html!(
            "<tr><th scope=\"row\">{}</th><td class=\"{}\">{}</td></tr>",
            key,
            class,
            left
        )
    });
    html!(
        "<table class=\"stock\"><thead><tr><th scope=\"col\">Article</th><th scope=\"col\" class=\"number\">In stock</th></tr>\
         </thead><tbody>{}</tbody></table>{}",
        rows.collect::<Vec<_>>(),
        (more > 0).then(|| html!("<p>and {} more</p>", more)),
    )
}
