//! Draws a chart: axes, and lines and areas on them, for the picture of `tests/load` and for the console.

use svg::node::element::{Group, Line, Path, Rectangle, Text, path::Data};

/// The colours of charts, light or dark as the reader prefers. What a line or an area shows is its class.
pub const STYLE: &str = "
text { font: 12px system-ui, sans-serif; fill: #424a53 }
.title { font-size: 16px; font-weight: 600; fill: #1f2328 }
.panel { font-weight: 600 }
.middle { text-anchor: middle } .end { text-anchor: end }
.back { fill: #ffffff } .spike { fill: #eef1f4 } .grid { stroke: #d8dee4 } .axis { stroke: #6e7781 }
path { fill: none; stroke-width: 1.8 }
.sent { fill: #b6bfc9 } .written { stroke: #0969da } .refused { stroke: #cf222e } .waiting { fill: #e8a33d }
.asked { stroke: #8250df }
.p50 { stroke: #1a7f37 } .p99 { stroke: #8250df }
text.sent { fill: #57606a } text.written { fill: #0969da; stroke: none } text.refused { fill: #cf222e; stroke: none }
text.asked { fill: #8250df; stroke: none } text.p50 { fill: #1a7f37; stroke: none } text.p99 { fill: #8250df; stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #b1bac4 } .title { fill: #f0f6fc }
  .back { fill: #0d1117 } .spike { fill: #1c232c } .grid { stroke: #30363d } .axis { stroke: #8b949e }
  .sent { fill: #57606a } .written { stroke: #58a6ff } .refused { stroke: #ff7b72 } .waiting { fill: #bb8009 }
  .p50 { stroke: #3fb950 } .p99 { stroke: #bc8cff }
  text.sent { fill: #b1bac4 } text.written { fill: #58a6ff } text.refused { fill: #ff7b72 }
  .asked { stroke: #bc8cff } text.asked { fill: #bc8cff } text.p50 { fill: #3fb950 } text.p99 { fill: #bc8cff }
}";

/// The place of a panel, and its axes.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Left edge of the plot.
    pub x: f64,
    /// Top of the plot.
    pub y: f64,
    /// Width of the plot.
    pub width: f64,
    /// Height of the plot.
    pub height: f64,
    /// Length of the horizontal axis.
    pub seconds: f64,
    /// The vertical axis.
    pub scale: Scale,
}

/// A vertical axis.
#[derive(Debug, Clone, Copy)]
pub enum Scale {
    /// From zero to this value.
    Linear(f64),
    /// From one value to the other, both above zero.
    Logarithmic(f64, f64),
}

/// Steps of a numeric axis in round numbers: 1, 2 or 5 times a power of ten, at most `most` of them.
pub fn ticks(max: f64, most: f64) -> Vec<f64> {
    if max <= 0.0 {
        return vec![0.0];
    }
    let power = 10_f64.powf((max / most).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|n| n * power);
    let step = step
        .into_iter()
        .find(|step| max / step <= most)
        .unwrap_or(max);
    let mut ticks = vec![0.0];
    while ticks
        .last()
        .is_some_and(|last| last + step <= max * 1.000_001)
    {
        ticks.push(ticks.last().copied().unwrap_or_default() + step);
    }
    ticks
}

impl Scale {
    fn share(self, value: f64) -> f64 {
        let share = match self {
            Self::Linear(max) => value / max.max(f64::EPSILON),
            Self::Logarithmic(least, most) => (value.max(least) / least).ln() / (most / least).ln(),
        };
        share.clamp(0.0, 1.0)
    }

    fn ticks(self) -> Vec<f64> {
        match self {
            Self::Linear(max) => ticks(max, 4.0),
            Self::Logarithmic(least, most) => {
                let mut ticks = vec![least];
                while ticks
                    .last()
                    .is_some_and(|last| last * 10.0 <= most * 1.000_001)
                {
                    ticks.push(ticks.last().copied().unwrap_or(most) * 10.0);
                }
                ticks
            }
        }
    }
}

impl Panel {
    /// Draws the axes, and shades these seconds, if any. `label` formats a number of the vertical axis, `time` one of the
    /// horizontal axis.
    pub fn axes(
        &self,
        shaded: Option<(f64, f64)>,
        label: impl Fn(f64) -> String,
        time: impl Fn(f64) -> String,
    ) -> Group {
        let bottom = self.y + self.height;
        let mut axes = Group::new();
        if let Some((begin, end)) = shaded {
            let shade = Rectangle::new()
                .set("class", "spike")
                .set("x", tenth(self.at(begin)))
                .set("y", tenth(self.y))
                .set("width", tenth(self.at(end) - self.at(begin)))
                .set("height", tenth(self.height));
            axes = axes.add(shade);
        }
        for tick in self.scale.ticks() {
            let y = self.up(tick);
            axes = axes.add(line("grid", (self.x, y), (self.x + self.width, y)));
            axes = axes.add(text("tick end", (self.x - 6.0, y + 4.0), &label(tick)));
        }
        for second in ticks(self.seconds, 7.0) {
            let x = self.at(second);
            axes = axes.add(line("axis", (x, bottom), (x, bottom + 4.0)));
            axes = axes.add(text("tick middle", (x, bottom + 16.0), &time(second)));
        }
        axes.add(line(
            "axis",
            (self.x, bottom),
            (self.x + self.width, bottom),
        ))
    }

    /// Draws a line through the values, one per second, with a gap for a missing value.
    pub fn line(&self, class: &str, values: &[Option<f64>]) -> Path {
        let mut data = Data::new();
        let mut drawing = false;
        for (second, value) in (0_u32..).zip(values) {
            let Some(value) = value else {
                drawing = false;
                continue;
            };
            let point = (
                tenth(self.at(f64::from(second) + 0.5)),
                tenth(self.up(*value)),
            );
            data = if drawing {
                data.line_to(point)
            } else {
                data.move_to(point)
            };
            drawing = true;
        }
        Path::new().set("class", class).set("d", data)
    }

    /// Draws the same line, filled down to the axis.
    pub fn area(&self, class: &str, values: &[f64]) -> Path {
        let bottom = tenth(self.y + self.height);
        let mut data = Data::new().move_to((tenth(self.x), bottom));
        for (second, value) in (0_u32..).zip(values) {
            let y = tenth(self.up(*value));
            let (left, right) = (f64::from(second), f64::from(second) + 1.0);
            data = data
                .line_to((tenth(self.at(left)), y))
                .line_to((tenth(self.at(right)), y));
        }
        let right = self.at(f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX)));
        data = data.line_to((tenth(right), bottom)).close();
        Path::new().set("class", class).set("d", data)
    }

    fn at(&self, second: f64) -> f64 {
        self.x + self.width * (second / self.seconds).clamp(0.0, 1.0)
    }

    fn up(&self, value: f64) -> f64 {
        self.y + self.height * (1.0 - self.scale.share(value))
    }
}

/// Averages each value with those of the seconds around it, `most` at a time; missing values stay missing.
pub fn averages(values: &[Option<f64>], most: usize) -> Vec<Option<f64>> {
    let mean = |n: usize| {
        let around = n.saturating_sub(most / 2)..(n + most / 2 + 1).min(values.len());
        let (count, sum) = values[around]
            .iter()
            .flatten()
            .fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
        values[n].map(|_| sum / count)
    };
    (0..values.len()).map(mean).collect()
}

/// Places a text by its baseline's left, middle or end, depending on its class.
pub fn text(class: &str, (x, y): (f64, f64), content: &str) -> Text {
    Text::new(content)
        .set("class", class)
        .set("x", tenth(x))
        .set("y", tenth(y))
}

fn line(class: &str, from: (f64, f64), to: (f64, f64)) -> Line {
    Line::new()
        .set("class", class)
        .set("x1", tenth(from.0))
        .set("y1", tenth(from.1))
        .set("x2", tenth(to.0))
        .set("y2", tenth(to.1))
}

/// Rounds to a tenth of a pixel: more can't be seen, and the file stays small.
fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_is_of_what_is_there() {
        let values = [Some(3.0), None, Some(6.0), Some(9.0)];
        assert_eq!(
            averages(&values, 3),
            [Some(3.0), None, Some(7.5), Some(7.5)]
        );
        assert_eq!(averages(&values, 1), values);
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(ticks(750.0, 4.0), [0.0, 200.0, 400.0, 600.0]);
        assert_eq!(
            ticks(310.0, 7.0),
            [0.0, 50.0, 100.0, 150.0, 200.0, 250.0, 300.0]
        );
        assert_eq!(ticks(1.0, 4.0), [0.0, 0.5, 1.0]);
        assert_eq!(ticks(0.0, 4.0), [0.0]);
        assert_eq!(
            Scale::Logarithmic(1.0, 1000.0).ticks(),
            [1.0, 10.0, 100.0, 1000.0]
        );
    }
}
