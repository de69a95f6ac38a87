//! Decides how a picture looks as SVG: boxes by kind, curves between columns, colours for light and dark.

use super::escape::xml;
use super::layout::{Frame, Layout, Point, Way, layout};
use super::picture::{Item, Link, Picture, Shape};

const STYLE: &str = "\
.onex{--ink:#1f2328;--faint:#59636e;--line:#8c959f;--paper:#ffffff;--effect:#ddf4ff;--reducer:#fbefff;--compute:#dafbe1;--orchestrator:#fff8c5;--topic:#f6f8fa;--missing:#ffebe9}
@media (prefers-color-scheme:dark){.onex{--ink:#e6edf3;--faint:#9198a1;--line:#6e7681;--paper:#0d1117;--effect:#10314f;--reducer:#33204f;--compute:#12361f;--orchestrator:#3b2f0a;--topic:#151b23;--missing:#4c1414}}
.onex .paper{fill:var(--paper)}
.onex .box{stroke:var(--line);stroke-width:1}
.onex .effect{fill:var(--effect)}.onex .reducer,.onex .state{fill:var(--reducer)}.onex .compute,.onex .terminal{fill:var(--compute)}
.onex .orchestrator{fill:var(--orchestrator)}.onex .topic{fill:var(--topic);stroke-dasharray:3 2}.onex .missing{fill:var(--missing);stroke-dasharray:5 3}
.onex text{font-family:system-ui,sans-serif;text-anchor:middle;fill:var(--ink);font-size:12px}
.onex .detail,.onex .label{fill:var(--faint);font-size:10px}
.onex .label{paint-order:stroke;stroke:var(--paper);stroke-width:3px}
.onex .way{fill:none;stroke:var(--line);stroke-width:1.3}.onex .dashed{stroke-dasharray:4 3}.onex .head{fill:var(--line)}";

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
    lines.extend(picture.links.iter().zip(&placed.ways).filter_map(|(link, way)| label(link, way)));
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

fn label(link: &Link, way: &Way) -> Option<String> {
    if link.label.is_empty() {
        return None;
    }
    let Point { x, y } = match way {
        Way::Forward(points) => {
            let (from, to) = (points.first()?, points.get(1)?);
            Point { x: from.x.midpoint(to.x), y: from.y.midpoint(to.y) - 3 }
        }
        Way::Back { from, to, depth } => {
            Point { x: from.x.midpoint(to.x), y: from.y.max(to.y) + depth * 3 / 4 + 4 }
        }
    };
    Some(format!("<text class=\"label\" x=\"{x}\" y=\"{y}\">{}</text>", xml(&link.label)))
}
