//! What one transcript adds to an evaluation.

use super::confusion::Confusion;

/// Hits and misses of labels, sentiments and rules, by position in their lists.
#[derive(Debug, Clone, Default)]
pub struct Scored {
    /// One a label.
    pub labels: Vec<Confusion>,
    /// One a sentiment.
    pub sentiments: Vec<Confusion>,
    /// One a rule.
    pub rules: Vec<Confusion>,
}

impl Scored {
    /// Empty counts.
    pub fn new(labels: usize, sentiments: usize, rules: usize) -> Self {
        let zero = Confusion::default();
        Self { labels: vec![zero; labels], sentiments: vec![zero; sentiments], rules: vec![zero; rules] }
    }
}
