//! What every format draws: items, and links between them.

/// What an item stands for; formats choose its shape and colour by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Effect,
    Reducer,
    Compute,
    Orchestrator,
    Topic,
    State,
    /// A state that nothing leaves.
    Terminal,
    /// Something that is named and not there.
    Missing,
}

impl Shape {
    /// The word for it, which is also its class in style sheets.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Effect => "effect",
            Self::Reducer => "reducer",
            Self::Compute => "compute",
            Self::Orchestrator => "orchestrator",
            Self::Topic => "topic",
            Self::State => "state",
            Self::Terminal => "terminal",
            Self::Missing => "missing",
        }
    }
}

/// Something to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// What links call it.
    pub(super) key: String,
    pub(super) label: String,
    /// A second, smaller line.
    pub(super) detail: String,
    pub(super) shape: Shape,
}

/// A line from one item to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: String,
    /// Whether it is drawn as a lesser one.
    pub(super) is_dashed: bool,
}

/// A whole picture.
#[derive(Clone, Debug, Default)]
pub(super) struct Picture {
    pub(super) title: String,
    pub(super) items: Vec<Item>,
    pub(super) links: Vec<Link>,
}

impl Picture {
    pub(super) fn new(title: &str) -> Self {
        Self { title: title.to_owned(), ..Self::default() }
    }

    /// Adds an item unless there is one of that key; tells where it is.
    pub(super) fn item(&mut self, key: String, label: &str, detail: &str, shape: Shape) -> usize {
        if let Some(index) = self.find(&key) {
            return index;
        }
        self.items.push(Item { key, label: label.to_owned(), detail: detail.to_owned(), shape });
        self.items.len() - 1
    }

    pub(super) fn topic(&mut self, name: &str) -> usize {
        self.item(format!("topic {name}"), name, "", Shape::Topic)
    }

    pub(super) fn find(&self, key: &str) -> Option<usize> {
        self.items.iter().position(|item| item.key == key)
    }

    /// Adds a link; of two between the same items one is drawn, with both labels.
    pub(super) fn link(&mut self, from: usize, to: usize, label: &str, is_dashed: bool) {
        let same = self.links.iter_mut().find(|link| (link.from, link.to) == (from, to));
        let Some(link) = same else {
            return self.links.push(Link { from, to, label: label.to_owned(), is_dashed });
        };
        link.is_dashed &= is_dashed;
        if !label.is_empty() && !link.label.split(", ").any(|part| part == label) {
            let separator = if link.label.is_empty() { "" } else { ", " };
            link.label = format!("{}{separator}{label}", link.label);
        }
    }
}
