//! The charts of the last two minutes.

use super::{UNKNOWN, count, rate, time};
use crate::{
    chart::{Panel, Scale, averages},
    console::{
        Console,
        form::Form,
        history::{SECONDS, Sample},
        html::{Html, html},
    },
};
use svg::Document;

/// Seconds of the moving average of written orders.
const AVERAGE: usize = 5;

/// What a chart shows.
struct Chart {
    title: &'static str,
    is_wide: bool,
    scale: Scale,
    /// Formats a number of the vertical axis, and the newest value.
    label: fn(f64) -> String,
    /// The area, if any, and then the lines, each with its colour's class and its name.
    area: Option<(&'static str, &'static str, Vec<Option<f64>>)>,
    lines: Vec<(&'static str, &'static str, Vec<Option<f64>>)>,
}

/// Orders that arrive and orders that are written: what the queue is for.
pub fn wall(console: &Console, _: &Form) -> Html {
    let samples = Samples(console.history().samples());
    let accepted = samples.of(|sample| Some(sample.accepted));
    let asked = samples.of(|sample| Some(sample.asked));
    let written = written(&samples);
    let chart = Chart {
        title: "Orders a second",
        is_wide: true,
        scale: linear(&[&accepted, &written, &asked], 10.0),
        label: rate,
        area: Some(("sent", "accepted", accepted)),
        lines: vec![
            ("asked", "asked for", asked),
            ("written", "written", written),
        ],
    };
    chart.draw()
}

/// Orders written per second, as a moving average: one transaction writes many.
fn written(samples: &Samples) -> Vec<Option<f64>> {
    averages(&samples.of(|sample| Some(sample.written)), AVERAGE)
}

/// The newest of these values.
pub fn written_now(console: &Console) -> Option<f64> {
    let samples = Samples(console.history().samples());
    written(&samples).last().copied().flatten()
}

/// The other charts.
pub fn render(console: &Console, _: &Form) -> Html {
    let samples = Samples(console.history().samples());
    let workers = small(console.system.workers);
    let waiting = samples.of(|sample| Some(large(sample.gauges.waiting)));
    let in_flight = samples.of(|sample| Some(large(sample.gauges.in_flight)));
    let dead = samples.of(|sample| Some(large(sample.gauges.dead)));
    let p50 = samples.of(|sample| sample.p50);
    let p99 = samples.of(|sample| sample.p99);
    let throttled = samples.of(|sample| Some(sample.throttled));
    let conflicts = samples.of(|sample| Some(sample.conflicts));
    let charts = [
        Chart {
            title: "Orders on the queue",
            is_wide: false,
            scale: linear(&[&waiting, &in_flight, &dead], 10.0),
            label: whole,
            area: Some(("waiting", "waiting", waiting)),
            lines: vec![
                ("written", "in flight", in_flight),
                ("refused", "dead", dead),
            ],
        },
        Chart {
            title: "Response time (log scale)",
            is_wide: false,
            scale: Scale::Logarithmic(1.0, 10_f64.powf(most(&[&p99], 10.0).log10().ceil())),
            label: time,
            area: None,
            lines: vec![("p99", "p99", p99), ("p50", "p50", p50)],
        },
        Chart {
            title: "Workers at work",
            is_wide: false,
            scale: Scale::Linear(1.1 * workers),
            label: whole,
            area: Some((
                "busy",
                "busy",
                samples.of(|sample| Some(small(sample.gauges.busy))),
            )),
            lines: vec![("cap", "at most", vec![Some(workers); SECONDS])],
        },
        Chart {
            title: "Writes refused a second",
            is_wide: false,
            scale: linear(&[&throttled, &conflicts], 5.0),
            label: rate,
            area: None,
            lines: vec![
                ("throttled", "throttled", throttled),
                ("refused", "in conflict", conflicts),
            ],
        },
    ];
    let charts: Vec<_> = charts.iter().map(Chart::draw).collect();
    html!("<div class=\"charts\">{}</div>", charts)
}

struct Samples(Vec<Option<Sample>>);

impl Samples {
    /// Returns a value of each sampled second.
    fn of(&self, value: fn(&Sample) -> Option<f64>) -> Vec<Option<f64>> {
        let value = |sample: &Option<Sample>| sample.as_ref().and_then(value);
        self.0.iter().map(value).collect()
    }
}

impl Chart {
    fn draw(&self) -> Html {
        // The wide chart has a second drawing for narrow pages, where its text would be too small.
        let narrow = self.drawing("narrow", 420.0, 170.0);
        let wide = self.is_wide.then(|| self.drawing("broad", 860.0, 230.0));
        let shown = self.legend().into_iter();
        let legend = shown.map(|(class, name, value)| {
            html!("<li class=\"{}\">{} <b>{}</b></li>", class, name, value)
        });
        html!(
            "<figure class=\"{}\"><figcaption><h3>{}</h3><ul class=\"legend\">{}</ul></figcaption>{}{}</figure>",
            if self.is_wide { "chart wide" } else { "chart" },
            self.title,
            legend.collect::<Vec<_>>(),
            wide,
            narrow,
        )
    }

    /// The newest values, with their classes and names.
    fn legend(&self) -> Vec<(&'static str, &'static str, String)> {
        let newest = |values: &[Option<f64>]| {
            let value = values.last().copied().flatten();
            value.map_or(UNKNOWN.to_owned(), self.label)
        };
        let shown = self.area.iter().chain(&self.lines);
        let entries = shown.map(|(class, name, values)| (*class, *name, newest(values)));
        entries.collect()
    }

    fn drawing(&self, class: &str, width: f64, height: f64) -> Html {
        let panel = Panel {
            x: 58.0,
            y: 8.0,
            width: width - 80.0,
            height: height - 32.0,
            seconds: small(SECONDS),
            scale: self.scale,
        };
        let ago = |second: f64| match small(SECONDS) - second {
            0.0 => "now".to_owned(),
            ago => format!("−{ago:.0} s"),
        };
        let mut drawing = panel.axes(None, self.label, ago);
        if let Some((class, _, values)) = &self.area {
            let values: Vec<_> = values.iter().map(|value| value.unwrap_or(0.0)).collect();
            drawing = drawing.add(panel.area(class, &values));
        }
        for (class, _, values) in &self.lines {
            drawing = drawing.add(panel.line(class, values));
        }
        let words = self.legend().into_iter();
        let words = words.map(|(_, name, value)| format!("{name} {value}"));
        let words = words.collect::<Vec<_>>().join(", ");
        let drawing = Document::new()
            .set("class", class)
            .set("viewBox", (0, 0, width, height))
            .set("role", "img")
            .set(
                "aria-label",
                format!("{} over the last two minutes; now {words}", self.title),
            )
            .add(drawing);
        Html(drawing.to_string())
    }
}

/// An axis with room above the values, and at least up to `least`.
fn linear(values: &[&Vec<Option<f64>>], least: f64) -> Scale {
    Scale::Linear(1.1 * most(values, least))
}

fn most(values: &[&Vec<Option<f64>>], least: f64) -> f64 {
    let values = values.iter().flat_map(|values| values.iter().flatten());
    values.copied().fold(least, f64::max)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(value: f64) -> String {
    count(value.max(0.0) as u64)
}

#[expect(clippy::cast_precision_loss)]
fn large(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss)]
fn small(count: usize) -> f64 {
    count as f64
}
