//! Decides how a picture looks in DOT, Graphviz's language.

use super::escape::dot as escaped;
use super::picture::{Item, Link, Picture, Shape};

pub(super) fn text(picture: &Picture) -> String {
    let mut lines = vec![
        format!("digraph \"{}\" {{", escaped(&picture.title)),
        "  rankdir=LR;".to_owned(),
        "  node [fontname=\"sans-serif\" fontsize=11];".to_owned(),
        "  edge [fontname=\"sans-serif\" fontsize=9];".to_owned(),
    ];
    lines.extend(picture.items.iter().enumerate().map(|(index, item)| drawn(index, item)));
    lines.extend(picture.links.iter().map(line));
    lines.push("}".to_owned());
    lines.join("\n") + "\n"
}

fn drawn(index: usize, item: &Item) -> String {
    let detail = if item.detail.is_empty() { String::new() } else { format!("\\n{}", escaped(&item.detail)) };
    let look = match item.shape {
        Shape::Effect => "shape=box",
        Shape::Reducer => "shape=component",
        Shape::Compute => "shape=box style=rounded",
        Shape::Orchestrator => "shape=hexagon",
        Shape::Topic => "shape=box style=\"rounded,dashed\"",
        Shape::State => "shape=ellipse",
        Shape::Terminal => "shape=doublecircle",
        Shape::Missing => "shape=box style=dashed color=\"#cc0000\"",
    };
    format!("  n{index} [{look} label=\"{}{detail}\"];", escaped(&item.label))
}

fn line(link: &Link) -> String {
    let label = (!link.label.is_empty()).then(|| format!("label=\"{}\"", escaped(&link.label)));
    let style = link.is_dashed.then(|| "style=dashed".to_owned());
    let looks: Vec<_> = label.into_iter().chain(style).collect();
    let looks = if looks.is_empty() { String::new() } else { format!(" [{}]", looks.join(" ")) };
    format!("  n{} -> n{}{looks};", link.from, link.to)
}
