//! Throughput over blob size, both axes logarithmic.

use crate::svg::{Anchor, Stroke, Svg};

const PANEL_WIDTH: f64 = 430.0;
const PANEL_HEIGHT: f64 = 300.0;
const LEFT: f64 = 62.0;
const TOP: f64 = 44.0;
const RIGHT: f64 = 18.0;
const BOTTOM: f64 = 46.0;
const LEGEND_LINE: f64 = 20.0;
const HEADING: f64 = 40.0;

// Half-way between light and dark, so that they can be read on either.
const TEXT: &str = "#7d858f";
const GRID: &str = "#8b949e55";
const OURS: [&str; 6] = ["#2f81f7", "#9a6cf0", "#2da44e", "#1b9aaa", "#b0568f", "#6e7fd0"];
const BASELINE: [&str; 2] = ["#e0752d", "#b8902a"];

/// One measured size.
pub(crate) struct Point {
    pub(crate) bytes: f64,
    /// MiB a second.
    pub(crate) throughput: f64,
    pub(crate) label: Option<String>,
}

/// One line of a panel.
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<Point>,
}

/// One operation.
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) series: Vec<Series>,
}

impl Panel {
    /// Adds a point to the series of that name. A size that is there already stays as it is.
    pub(crate) fn add(&mut self, name: String, point: Point) {
        let at = self.series.iter().position(|series| series.name == name);
        let at = at.unwrap_or_else(|| {
            self.series.push(Series { name, points: Vec::new() });
            self.series.len() - 1
        });
        let points = &mut self.series[at].points;
        if points.iter().all(|known| known.bytes != point.bytes) {
            points.push(point);
            points.sort_by(|a, b| a.bytes.total_cmp(&b.bytes));
        }
    }

    /// The name of the series that is fastest at its largest size.
    fn fastest(&self) -> &str {
        let last = |series: &Series| series.points.last().map_or(0.0, |point| point.throughput);
        let fastest = self.series.iter().max_by(|a, b| last(a).total_cmp(&last(b)));
        fastest.map_or("", |series| &series.name)
    }
}

/// A logarithmic axis: from values to pixels.
struct Axis {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
}

impl Axis {
    fn at(&self, value: f64) -> f64 {
        let share = (value.log10() - self.low.log10()) / (self.high.log10() - self.low.log10());
        self.start + share * (self.end - self.start)
    }
}

/// Draws panels two abreast, all with the same axes, and one legend for all.
pub(crate) fn draw(panels: &[Panel], heading: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for series in panels.iter().flat_map(|panel| &panel.series) {
        if !names.contains(&series.name.as_str()) {
            names.push(&series.name);
        }
    }
    names.sort_by_key(|name| is_baseline(name));
    let rows = panels.len().div_ceil(2) as f64;
    let legend_rows = names.len().div_ceil(2) as f64;
    let top = HEADING + legend_rows * LEGEND_LINE;
    let mut svg = Svg::new(2.0 * PANEL_WIDTH, top + rows * PANEL_HEIGHT);
    svg.text((LEFT, 26.0), Anchor::Start, 17.0, TEXT, heading);
    for (index, name) in names.iter().enumerate() {
        let x = LEFT + (index % 2) as f64 * PANEL_WIDTH;
        let y = HEADING + (index / 2) as f64 * LEGEND_LINE + 6.0;
        let style = Style::of(&names, name);
        svg.line((x, y), (x + 30.0, y), style.stroke());
        style.mark(&mut svg, (x + 15.0, y));
        svg.text((x + 38.0, y + 4.5), Anchor::Start, 13.0, TEXT, name);
    }
    for (index, panel) in panels.iter().enumerate() {
        let x = (index % 2) as f64 * PANEL_WIDTH;
        let y = top + (index / 2) as f64 * PANEL_HEIGHT;
        draw_panel(&mut svg, panel, &names, (x, y), panels);
    }
    svg.finish()
}

fn draw_panel(svg: &mut Svg, panel: &Panel, names: &[&str], (x, y): (f64, f64), all: &[Panel]) {
    let (horizontal, vertical) = axes(all, (x, y));
    svg.text((horizontal.start, y + TOP - 12.0), Anchor::Start, 14.0, TEXT, &panel.title);
    draw_grid(svg, &horizontal, &vertical);
    // Only above the highest line there is room for ratios.
    let fastest = panel.fastest();
    for series in &panel.series {
        let style = Style::of(names, &series.name);
        let at = |point: &Point| (horizontal.at(point.bytes), vertical.at(point.throughput));
        let points: Vec<_> = series.points.iter().map(at).collect();
        svg.path(&points, style.stroke());
        for (point, at) in series.points.iter().zip(points) {
            style.mark(svg, at);
            if let Some(label) = point.label.as_ref().filter(|_| series.name == fastest) {
                svg.text((at.0, at.1 - 9.0), Anchor::Middle, 11.0, style.color, label);
            }
        }
    }
}

fn axes(panels: &[Panel], (x, y): (f64, f64)) -> (Axis, Axis) {
    let points = || panels.iter().flat_map(|panel| &panel.series).flat_map(|line| &line.points);
    let range = |value: fn(&Point) -> f64| {
        let low = points().map(value).fold(f64::INFINITY, f64::min);
        let high = points().map(value).fold(0.0, f64::max);
        (low, high)
    };
    let (least, most) = range(|point| point.bytes);
    let (slowest, fastest) = range(|point| point.throughput);
    let horizontal =
        Axis { low: least / 2.0, high: most * 2.0, start: x + LEFT, end: x + PANEL_WIDTH - RIGHT };
    let vertical = Axis {
        low: 10_f64.powf(slowest.log10().floor()),
        high: 10_f64.powf((fastest * 1.5).log10().ceil()),
        start: y + PANEL_HEIGHT - BOTTOM,
        end: y + TOP,
    };
    (horizontal, vertical)
}

/// Lines and numbers at powers of ten MiB a second, and at some powers of two bytes.
fn draw_grid(svg: &mut Svg, horizontal: &Axis, vertical: &Axis) {
    let grid = Stroke { color: GRID, width: 1.0, dashes: "" };
    let mut throughput = vertical.low;
    while throughput <= vertical.high * 1.001 {
        let y = vertical.at(throughput);
        svg.line((horizontal.start, y), (horizontal.end, y), grid);
        let decimals = (-throughput.log10()).round().max(0.0) as usize;
        let text = format!("{throughput:.decimals$}");
        svg.text((horizontal.start - 7.0, y + 4.0), Anchor::End, 11.0, TEXT, &text);
        throughput *= 10.0;
    }
    svg.text((horizontal.end, vertical.end - 12.0), Anchor::End, 11.0, TEXT, "MiB/s");
    for (shift, text) in [
        (10, "1 KiB"),
        (15, "32 KiB"),
        (20, "1 MiB"),
        (25, "32 MiB"),
        (30, "1 GiB"),
        (35, "32 GiB"),
    ] {
        let bytes = (1u64 << shift) as f64;
        if (horizontal.low..=horizontal.high).contains(&bytes) {
            let x = horizontal.at(bytes);
            svg.line((x, vertical.start), (x, vertical.end), grid);
            svg.text((x, vertical.start + 17.0), Anchor::Middle, 11.0, TEXT, text);
        }
    }
}

fn is_baseline(name: &str) -> bool {
    name.starts_with("baseline")
}

/// How a series looks. Shapes and dashes tell it too, for those who see colours otherwise.
struct Style {
    color: &'static str,
    shape: usize,
    dashes: &'static str,
}

impl Style {
    fn of(names: &[&str], name: &str) -> Self {
        let alike = names.iter().filter(|other| is_baseline(other) == is_baseline(name));
        let index = alike.clone().position(|other| *other == name).unwrap_or(0);
        if is_baseline(name) {
            let color = BASELINE[index % BASELINE.len()];
            Self { color, shape: 3 + index, dashes: "6 4" }
        } else {
            let color = OURS[index % OURS.len()];
            Self { color, shape: index % 3, dashes: "" }
        }
    }

    fn stroke(&self) -> Stroke {
        Stroke { color: self.color, width: 2.0, dashes: self.dashes }
    }

    fn mark(&self, svg: &mut Svg, (x, y): (f64, f64)) {
        let corners: &[(f64, f64)] = match self.shape {
            0 => return svg.circle((x, y), 4.0, self.color),
            1 => &[(-4.0, -4.0), (4.0, -4.0), (4.0, 4.0), (-4.0, 4.0)],
            2 => &[(0.0, -5.0), (5.0, 4.0), (-5.0, 4.0)],
            3 => &[(0.0, -5.5), (5.5, 0.0), (0.0, 5.5), (-5.5, 0.0)],
            _ => &[(0.0, 5.0), (5.0, -4.0), (-5.0, -4.0)],
        };
        let corners: Vec<_> = corners.iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
        svg.polygon(&corners, self.color);
    }
}
