//! The heads: each reads the turn's tokens with an attention of its own.

use super::float::{PANEL, add_product};
use super::math::softmax;
use crate::signals::backend::{Answer, LOGITS};
use crate::signals::label::{Cue, Label, Sentiment};
use crate::signals::model::{ModelError, Tensors};

const LABELS: usize = Label::ALL.len();
const SENTIMENTS: usize = Sentiment::ALL.len();
const HEADS: usize = LABELS + 1 + Cue::ALL.len();
/// One column for each attention query and each logit, in whole panels.
const COLUMNS: usize = (HEADS + LOGITS).next_multiple_of(PANEL);

/// One attention query per label, one for sentiment, one per cue. A logit is the mean, by that attention, of what each token adds to it.
pub(super) struct Heads {
    /// Queries and weights in panels of 16 columns.
    panels: Vec<f32>,
    bias: Vec<f32>,
    width: usize,
}

impl Heads {
    pub(super) fn load(tensors: &Tensors<'_>, name: &str, width: usize) -> Result<Self, ModelError> {
        let part = |part: &str| tensors.f32(&format!("{name}.{part}"));
        let (query, weight, bias) = (part("query")?, part("weight")?, part("bias")?);
        if [query.len(), weight.len(), bias.len()] != [HEADS * width, LOGITS * width, LOGITS] {
            return Err(ModelError::Shape(name.to_owned()));
        }
        let mut panels = vec![0.0; COLUMNS * width];
        for (column, row) in query.chunks_exact(width).chain(weight.chunks_exact(width)).enumerate() {
            for (depth, value) in row.iter().enumerate() {
                panels[(column / PANEL * width + depth) * PANEL + column % PANEL] = *value;
            }
        }
        Ok(Self { panels, bias, width })
    }

    /// The answer for a turn whose own tokens are `hidden` (`[tokens, width]`); a label's focus is the token that adds most to its logit.
    #[inline(always)]
    pub(super) fn read(&self, hidden: &[f32], room: &mut Vec<f32>) -> Answer {
        let tokens = hidden.len() / self.width;
        room.clear();
        room.resize(tokens * COLUMNS, 0.0);
        add_product((hidden, self.width), tokens, (&self.panels, self.width), (room, COLUMNS));
        let mut out = Answer { logits: [0.0; LOGITS], focus: [0; LABELS] };
        let mut attention = [0.0; 512];
        let attention = &mut attention[..tokens.min(512)];
        for head in 0..HEADS {
            for (a, row) in attention.iter_mut().zip(room.chunks_exact(COLUMNS)) {
                *a = row[head];
            }
            softmax(attention);
            let logits = match head {
                LABELS => LABELS..LABELS + SENTIMENTS,
                h if h < LABELS => h..h + 1,
                h => h + SENTIMENTS - 1..h + SENTIMENTS,
            };
            for logit in logits {
                let (mut sum, mut most) = (0.0, f32::NEG_INFINITY);
                for (token, (a, row)) in attention.iter().zip(room.chunks_exact(COLUMNS)).enumerate() {
                    let adds = a * row[HEADS + logit];
                    sum += adds;
                    if head < LABELS && adds >= most {
                        (most, out.focus[head]) = (adds, u16::try_from(token).unwrap_or(0));
                    }
                }
                out.logits[logit] = sum + self.bias[logit];
            }
        }
        out
    }
}
