//! Draws one panel of the picture: axes, and lines and areas on them.

use svg::node::element::{Group, Line, Path, Rectangle, Text, path::Data};

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
    pub seconds: f64,
    pub scale: Scale,
}

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
    /// Draws the axes and shades the spike's seconds; `label` writes a number of the vertical axis.
    pub fn axes(&self, spike: (f64, f64), label: impl Fn(f64) -> String) -> Group {
        let bottom = self.y + self.height;
        let shade = Rectangle::new()
            .set("class", "spike")
            .set("x", tenth(self.at(spike.0)))
            .set("y", tenth(self.y))
            .set("width", tenth(self.at(spike.1) - self.at(spike.0)))
            .set("height", tenth(self.height));
        let mut axes = Group::new().add(shade);
        for tick in self.scale.ticks() {
            let y = self.up(tick);
            axes = axes.add(line("grid", (self.x, y), (self.x + self.width, y)));
            axes = axes.add(text("tick end", (self.x - 6.0, y + 4.0), &label(tick)));
        }
        for second in ticks(self.seconds, 7.0) {
            let x = self.at(second);
            axes = axes.add(line("axis", (x, bottom), (x, bottom + 4.0)));
            axes = axes.add(text(
                "tick middle",
                (x, bottom + 16.0),
                &format!("{second:.0}"),
            ));
        }
        axes.add(line(
            "axis",
            (self.x, bottom),
            (self.x + self.width, bottom),
        ))
    }

    /// Draws a line through the values, one a second, with a gap for a missing value.
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

    /// Draws the same, filled down to the axis.
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

/// A text at its baseline's left, middle or end, according to its class.
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

/// Rounds to a tenth of a pixel: nobody can see more, and the file stays small.
fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

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
