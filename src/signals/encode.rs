//! From text to token ids. In: a turn, its role, the turn before. Out: [`Encoded`].
//!
//! The layout is that of `models/train/encoder.py`: both must change together.

use tokenizers::Tokenizer;

use super::backend::Encoded;
use super::classifier::Input;
use super::model::{Model, ModelError};
use super::plain::{Plain, original};
use crate::turns::Role;

const MAX_TEXT: usize = 144;
const MAX_PREV: usize = 40;

/// The tokenizer with the ids it needs.
pub(super) struct Encoder {
    tokenizer: Tokenizer,
    plain: Plain,
    cls: u32,
    sep: u32,
    roles: [u32; 3],
}

impl Encoder {
    pub(super) fn new(model: &Model) -> Result<Self, ModelError> {
        let tokenizer = model.tokenizer()?;
        let id =
            |word: &str| tokenizer.token_to_id(word).ok_or_else(|| ModelError::Tokenizer(format!("no token {word}")));
        let (cls, sep, roles) = (id("[CLS]")?, id("[SEP]")?, [id("customer")?, id("agent")?, id("robot")?]);
        Ok(Self { tokenizer, plain: Plain::new(&model.info().emoji), cls, sep, roles })
    }

    pub(super) fn encode(&self, input: &Input<'_>) -> Result<Encoded, ModelError> {
        let mut ids = vec![self.cls];
        self.push(&mut ids, input.role, input.text, MAX_TEXT)?;
        let own = ids.len();
        if let Some((role, text)) = input.before {
            let start = ids.len();
            self.push(&mut ids, role, text, MAX_PREV)?;
            if ids.len() == start + 2 {
                ids.truncate(start);
            }
        }
        Ok(Encoded { ids, own })
    }

    /// For each token of the turn itself, where it begins in the text, in bytes.
    pub(super) fn places(&self, text: &str) -> Result<Vec<usize>, ModelError> {
        let (plain, places) = self.plain.with_places(text);
        let encoding = self.tokenizer.encode(plain, false).map_err(|e| ModelError::Tokenizer(e.to_string()))?;
        let starts: Vec<usize> = encoding.get_offsets().iter().map(|(start, _)| original(&places, *start)).collect();
        // The role's word stands before the text, and a cut text keeps its head and tail.
        let kept: Vec<usize> = if starts.len() <= MAX_TEXT {
            starts
        } else {
            [&starts[..MAX_TEXT / 2], &starts[starts.len() - MAX_TEXT / 2..]].concat()
        };
        Ok([0, 0].into_iter().chain(kept).collect())
    }

    /// `role text [SEP]`, the text cut to the head and tail of its tokens.
    fn push(&self, ids: &mut Vec<u32>, role: Role, text: &str, limit: usize) -> Result<(), ModelError> {
        let encoding = self
            .tokenizer
            .encode_fast(self.plain.text(text), false)
            .map_err(|e| ModelError::Tokenizer(e.to_string()))?;
        let tokens = encoding.get_ids();
        ids.push(
            self.roles[match role {
                Role::Customer => 0,
                Role::Agent | Role::System => 1,
                Role::Bot => 2,
            }],
        );
        if tokens.len() <= limit {
            ids.extend_from_slice(tokens);
        } else {
            let head = limit / 2;
            ids.extend_from_slice(&tokens[..head]);
            ids.extend_from_slice(&tokens[tokens.len() - (limit - head)..]);
        }
        ids.push(self.sep);
        Ok(())
    }
}
