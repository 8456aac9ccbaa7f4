//! A chart as SVG: lines over the number of objects, both axes logarithmic, so that what grows in proportion is a straight
//! line. Pure.

use std::fmt::Write as _;

use super::measure::Figures;

/// One kind's line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) name: &'static str,
    /// Objects and value, both greater than zero.
    pub(super) points: Vec<(f64, f64)>,
}

/// A line for each kind, of this value.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(super) fn lines(all: &[Figures], value: fn(&Figures) -> f64) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for figures in all {
        let (name, point) = (figures.kind.name(), (figures.objects as f64, value(figures)));
        match lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push(point),
            None => lines.push(Line { name, points: vec![point] }),
        }
    }
    lines
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 40.0;
const COLOURS: [&str; 3] = ["#1f77b4", "#d62728", "#2ca02c"];

/// A range of whole decades, and where a value is in it.
struct Axis {
    from: f64,
    to: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone) -> Self {
        let from = values.clone().fold(f64::INFINITY, f64::min).log10().floor();
        let to = values.fold(f64::NEG_INFINITY, f64::max).log10().ceil();
        Self { from, to: to.max(from + 1.0) }
    }

    /// In 0..=1.
    fn place(&self, value: f64) -> f64 {
        (value.log10() - self.from) / (self.to - self.from)
    }

    fn decades(&self) -> impl Iterator<Item = f64> {
        std::iter::successors(Some(self.from), |decade| Some(decade + 1.0))
            .take_while(|decade| *decade <= self.to)
            .map(|decade| 10_f64.powf(decade))
    }
}

/// The chart. Without a point it is empty but for its title.
pub(super) fn draw(title: &str, lines: &[Line]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{title}</text>\n"
    );
    let points = lines.iter().flat_map(|line| line.points.iter());
    if points.clone().next().is_some() {
        let (x, y) = (Axis::over(points.clone().map(|p| p.0)), Axis::over(points.map(|p| p.1)));
        let place = |(objects, value): (f64, f64)| {
            let across = LEFT + x.place(objects) * (WIDTH - LEFT - RIGHT);
            (across, HEIGHT - BOTTOM - y.place(value) * (HEIGHT - TOP - BOTTOM))
        };
        grid(&mut svg, &x, &y, place);
        for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
            draw_line(&mut svg, line, colour, place);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn grid(svg: &mut String, x: &Axis, y: &Axis, place: impl Fn((f64, f64)) -> (f64, f64)) {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for value in y.decades() {
        let (_, at) = place((10_f64.powf(x.from), value));
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            LEFT - 6.0,
            at + 4.0
        );
    }
    for objects in x.decades() {
        let (at, _) = place((objects, 10_f64.powf(y.from)));
        let _ = writeln!(
            svg,
            "<path d=\"M{at:.1} {TOP}V{bottom}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{objects}</text>",
            bottom + 16.0
        );
    }
}

fn draw_line(svg: &mut String, line: &Line, colour: &str, place: impl Fn((f64, f64)) -> (f64, f64)) {
    let placed: Vec<(f64, f64)> = line.points.iter().map(|point| place(*point)).collect();
    let path: Vec<String> = placed.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
        path.join(" ")
    );
    for ((x, y), (_, value)) in placed.iter().zip(&line.points) {
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"><title>{value:.1}</title></circle>"
        );
    }
    if let Some((x, y)) = placed.last() {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>",
            x + 8.0,
            y + 4.0,
            line.name
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_in_proportion_is_a_straight_line() {
        let line = Line { name: "x", points: vec![(100.0, 1.0), (1_000.0, 10.0), (10_000.0, 100.0)] };
        let svg = draw("title", &[line]);
        assert!(svg.contains("points=\"60.0,320.0 275.0,180.0 490.0,40.0\""), "{svg}");
    }

    #[test]
    fn nothing_measured_is_no_line() {
        assert!(!draw("title", &[]).contains("polyline"));
    }
}
