//! The canonical transcript. In: a [`Record`](crate::ingest::Record). Out: a [`Transcript`] that is known to be sound, or the reason why
//! the record is none; its text redacted; its sentences and names found.

mod redact;
mod text;
mod transcript;

pub use redact::{Redacted, Redactor, redact, redact_attribute};
pub use text::{content_words, fold, mentions_name, sentences, stem, words};
pub use transcript::{Role, Transcript, Turn};
