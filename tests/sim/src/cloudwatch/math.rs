//! Metric math, as far as the template's alarms use it: numbers, metrics by their ids, `+ - * /`, `>`, parentheses, `IF` and
//! `FILL`. A metric without a datapoint is missing, and so is everything computed from it.

/// The value of an expression; `None`: it is missing. Panics if it can't parse the expression.
pub fn evaluate(expression: &str, metric: impl Fn(&str) -> Option<f64>) -> Option<f64> {
    let mut parser = Parser {
        rest: expression.trim(),
        metric: &metric,
    };
    let value = parser.comparison();
    assert!(parser.rest.is_empty(), "{:?} of {expression}", parser.rest);
    value
}

struct Parser<'a> {
    rest: &'a str,
    metric: &'a dyn Fn(&str) -> Option<f64>,
}

impl Parser<'_> {
    fn comparison(&mut self) -> Option<f64> {
        let left = self.sum();
        if !self.take(">") {
            return left;
        }
        let right = self.sum();
        Some(f64::from(u8::from(left? > right?)))
    }

    fn sum(&mut self) -> Option<f64> {
        let mut value = self.product();
        loop {
            let is_plus = self.take("+");
            if !is_plus && !self.take("-") {
                return value;
            }
            let other = self.product();
            value = (|| {
                Some(if is_plus {
                    value? + other?
                } else {
                    value? - other?
                })
            })();
        }
    }

    fn product(&mut self) -> Option<f64> {
        let mut value = self.operand();
        loop {
            let is_times = self.take("*");
            if !is_times && !self.take("/") {
                return value;
            }
            let other = self.operand();
            value = (|| {
                Some(if is_times {
                    value? * other?
                } else {
                    value? / other?
                })
            })();
            value = value.filter(|value| value.is_finite());
        }
    }

    fn operand(&mut self) -> Option<f64> {
        if self.take("(") {
            let value = self.comparison();
            self.expect(")");
            return value;
        }
        if self.take("IF(") {
            let [condition, yes, no] = self.arguments();
            return if condition? > 0.0 { yes } else { no };
        }
        if self.take("FILL(") {
            let [value, missing] = self.arguments();
            return value.or(missing);
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        assert!(!word.is_empty(), "{:?}", self.rest);
        self.rest = rest.trim_start();
        word.parse().ok().or_else(|| (self.metric)(word))
    }

    fn arguments<const N: usize>(&mut self) -> [Option<f64>; N] {
        std::array::from_fn(|n| {
            let value = self.comparison();
            self.expect(if n + 1 == N { ")" } else { "," });
            value
        })
    }

    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.map_or(self.rest, str::trim_start);
        rest.is_some()
    }

    fn expect(&mut self, token: &str) {
        assert!(self.take(token), "{token} is missing at {:?}", self.rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn math_is_as_cloudwatch_does_it() {
        let check = |expression: &str, expected| {
            let metric = |id: &str| match id {
                "two" => Some(2.0),
                "zero" => Some(0.0),
                _ => None,
            };
            assert_eq!(evaluate(expression, metric), expected, "{expression}");
        };
        check("two", Some(2.0));
        check("1 + two * 3 - 4 / two", Some(5.0));
        check("60 * (two + two) / 3", Some(80.0));
        check("two / zero", None);
        check("two + gone", None);
        check("FILL(gone, 1)", Some(1.0));
        check("FILL(two, 1)", Some(2.0));
        check("IF(two > 1, 7, 8)", Some(7.0));
        check(
            "IF(zero > 1, 7, IF(two + zero > 1, 86400, 0))",
            Some(86400.0),
        );
        check("IF(gone > 1, 7, 8)", None);
        check("IF(two > 1, 7, gone)", Some(7.0));
    }
}
