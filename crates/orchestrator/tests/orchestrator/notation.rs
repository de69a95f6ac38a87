//! The notation of the case tables: steps as declared, in one line.
//!
//! `A,B!(A),C+` are three steps: `A` carries out an intent, so does `B` after `A`, and fails; `C` computes.
//!
//! - After the name: `!` fails, `~` is disabled, `s` is skipped when something failed before, `{c}` continues when
//!   it failed, `{r}` retries, `{k}` compensates, `{s}` stops.
//! - What a step is, where it does not carry out an intent of the reducer: `+` hands on, `*` computes what the script
//!   says, `&` aggregates, `>` publishes, `@` carries out an intent of its own. `#` is an effect without an undo.
//! - `(X,Y)` what it depends on; `[k: v]` more keys of the step, as the inside of a YAML map.

use std::fmt::Write;

/// One step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    pub(crate) name: String,
    flags: String,
    action: Option<char>,
    pub(crate) depends_on: Vec<String>,
    keys: String,
}

/// The text between the first `open` and the last `close`.
fn inside(text: &str, open: char, close: char) -> Option<&str> {
    Some(text.split_once(open)?.1.rsplit_once(close)?.0)
}

impl Step {
    /// A name is one capital letter, then digits.
    fn parse(text: &str) -> Self {
        let is_name = |(position, letter): (usize, char)| position == 0 || letter.is_ascii_digit();
        let length = text.char_indices().take_while(|at| is_name(*at)).count();
        let (head, keys) =
            text.split_once('[').map_or((text, ""), |(head, keys)| (head, keys.strip_suffix(']').unwrap_or(keys)));
        let dependencies = inside(head, '(', ')').unwrap_or_default();
        let signs = head.split('(').next().unwrap_or_default();
        Self {
            name: text[..length].to_owned(),
            flags: signs[length..].split('{').next().unwrap_or_default().to_owned(),
            action: inside(signs, '{', '}').and_then(|action| action.chars().next()),
            depends_on: dependencies.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            keys: keys.to_owned(),
        }
    }

    /// A step of a contract that is written elsewhere.
    pub(crate) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(crate) fn fails(&self) -> bool {
        self.flags.contains('!')
    }

    /// Whether it carries out what the reducer asks for.
    pub(crate) fn is_asked(&self) -> bool {
        !self.flags.contains(['+', '*', '&', '>', '@'])
    }

    /// The kind of its intents.
    pub(crate) fn intent_kind(&self) -> String {
        let verb = if self.flags.contains('#') { "fixed" } else { "do" };
        format!("{}.{verb}", self.name)
    }

    fn binding(&self) -> (&'static str, String) {
        match self.flags.chars().find(|flag| "+*&>@".contains(*flag)) {
            None => ("effect", format!("effect_node: scripted, intent_filter: {}", self.intent_kind())),
            Some('@') => ("effect", format!("effect_node: scripted, intent: {}", self.intent_kind())),
            Some('*') => ("compute", "compute_node: variable".to_owned()),
            Some('&') => ("compute", "aggregation_strategy: all_or_partial".to_owned()),
            Some('>') => ("effect", "event_type: Told".to_owned()),
            Some(_) => ("compute", String::new()),
        }
    }

    /// The step's own rules.
    fn rules(&self) -> String {
        let mut rules = String::new();
        let action = self.action.map(|action| match action {
            'c' => "error_action: continue",
            'r' => "error_action: retry",
            'k' => "error_action: compensate",
            _ => "error_action: stop",
        });
        let disabled = self.flags.contains('~').then_some("enabled: false");
        let skipped = self.flags.contains('s').then_some("skip_on_failure: true");
        let own = Some(self.keys.as_str()).filter(|keys| !keys.is_empty());
        for rule in [action, disabled, skipped, own].into_iter().flatten() {
            let _ = write!(rules, ", {rule}");
        }
        rules
    }

    pub(crate) fn yaml(&self) -> String {
        let (kind, config) = self.binding();
        let reduce = self.is_asked().then_some("reduce");
        let depends_on: Vec<_> = reduce.into_iter().chain(self.depends_on.iter().map(String::as_str)).collect();
        format!(
            "        - {{node_id: {}, node_type: {kind}, depends_on: [{}], step_config: {{{config}}}{}}}\n",
            self.name,
            depends_on.join(", "),
            self.rules()
        )
    }
}

/// The steps of a line.
pub(crate) fn steps(graph: &str) -> Vec<Step> {
    let (mut steps, mut depth, mut start) = (Vec::new(), 0, 0);
    for (position, letter) in graph.char_indices().chain([(graph.len(), ',')]) {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                steps.extend((start < position).then(|| Step::parse(&graph[start..position])));
                start = position + 1;
            }
            _ => {}
        }
    }
    steps
}

#[test]
fn every_sign_is_read() {
    let read = steps("A,B12!s~{c}(A,C)[priority: 1, for_each: [a, b]],C#");
    let names: Vec<_> = read.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["A", "B12", "C"]);
    assert_eq!(
        read[1].yaml().trim(),
        "- {node_id: B12, node_type: effect, depends_on: [reduce, A, C], step_config: {effect_node: scripted, \
         intent_filter: B12.do}, error_action: continue, enabled: false, skip_on_failure: true, priority: 1, \
         for_each: [a, b]}"
    );
    assert!(read[1].fails() && !read[0].fails());
    assert_eq!(read[2].intent_kind(), "C.fixed");
    assert_eq!(read[0].yaml().matches("error_action").count(), 0, "what is not said is not written");
}
