//! Decides how a picture looks in Mermaid: a flowchart from left to right, ids by position, so that no name of a
//! contract is ever read as syntax.

use super::escape::mermaid as escaped;
use super::picture::{Item, Link, Picture, Shape};

pub(super) fn text(picture: &Picture) -> String {
    let mut lines = vec!["flowchart LR".to_owned()];
    lines.extend(picture.items.iter().enumerate().map(|(index, item)| format!("    {}", drawn(index, item))));
    lines.extend(picture.links.iter().map(|link| format!("    {}", line(link))));
    lines.push("    classDef topic stroke-dasharray: 2 2".to_owned());
    lines.push("    classDef missing stroke:#c00,stroke-dasharray: 5 3".to_owned());
    lines.join("\n") + "\n"
}

fn drawn(index: usize, item: &Item) -> String {
    let detail = if item.detail.is_empty() { String::new() } else { format!("<br/>{}", escaped(&item.detail)) };
    let label = format!("\"{}{detail}\"", escaped(&item.label));
    let (open, close) = match item.shape {
        Shape::Effect | Shape::Missing => ("[", "]"),
        Shape::Reducer => ("[[", "]]"),
        Shape::Compute => ("(", ")"),
        Shape::Orchestrator => ("{{", "}}"),
        Shape::Topic => ("([", "])"),
        Shape::State => ("(", ")"),
        Shape::Terminal => ("(((", ")))"),
    };
    format!("n{index}{open}{label}{close}:::{}", item.shape.word())
}

fn line(link: &Link) -> String {
    let arrow = if link.is_dashed { "-.->" } else { "-->" };
    let label = if link.label.is_empty() { String::new() } else { format!("|\"{}\"|", escaped(&link.label)) };
    format!("n{} {arrow}{label} n{}", link.from, link.to)
}
