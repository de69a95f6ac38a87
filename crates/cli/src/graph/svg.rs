//! Decides how a picture looks as SVG: boxes by kind, curves between columns, colours for light and dark.

use std::cmp::Ordering;

use super::escape::xml;
use super::layout::{Frame, Layout, Point, Way, layout};
use super::picture::{Item, Link, Picture, Shape};

/// Height of a line of a label, in pixels.
const LABEL_LINE: i32 = 11;

/// Colours are written out for each class, since viewers beside browsers know no variables.
const STYLE: &str = "\
.onex text{font-family:system-ui,sans-serif;text-anchor:middle;fill:#1f2328;font-size:12px}
.onex .detail,.onex .label{fill:#59636e;font-size:10px}
.onex .label{paint-order:stroke;stroke:#fff;stroke-width:3px}
.onex .paper{fill:#fff}.onex .box{stroke:#8c959f;stroke-width:1}
.onex .way{fill:none;stroke:#8c959f;stroke-width:1.3}.onex .dashed{stroke-dasharray:4 3}.onex .head{fill:#8c959f}
.onex .effect{fill:#ddf4ff}.onex .reducer,.onex .state{fill:#fbefff}.onex .compute,.onex .terminal{fill:#dafbe1}
.onex .orchestrator{fill:#fff8c5}.onex .topic{fill:#f6f8fa;stroke-dasharray:3 2}.onex .missing{fill:#ffebe9;stroke-dasharray:5 3}
@media (prefers-color-scheme:dark){
.onex text{fill:#e6edf3}.onex .detail,.onex .label{fill:#9198a1}.onex .label{stroke:#0d1117}
.onex .paper{fill:#0d1117}.onex .box,.onex .way{stroke:#6e7681}.onex .head{fill:#6e7681}
.onex .effect{fill:#10314f}.onex .reducer,.onex .state{fill:#33204f}.onex .compute,.onex .terminal{fill:#12361f}
.onex .orchestrator{fill:#3b2f0a}.onex .topic{fill:#151b23}.onex .missing{fill:#4c1414}
}";

/// The picture as a file of its own or a part of a page.
pub(super) fn text(picture: &Picture) -> String {
    let placed = layout(picture);
    let Layout { width, height, .. } = placed;
    let mut lines = vec![
        format!(
            "<svg class=\"onex\" xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">"
        ),
        format!("<title>{}</title>", xml(&picture.title)),
        format!("<style>{STYLE}</style>"),
        "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path class=\"head\" d=\"M0 0 8 4 0 8z\"/></marker></defs>".to_owned(),
        format!("<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>"),
    ];
    lines.extend(picture.links.iter().zip(&placed.ways).map(|(link, way)| line(link, way)));
    lines.extend(picture.items.iter().zip(&placed.frames).map(|(item, frame)| drawn(item, *frame)));
    lines.extend(picture.links.iter().zip(&placed.ways).filter_map(|(link, way)| label(picture, link, way)));
    lines.push("</svg>".to_owned());
    lines.join("\n") + "\n"
}

fn drawn(item: &Item, frame: Frame) -> String {
    let Frame { x, y, width, height } = frame;
    let radius = match item.shape {
        Shape::Topic | Shape::State | Shape::Terminal => height / 2,
        Shape::Compute => 12,
        Shape::Effect | Shape::Reducer | Shape::Orchestrator | Shape::Missing => 4,
    };
    let middle = x + width / 2;
    let first = if item.detail.is_empty() { y + height / 2 + 4 } else { y + height / 2 - 4 };
    let mut text = format!("<text x=\"{middle}\" y=\"{first}\">{}</text>", xml(&item.label));
    if !item.detail.is_empty() {
        let second = y + height / 2 + 12;
        text.push_str(&format!("<text class=\"detail\" x=\"{middle}\" y=\"{second}\">{}</text>", xml(&item.detail)));
    }
    let word = item.shape.word();
    format!(
        "<g><rect class=\"box {word}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\"/>{text}</g>"
    )
}

fn line(link: &Link, way: &Way) -> String {
    let class = if link.is_dashed { "way dashed" } else { "way" };
    format!("<path class=\"{class}\" marker-end=\"url(#head)\" d=\"{}\"/>", curve(way))
}

/// Level where it leaves and arrives, bent between.
fn curve(way: &Way) -> String {
    match way {
        Way::Forward(points) => {
            let mut path = points.first().map(|start| format!("M{} {}", start.x, start.y)).unwrap_or_default();
            for pair in points.windows(2) {
                let (from, to) = (pair[0], pair[1]);
                let middle = from.x.midpoint(to.x);
                path.push_str(&format!(" C{middle} {} {middle} {} {} {}", from.y, to.y, to.x, to.y));
            }
            path
        }
        Way::Back { from, to, depth } => {
            let lowest = from.y.max(to.y) + depth;
            format!("M{} {} C{} {lowest} {} {lowest} {} {}", from.x, from.y, from.x, to.x, to.x, to.y)
        }
    }
}

fn label(picture: &Picture, link: &Link, way: &Way) -> Option<String> {
    if link.label.is_empty() {
        return None;
    }
    let Point { x, y } = match way {
        Way::Forward(points) => beside_the_crowd(picture, link, *points.first()?, *points.get(1)?),
        Way::Back { from, to, depth } => Point { x: from.x.midpoint(to.x), y: from.y.max(to.y) + depth * 3 / 4 + 4 },
    };
    let parts: Vec<&str> = link.label.split(", ").collect();
    let above = i32::try_from(parts.len() - 1).unwrap_or(0) * LABEL_LINE / 2;
    let line = |(number, part): (usize, &&str)| {
        let down = if number == 0 { 0 } else { LABEL_LINE };
        format!("<tspan x=\"{x}\" dy=\"{down}\">{}</tspan>", xml(part))
    };
    let lines: String = parts.iter().enumerate().map(line).collect();
    Some(format!("<text class=\"label\" x=\"{x}\" y=\"{}\">{lines}</text>", y - above))
}

/// A point of the curve away from where many links leave or arrive together.
fn beside_the_crowd(picture: &Picture, link: &Link, from: Point, to: Point) -> Point {
    let leaving = picture.links.iter().filter(|other| other.from == link.from).count();
    let arriving = picture.links.iter().filter(|other| other.to == link.to).count();
    // Three places on the curve, in percent of its width and height.
    let (along, down) = match leaving.cmp(&arriving) {
        Ordering::Less => (42, 35),
        Ordering::Equal => (50, 50),
        Ordering::Greater => (58, 65),
    };
    Point { x: from.x + (to.x - from.x) * along / 100, y: from.y + (to.y - from.y) * down / 100 - 3 }
}
