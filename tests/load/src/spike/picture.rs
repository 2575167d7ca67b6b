//! Draws the picture: a column for each run; orders, waiting orders and response times over the same seconds.

use super::{
    Options,
    run::Run,
    series::{Second, Series},
};
use local::chart::{Panel, STYLE, Scale, averages, text};
use svg::{
    Document,
    node::element::{Group, Rectangle, Style},
};

/// Width in pixels: roughly that of a README.
const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 620.0;
/// Margin beside the panels, for the numbers.
const LEFT: f64 = 62.0;
const RIGHT: f64 = 16.0;
/// Margin above the first panel, and between panels.
const TOP: f64 = 84.0;
const GAP: f64 = 62.0;
const PANEL: f64 = 120.0;

/// Seconds of the moving average of written orders: one transaction writes many orders.
const AVERAGE: usize = 5;

/// Draws the runs side by side, with the same axes.
pub fn picture(options: &Options, runs: &[Run]) -> String {
    let series: Vec<_> = runs.iter().map(Series::of).collect();
    let all = || series.iter().flat_map(|series| &series.seconds);
    let most = |of: fn(&Second) -> f64| all().map(of).fold(1.0, f64::max);
    let scales = [
        Scale::Linear(1.1 * most(|second| count(second.due.max(second.asked)))),
        Scale::Linear(1.1 * most(|second| count(second.waiting))),
        Scale::Logarithmic(
            1.0,
            10_f64.powf(most(|second| ms(second.p99)).log10().ceil().max(1.0)),
        ),
    ];
    let seconds = series
        .iter()
        .map(|series| count(series.seconds.len()))
        .fold(1.0, f64::max);
    let columns = count(runs.len().max(1));
    let width = (WIDTH - (LEFT + RIGHT) * columns) / columns;
    let mut document = Document::new()
        .set("viewBox", (0, 0, WIDTH, HEIGHT))
        .set("role", "img")
        .set(
            "aria-label",
            "Orders, waiting orders and response times under a spike",
        )
        .add(Style::new(STYLE))
        .add(
            Rectangle::new()
                .set("class", "back")
                .set("width", WIDTH)
                .set("height", HEIGHT),
        );
    for (column, (run, series)) in runs.iter().zip(&series).enumerate() {
        let x = LEFT + count(column) * (LEFT + width + RIGHT);
        let panels = [0.0, 1.0, 2.0].map(|row| TOP + row * (PANEL + GAP));
        document = document.add(text("title", (x, 30.0), run.name));
        for (row, (y, scale)) in panels.into_iter().zip(scales).enumerate() {
            let panel = Panel {
                x,
                y,
                width,
                height: PANEL,
                seconds,
                scale,
            };
            document = document.add(draw(options, row, &panel, &series.seconds));
        }
        let below = (x + width / 2.0, HEIGHT - 12.0);
        document = document.add(text("middle", below, "seconds; the spike is shaded"));
    }
    document.to_string()
}

fn draw(options: &Options, row: usize, panel: &Panel, seconds: &[Second]) -> Group {
    let spike = Some((options.begin().as_secs_f64(), options.end().as_secs_f64()));
    let (x, y) = (panel.x, panel.y - 12.0);
    let number = |value: f64| {
        if value >= 10_000.0 {
            format!("{:.0}k", value / 1000.0)
        } else {
            format!("{value:.0}")
        }
    };
    let time = |value: f64| {
        if value >= 1000.0 {
            format!("{:.0} s", value / 1000.0)
        } else {
            format!("{value:.0} ms")
        }
    };
    let second = |second: f64| format!("{second:.0}");
    let of = |value: fn(&Second) -> f64| seconds.iter().map(value).collect::<Vec<_>>();
    let mean = |value: fn(&Second) -> f64| {
        let values: Vec<_> = seconds.iter().map(|second| Some(value(second))).collect();
        averages(&values, AVERAGE)
    };
    let answered = |value: fn(&Second) -> f64| {
        let value = |second: &Second| (second.due > 0).then(|| value(second));
        seconds.iter().map(value).collect::<Vec<_>>()
    };
    match row {
        0 => panel
            .axes(spike, number, second)
            .add(panel.area("sent", &of(|second| count(second.due))))
            .add(panel.line("asked", &mean(|second| count(second.asked))))
            .add(panel.line("refused", &mean(|second| count(second.refused))))
            .add(panel.line("written", &mean(|second| count(second.written))))
            .add(text("panel", (x, y), "orders a second"))
            .add(text("sent", (x + 112.0, y), "sent"))
            .add(text("written", (x + 146.0, y), "written"))
            .add(text("asked", (x + 198.0, y), "asked for"))
            .add(text("refused", (x + 260.0, y), "refused")),
        1 => panel
            .axes(spike, number, second)
            .add(panel.area("waiting", &of(|second| count(second.waiting))))
            .add(text("panel", (x, y), "orders waiting for their outcome")),
        _ => panel
            .axes(spike, time, second)
            .add(panel.line("p99", &answered(|second| ms(second.p99))))
            .add(panel.line("p50", &answered(|second| ms(second.p50))))
            .add(text("panel", (x, y), "response time (log scale)"))
            .add(text("p50", (x + 178.0, y), "p50"))
            .add(text("p99", (x + 212.0, y), "p99")),
    }
}

fn ms(time: std::time::Duration) -> f64 {
    1000.0 * time.as_secs_f64()
}

#[expect(clippy::cast_precision_loss)]
fn count(count: usize) -> f64 {
    count as f64
}
