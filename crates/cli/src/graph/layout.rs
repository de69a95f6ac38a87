//! Decides where everything stands in a drawn picture: columns by distance from the start, places inside a column by
//! the neighbours' places, lines over several columns led through gaps between the boxes. The same picture is laid
//! out the same way every time.

use super::picture::{Item, Picture};

const MARGIN: i32 = 24;
const BOX_HEIGHT: i32 = 46;
const BEND_HEIGHT: i32 = 14;
const ROW_GAP: i32 = 18;
const COLUMN_GAP: i32 = 56;
const LABEL_LETTER: i32 = 7;
const SMALL_LETTER: i32 = 6;
const SWEEPS: usize = 4;

/// A place in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) x: i32,
    pub(super) y: i32,
}

/// Where an item stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// How a link goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From column to column through these points.
    Forward(Vec<Point>),
    /// Below the boxes, back to an earlier column or the same.
    Back { from: Point, to: Point, depth: i32 },
}

/// A whole layout.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) width: i32,
    pub(super) height: i32,
    /// By item.
    pub(super) frames: Vec<Frame>,
    /// By link.
    pub(super) ways: Vec<Way>,
}

pub(super) fn layout(picture: &Picture) -> Layout {
    let columns = columns(picture);
    let mut grid = Grid::of(picture, &columns);
    grid.sort();
    let frames = grid.frames(picture);
    let of_items: Vec<Frame> = frames.iter().take(picture.items.len()).copied().collect();
    let ways: Vec<Way> = (0..picture.links.len()).map(|link| way(picture, &grid, &frames, link)).collect();
    let right = of_items.iter().map(|frame| frame.x + frame.width).max().unwrap_or(0);
    let bottom = of_items.iter().map(|frame| frame.y + frame.height).max().unwrap_or(0);
    let lowest = ways.iter().map(|way| match way {
        Way::Forward(_) => 0,
        Way::Back { from, to, depth } => from.y.max(to.y) + depth,
    });
    let bottom = lowest.max().unwrap_or(0).max(bottom);
    Layout { width: right + MARGIN, height: bottom + MARGIN, frames: of_items, ways }
}

/// The column of each item: behind all that lead to it. On a cycle the item declared first goes first.
fn columns(picture: &Picture) -> Vec<usize> {
    let count = picture.items.len();
    let mut columns = vec![0; count];
    let mut waiting: Vec<usize> = (0..count).collect();
    while !waiting.is_empty() {
        let leads_in = |item: usize| {
            picture.links.iter().any(|link| link.to == item && link.from != item && waiting.contains(&link.from))
        };
        let next = waiting.iter().position(|item| !leads_in(*item)).unwrap_or(0);
        let item = waiting.remove(next);
        for link in picture.links.iter().filter(|link| link.from == item && waiting.contains(&link.to)) {
            columns[link.to] = columns[link.to].max(columns[item] + 1);
        }
    }
    columns
}

/// Items and the bends of long lines, in columns. Slots are numbered: items first, then bends.
struct Grid {
    columns: Vec<Vec<usize>>,
    /// By link: the slots it goes through, both ends included; empty for one that leads back.
    chains: Vec<Vec<usize>>,
    slots: usize,
}

impl Grid {
    fn of(picture: &Picture, column_of: &[usize]) -> Self {
        let count = column_of.iter().max().map_or(0, |last| last + 1);
        let mut grid = Self { columns: vec![Vec::new(); count], chains: Vec::new(), slots: picture.items.len() };
        column_of.iter().enumerate().for_each(|(item, column)| grid.columns[*column].push(item));
        for link in &picture.links {
            let chain = grid.chain(link.from, link.to, column_of);
            grid.chains.push(chain);
        }
        grid
    }

    fn chain(&mut self, from: usize, to: usize, column_of: &[usize]) -> Vec<usize> {
        if column_of[to] <= column_of[from] {
            return Vec::new();
        }
        let mut chain = vec![from];
        for column in column_of[from] + 1..column_of[to] {
            self.columns[column].push(self.slots);
            chain.push(self.slots);
            self.slots += 1;
        }
        chain.push(to);
        chain
    }

    /// Puts each slot near its neighbours, sweeping forth and back.
    fn sort(&mut self) {
        let pairs: Vec<(usize, usize)> =
            self.chains.iter().flat_map(|chain| chain.windows(2).map(|pair| (pair[0], pair[1]))).collect();
        for sweep in 0..SWEEPS {
            let forth = sweep % 2 == 0;
            let count = self.columns.len();
            for step in 1..count {
                let (fixed, sorted) = if forth { (step - 1, step) } else { (count - step, count - step - 1) };
                let near = |slot: usize| -> Vec<usize> {
                    let pairs = pairs.iter().map(|(left, right)| if forth { (*left, *right) } else { (*right, *left) });
                    pairs.filter(|(_, own)| *own == slot).map(|(other, _)| other).collect()
                };
                self.columns[sorted] = by_neighbours(&self.columns[sorted], &self.columns[fixed], near);
            }
        }
    }

    fn frames(&self, picture: &Picture) -> Vec<Frame> {
        let mut frames = vec![Frame::default(); self.slots];
        let height = |slot: &usize| if *slot < picture.items.len() { BOX_HEIGHT } else { BEND_HEIGHT };
        let total = |column: &Vec<usize>| {
            let gaps = ROW_GAP * i32::try_from(column.len().saturating_sub(1)).unwrap_or(i32::MAX);
            column.iter().map(height).sum::<i32>() + gaps
        };
        let tallest = self.columns.iter().map(total).max().unwrap_or(0);
        let mut x = MARGIN;
        for column in &self.columns {
            let width = column.iter().filter_map(|slot| picture.items.get(*slot)).map(width_of).max().unwrap_or(0);
            let mut y = MARGIN + (tallest - total(column)) / 2;
            for slot in column {
                frames[*slot] = Frame { x, y, width, height: height(slot) };
                y += height(slot) + ROW_GAP;
            }
            x += width + COLUMN_GAP + room_for_labels(picture, column);
        }
        frames
    }
}

fn by_neighbours(column: &[usize], fixed: &[usize], near: impl Fn(usize) -> Vec<usize>) -> Vec<usize> {
    let place = |slot: &usize| fixed.iter().position(|other| other == slot);
    let weigh = |(own, slot): (usize, &usize)| {
        let places: Vec<usize> = near(*slot).iter().filter_map(place).collect();
        let mean = places.iter().sum::<usize>() as f64 / places.len().max(1) as f64;
        (if places.is_empty() { own as f64 } else { mean }, *slot)
    };
    let mut weighed: Vec<(f64, usize)> = column.iter().enumerate().map(weigh).collect();
    weighed.sort_by(|left, right| left.0.total_cmp(&right.0));
    weighed.into_iter().map(|(_, slot)| slot).collect()
}

fn letters(text: &str) -> i32 {
    i32::try_from(text.chars().count()).unwrap_or(i32::MAX / 100).min(1_000)
}

fn width_of(item: &Item) -> i32 {
    (letters(&item.label) * LABEL_LETTER).max(letters(&item.detail) * SMALL_LETTER) + 28
}

/// Labels stand in the gap behind the column that their link leaves.
fn room_for_labels(picture: &Picture, column: &[usize]) -> i32 {
    let leaving = picture.links.iter().filter(|link| column.contains(&link.from));
    let longest = leaving.flat_map(|link| link.label.split(", ")).map(letters).max();
    longest.unwrap_or(0) * SMALL_LETTER
}

fn way(picture: &Picture, grid: &Grid, frames: &[Frame], link: usize) -> Way {
    let (from, to) = (frames[picture.links[link].from], frames[picture.links[link].to]);
    let chain = &grid.chains[link];
    let [_, bends @ .., _] = chain.as_slice() else {
        let below =
            |frame: Frame, aside: i32| Point { x: frame.x + frame.width / 2 + aside, y: frame.y + frame.height };
        let depth = 34 + (from.x - to.x).abs() / 12;
        return Way::Back { from: below(from, -10), to: below(to, 10), depth };
    };
    let middle = |frame: Frame| frame.y + frame.height / 2;
    let mut points = vec![Point { x: from.x + from.width, y: middle(from) }];
    for bend in bends {
        let frame = frames[*bend];
        points.extend([0, frame.width].map(|along| Point { x: frame.x + along, y: middle(frame) }));
    }
    points.push(Point { x: to.x, y: middle(to) });
    Way::Forward(points)
}

#[cfg(test)]
mod tests {
    use super::super::picture::{Picture, Shape};
    use super::{Frame, Way, layout};

    fn picture(items: usize, links: &[(usize, usize)]) -> Picture {
        let mut picture = Picture::new("test");
        for item in 0..items {
            picture.item(item.to_string(), "item", "", Shape::Effect);
        }
        links.iter().for_each(|(from, to)| picture.link(*from, *to, "", false));
        picture
    }

    fn overlap(left: &Frame, right: &Frame) -> bool {
        let apart = |low: i32, length: i32, other: i32| low + length <= other;
        !(apart(left.x, left.width, right.x)
            || apart(right.x, right.width, left.x)
            || apart(left.y, left.height, right.y)
            || apart(right.y, right.height, left.y))
    }

    #[test]
    fn nothing_overlaps_and_lines_lead_from_left_to_right() {
        for links in [
            &[(0, 1), (1, 2), (1, 3), (2, 4), (3, 4), (0, 4)][..],
            &[(0, 1), (1, 0), (2, 2), (3, 4), (4, 3)],
            &[],
            &[(4, 3), (3, 2), (2, 1), (1, 0), (4, 0)],
        ] {
            let drawn = layout(&picture(5, links));
            for (index, frame) in drawn.frames.iter().enumerate() {
                assert!(frame.x >= 0 && frame.y >= 0 && frame.x + frame.width <= drawn.width, "{links:?}");
                assert!(!drawn.frames[..index].iter().any(|other| overlap(other, frame)), "{links:?}");
            }
            for way in &drawn.ways {
                if let Way::Forward(points) = way {
                    assert!(points.windows(2).all(|pair| pair[0].x <= pair[1].x), "{links:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_at_all_has_a_layout() {
        let drawn = layout(&picture(0, &[]));
        assert!(drawn.frames.is_empty() && drawn.width > 0 && drawn.height > 0);
    }
}
