//! The canonical transcript. In: a [`Record`](crate::ingest::Record). Out: a [`Transcript`] that is known to be sound, or the reason why
//! the record is none; its language and how sure its roles are; its text redacted; its sentences and names found.

mod language;
mod redact;
mod roles;
mod text;
mod transcript;

pub use language::UNKNOWN as UNKNOWN_LANGUAGE;
pub use redact::{Redacted, Redactor, redact, redact_attribute};
pub use roles::{RoleDoubt, RoleFault};
pub(crate) use text::pattern;
pub use text::{content_words, fold, mentions_name, sentences, stem, words};
pub use transcript::{Role, Transcript, Turn};
