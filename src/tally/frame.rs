//! A table of cases by column: attributes that name segments, and outcomes. In: values row by row. Out: columns that can be
//! grouped.

use std::collections::HashMap;

/// A column of names.
#[derive(Debug, Clone, Default)]
pub struct Attribute {
    /// Its name: `segments.tier`.
    pub name: String,
    /// The names that occur, in the order in which they came.
    pub levels: Vec<String>,
    /// An index into `levels` by row; none where the row has no value.
    pub codes: Vec<Option<u32>>,
    places: HashMap<String, u32>,
}

impl Attribute {
    /// An empty column.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Adds a row. An empty value is none.
    pub fn push(&mut self, value: Option<&str>) {
        let code = value.and_then(|v| self.learn(v));
        self.codes.push(code);
    }

    /// The code of a level, which is added where it is new; none for an empty one. Adds no row.
    pub fn learn(&mut self, level: &str) -> Option<u32> {
        let level = level.trim();
        if level.is_empty() {
            return None;
        }
        Some(self.places.get(level).copied().unwrap_or_else(|| {
            let code = self.levels.len() as u32;
            self.levels.push(level.to_owned());
            self.places.insert(level.to_owned(), code);
            code
        }))
    }

    /// The code of a level.
    pub fn code(&self, level: &str) -> Option<u32> {
        self.places.get(level).copied()
    }
}

/// A column that something is asked of.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Its name: a rule, or `compensation`.
    pub name: String,
    /// What it measures, in words, with its unit.
    pub meaning: String,
    /// Whether more of it is good, where that is known.
    pub welcome: Option<bool>,
    /// The values by row.
    pub values: Values,
}

/// The values of an outcome.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// 0/1; none where the outcome does not apply.
    Shares(Vec<Option<bool>>),
    /// Numbers; none where there is none.
    Numbers(Vec<Option<f64>>),
}

/// Cases with their attributes and outcomes.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// How many rows.
    pub rows: usize,
    /// How many cases each row stands for; none where each is one.
    pub counts: Option<Vec<u64>>,
    /// The name of each case; empty for a table that has none.
    pub ids: Vec<String>,
    /// Attributes, in the order of the input.
    pub attributes: Vec<Attribute>,
    /// Outcomes.
    pub outcomes: Vec<Outcome>,
}

impl Frame {
    /// The attribute of that name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|a| a.name == name)
    }

    /// How many cases a row stands for.
    pub fn count(&self, row: usize) -> u64 {
        self.counts.as_ref().map_or(1, |c| c[row])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_numbered_as_they_come_and_blanks_are_none() {
        let mut a = Attribute::new("tier");
        [Some("gold"), None, Some(" silver "), Some("gold"), Some(" ")].into_iter().for_each(|v| a.push(v));
        assert_eq!(a.codes, [Some(0), None, Some(1), Some(0), None]);
        assert_eq!((a.levels.len(), a.code("silver"), a.code("bronze")), (2, Some(1), None));
    }
}
