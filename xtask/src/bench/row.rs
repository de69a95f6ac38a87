//! Decides what becomes of one figure that was measured several times: its median, and the extremes beside it.

use anyhow::{Context, Result};
use serde_json::{Map, Number, Value};

/// What tells figures apart; all else in a row is measured.
const NAMES: [&str; 5] = ["bench", "journal", "what", "in_flight", "steps"];

/// Rows by figure, in the order they were first measured.
#[derive(Default)]
pub(super) struct Rows(Vec<Figure>);

/// One figure.
struct Figure {
    names: Map<String, Value>,
    /// All measurements of each column.
    columns: Vec<(String, Vec<f64>)>,
}

impl Rows {
    /// Takes one measurement, as its program printed it.
    pub(super) fn add(&mut self, printed: &str) -> Result<()> {
        let row = serde_json::from_str(printed).with_context(|| format!("a figure printed no row: {printed}"))?;
        let Value::Object(row) = row else { anyhow::bail!("a figure printed no row: {printed}") };
        let (names, numbers): (Map<_, _>, Map<_, _>) =
            row.into_iter().partition(|(name, _)| NAMES.contains(&name.as_str()));
        let position = self.position(names);
        numbers.into_iter().try_for_each(|(name, number)| self.0[position].add(name, &number))
    }

    fn position(&mut self, names: Map<String, Value>) -> usize {
        let known = self.0.iter().position(|figure| figure.names == names);
        known.unwrap_or_else(|| {
            self.0.push(Figure { names, columns: Vec::new() });
            self.0.len() - 1
        })
    }

    /// One line per figure, its medians.
    pub(super) fn print_json(&self) {
        self.0.iter().for_each(|figure| println!("{}", figure.row()));
    }

    /// A table per bench: each median with its extremes.
    pub(super) fn print_tables(&self) {
        let mut bench = None;
        for figure in &self.0 {
            if bench.replace(&figure.names["bench"]) != Some(&figure.names["bench"]) {
                println!("\n{}", figure.heading());
            }
            println!("{}", figure.line());
        }
    }
}

impl Figure {
    fn add(&mut self, name: String, number: &Value) -> Result<()> {
        let number = number.as_f64().with_context(|| format!("`{name}` is no number"))?;
        match self.columns.iter_mut().find(|(known, _)| *known == name) {
            Some((_, numbers)) => numbers.push(number),
            None => self.columns.push((name, vec![number])),
        }
        Ok(())
    }

    fn row(&self) -> Value {
        let medians = self.columns.iter().map(|(name, numbers)| (name.clone(), shown(spread(numbers).median)));
        Value::Object(self.names.clone().into_iter().chain(medians).collect())
    }

    fn heading(&self) -> String {
        let columns = self.columns.iter().map(|(name, _)| format!("{name:>34}"));
        format!("{:<28}{}", self.names["bench"].as_str().unwrap_or_default(), columns.collect::<String>())
    }

    fn line(&self) -> String {
        let names = self.names.iter().filter(|(name, _)| *name != "bench");
        let names: Vec<_> = names.map(|(name, value)| format!("{name} {}", text(value))).collect();
        let columns = self.columns.iter().map(|(_, numbers)| {
            let Spread { least, median, most } = spread(numbers);
            format!("{:>34}", format!("{} ({} to {})", shown(median), shown(least), shown(most)))
        });
        format!("{:<28}{}", names.join(", "), columns.collect::<String>())
    }
}

struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

fn spread(numbers: &[f64]) -> Spread {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |position: usize| sorted.get(position).copied().unwrap_or_default();
    Spread { least: at(0), median: at(sorted.len() / 2), most: at(sorted.len().saturating_sub(1)) }
}

/// Three digits after the point of a small number, none of a large one.
fn shown(number: f64) -> Value {
    let scale = if number.abs() < 100.0 { 1000.0 } else { 1.0 };
    let rounded = (number * scale).round() / scale;
    Number::from_f64(rounded).map_or(Value::Null, Value::Number)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_the_median_of_its_measurements() {
        let mut rows = Rows::default();
        for per_second in [7000, 1, 6500] {
            rows.add(&format!(r#"{{"bench":"limit","what":"fdatasync","per_second":{per_second}}}"#)).expect("a row");
        }
        rows.add(r#"{"bench":"graph","steps":10,"plan_ms":0.12345}"#).expect("a row");
        let printed: Vec<_> = rows.0.iter().map(|figure| figure.row().to_string()).collect();
        assert_eq!(
            printed,
            [
                r#"{"bench":"limit","per_second":6500.0,"what":"fdatasync"}"#,
                r#"{"bench":"graph","plan_ms":0.123,"steps":10}"#
            ]
        );
        assert!(rows.0[0].line().contains("6500.0 (1.0 to 7000.0)"), "{}", rows.0[0].line());
    }

    #[test]
    fn what_is_no_row_is_an_error() {
        assert!(Rows::default().add("panicked").is_err());
        assert!(Rows::default().add("[]").is_err());
    }
}
