//! Decides how a picture looks as a page: one file with the picture, what the contracts say of themselves, and tables.
//! It asks for nothing from outside and runs no script.

use onex_contract::{Contract, Direction};
use onex_event::Topic;

use super::escape::xml;
use super::picture::Picture;
use super::steps::binding;
use super::svg;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1f2328;--faint:#59636e;--paper:#fff;--line:#d1d9e0}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--faint:#9198a1;--paper:#0d1117;--line:#3d444d}}
body{margin:2rem auto;max-width:72rem;padding:0 1rem;font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin-top:2rem}p.about{color:var(--faint);margin:.25rem 0 1rem}
figure{margin:1rem 0;overflow-x:auto;border:1px solid var(--line);border-radius:6px}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line)}
th{color:var(--faint);font-weight:600}code{font:13px ui-monospace,monospace}";

/// The page of one contract, or of several together.
pub(super) fn text(picture: &Picture, contracts: &[&Contract]) -> String {
    let title = xml(&picture.title);
    let mut parts = vec![
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">".to_owned(),
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">".to_owned(),
        format!("<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>"),
    ];
    match contracts {
        [contract] => parts.push(about(contract)),
        _ => parts.push(format!("<p class=\"about\">{} contracts</p>", contracts.len())),
    }
    parts.push(format!("<figure>\n{}</figure>", svg::text(picture)));
    match contracts {
        [contract] => parts.extend(steps(contract)),
        _ => parts.push(nodes(contracts)),
    }
    parts.extend(topics(contracts));
    parts.push("</body>\n</html>".to_owned());
    parts.join("\n") + "\n"
}

fn about(contract: &Contract) -> String {
    let description = contract.description.as_deref().unwrap_or_default();
    let kind = format!("{} {}", contract.archetype(), contract.contract_version);
    format!("<p class=\"about\">{}</p>\n<p>{}</p>", xml(&kind), xml(description))
}

fn steps(contract: &Contract) -> Option<String> {
    let graph = &contract.workflow_coordination.as_ref()?.workflow_definition.execution_graph;
    let rows = graph.nodes.iter().map(|node| {
        let before: Vec<_> = graph.before(node).collect();
        let description = node.description.as_deref().unwrap_or_default();
        [&node.node_id, node.node_type.archetype.as_str(), &binding(node), &before.join(", "), description]
            .map(str::to_owned)
    });
    Some(table("Steps", ["step", "kind", "bound to", "after", "what it is for"], rows))
}

fn nodes(contracts: &[&Contract]) -> String {
    let rows = contracts.iter().map(|contract| {
        let version = contract.contract_version.to_string();
        let description = contract.description.as_deref().unwrap_or_default();
        [&contract.name, contract.archetype().as_str(), &version, description].map(str::to_owned)
    });
    table("Nodes", ["node", "kind", "version", "what it is for"], rows)
}

/// Every topic with who consumes it and who publishes to it; none when no contract names one.
fn topics(contracts: &[&Contract]) -> Option<String> {
    let mut rows: Vec<[String; 4]> = Vec::new();
    for contract in contracts {
        for topic in contract.topics() {
            let event_type = topic.event_type.unwrap_or_default().to_owned();
            let direction = match topic.direction {
                Direction::Consumes => "consumed",
                Direction::Publishes => "published",
            };
            rows.push([Topic::canonical(topic.text), direction.to_owned(), contract.name.clone(), event_type]);
        }
    }
    rows.sort();
    rows.dedup_by(|next, kept| next[..3] == kept[..3] && (next[3].is_empty() || next[3] == kept[3]));
    (!rows.is_empty()).then(|| table("Topics", ["topic", "is", "by", "event"], rows.into_iter()))
}

fn table<const N: usize>(title: &str, head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let head: String = head.iter().map(|cell| format!("<th>{}</th>", xml(cell))).collect();
    let cell = |(column, text): (usize, &String)| match column {
        0 => format!("<td><code>{}</code></td>", xml(text)),
        _ => format!("<td>{}</td>", xml(text)),
    };
    let rows: Vec<String> =
        rows.map(|row| format!("<tr>{}</tr>", row.iter().enumerate().map(cell).collect::<String>())).collect();
    format!("<h2>{}</h2>\n<table>\n<tr>{head}</tr>\n{}\n</table>", xml(title), rows.join("\n"))
}
