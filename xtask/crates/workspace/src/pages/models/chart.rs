//! A chart of a metric over the versions of a model.

use maud::{Markup, html};

use super::super::formatting::metric as written;

/// Pixels; the plot lies between the margins.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 210.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 30.0;
/// More labels on the axis would overlap.
const LABELS: usize = 14;

#[derive(Debug)]
pub(super) struct Point {
    pub version: i64,
    pub value: f64,
    pub link: String,
    pub class: &'static str,
    /// Added to the tooltip, for example aliases.
    pub note: String,
}

/// Points come in the order of versions.
pub(super) fn chart(name: &str, points: &[Point]) -> Markup {
    // Values that are not finite, or too large for a finite scale, are left out.
    let finite: Vec<&Point> = points
        .iter()
        .filter(|point| point.value.abs() < 1e300)
        .collect();
    if finite.is_empty() {
        return html! {};
    }
    let scale = Scale::of(&finite);
    let every = finite.len().div_ceil(LABELS);
    let line: Vec<String> = finite
        .iter()
        .enumerate()
        .map(|(index, point)| format!("{:.1},{:.1}", scale.x(index), scale.y(point.value)))
        .collect();
    html! {
        div.wide.chart-frame tabindex="0" role="group" aria-label={ "Drawing of " (name) " over the versions" } {
            svg.chart xmlns="http://www.w3.org/2000/svg" width=(WIDTH) height=(HEIGHT) viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } {
                @for value in scale.ticks() {
                    line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(one(scale.y(value))) y2=(one(scale.y(value))) {}
                    text.tick x=(LEFT - 10.0) y=(one(scale.y(value) + 4.0)) text-anchor="end" { (written(value)) }
                }
                polyline.line points=(line.join(" ")) {}
                @for (index, point) in finite.iter().enumerate() {
                    @if index % every == 0 || index + 1 == finite.len() {
                        text.tick x=(one(scale.x(index))) y=(HEIGHT - 8.0) text-anchor="middle" { (point.version) }
                    }
                    (dot(&scale, index, point))
                }
            }
        }
    }
}

fn dot(scale: &Scale, index: usize, point: &Point) -> Markup {
    let told = format!(
        "Version {}: {}{}",
        point.version,
        written(point.value),
        point.note
    );
    html! {
        a.dot.(point.class) href=(point.link) aria-label=(told) {
            title { (told) }
            circle cx=(one(scale.x(index))) cy=(one(scale.y(point.value))) r="5.5" {}
        }
    }
}

fn one(number: f64) -> String {
    format!("{number:.1}")
}

struct Scale {
    low: f64,
    high: f64,
    count: usize,
}

impl Scale {
    fn of(points: &[&Point]) -> Scale {
        let values = || points.iter().map(|point| point.value);
        let (low, high) = (
            values().fold(f64::INFINITY, f64::min),
            values().fold(f64::NEG_INFINITY, f64::max),
        );
        // Some margin; a flat line is centred.
        let room = ((high - low) * 0.1).max(high.abs() * 1e-3).max(1e-9);
        Scale {
            low: low - room,
            high: high + room,
            count: points.len(),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a model has fewer versions than f64 has integers"
    )]
    fn x(&self, index: usize) -> f64 {
        let inner = WIDTH - LEFT - RIGHT - 24.0;
        match self.count {
            1 => LEFT + 12.0 + inner / 2.0,
            count => LEFT + 12.0 + inner * index as f64 / (count - 1) as f64,
        }
    }

    fn y(&self, value: f64) -> f64 {
        let inner = HEIGHT - TOP - BOTTOM;
        TOP + inner * (self.high - value) / (self.high - self.low)
    }

    /// Round values on the axis.
    fn ticks(&self) -> Vec<f64> {
        let rough = (self.high - self.low) / 6.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        let mut ticks = Vec::new();
        let mut value = (self.low / step).ceil() * step;
        while value <= self.high && ticks.len() < 8 {
            ticks.push(value);
            value += step;
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(version: i64, value: f64) -> Point {
        Point {
            version,
            value,
            link: "/v".to_owned(),
            class: "ok",
            note: " <".to_owned(),
        }
    }

    #[test]
    fn every_version_has_a_dot_that_says_its_number() {
        let drawn = chart("m", &[point(1, 2.5), point(2, 2.0), point(3, f64::NAN)]).into_string();
        assert_eq!(drawn.matches("<circle").count(), 2);
        assert!(drawn.contains("Version 1: 2.5 &lt;"), "{drawn}");
        assert!(
            !drawn.contains("NaN") && !drawn.contains("style="),
            "{drawn}"
        );
    }

    #[test]
    fn equal_numbers_a_single_one_and_huge_ones_are_drawn() {
        for points in [
            vec![point(1, 0.0)],
            vec![point(1, 5.0), point(2, 5.0)],
            vec![point(1, 1.5e308), point(2, -9e299), point(3, 9e299)],
        ] {
            let drawn = chart("m", &points).into_string();
            assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        }
        assert_eq!(chart("m", &[]).into_string(), "");
    }

    #[test]
    fn marks_at_the_side_are_round_numbers() {
        let (a, b) = (point(1, 2.03), point(2, 2.91));
        let ticks = Scale::of(&[&a, &b]).ticks();
        assert!((3..=6).contains(&ticks.len()), "{ticks:?}");
        assert!(
            ticks
                .iter()
                .all(|tick| (tick * 100.0).round() / 100.0 - tick < 1e-9)
        );
    }
}
