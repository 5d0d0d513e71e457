//! The words of conversations, which a run does not keep. In: the files that were audited. Out: the turns of the conversations asked for,
//! redacted as the run is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::interrupt::Interrupt;
use super::manifest::Manifest;
use super::output::RunError;
use super::pipeline;
use super::progress::Progress;
use crate::ingest::{self, Format};
use crate::turns::{Redactor, Turn};

/// Where words are read from.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// Files named by the user; none: those that `run.json` names, which must not have changed.
    pub files: Vec<String>,
    /// How to read them.
    pub format: Format,
}

/// Turns by conversation.
type Turns = BTreeMap<String, Vec<Turn>>;

/// The turns of the conversations `ids`, and what the user should know about the files.
pub(super) fn words(
    words: &Words,
    manifest: &Manifest,
    ids: &BTreeSet<String>,
    progress: &Progress,
) -> Result<(Turns, Vec<String>), RunError> {
    let named = !words.files.is_empty();
    let files = if named { ingest::locate(&words.files)? } else { audited(manifest)? };
    let (mut turns, mut notes) = (BTreeMap::new(), Vec::new());
    let bar = progress.count("reading the words");
    pipeline::read(files, manifest.config.reading(words.format), &Interrupt::default(), |step| {
        bar.inc(step.transcripts.len() as u64);
        for mut t in step.transcripts.into_iter().filter(|t| ids.contains(&t.id)) {
            if manifest.redacted {
                let redactor = Redactor::new(&t);
                let texts: Vec<String> = (0..t.turns.len()).map(|i| redactor.turn(i).text).collect();
                t.turns.iter_mut().zip(texts).for_each(|(turn, text)| turn.text = text);
            }
            turns.insert(t.id, t.turns);
        }
        for file in step.finished {
            let same = manifest.inputs.iter().any(|i| i.sha256.is_some() && i.sha256 == file.sha256);
            if !same && !named {
                return Err(RunError::NoWords(format!(
                    "{} has changed since the audit; audit it again, or name it with --transcripts to read it as it is now",
                    file.source
                )));
            }
            if !same {
                notes.push(format!(
                    "{} is not a file that was audited, or has changed since; its conversations are matched by id.",
                    file.source
                ));
            }
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    match ids.iter().find(|id| !turns.contains_key(*id)) {
        Some(first) => Err(RunError::NoWords(format!(
            "{} of {} drawn conversations are not in the files read, the first {first:?}; name all files that were audited with --transcripts, or draw without words with --no-text",
            ids.iter().filter(|id| !turns.contains_key(*id)).count(),
            ids.len()
        ))),
        None => Ok((turns, notes)),
    }
}

/// The files of the audit, where they still are.
fn audited(manifest: &Manifest) -> Result<Vec<std::path::PathBuf>, RunError> {
    let gone = manifest.inputs.iter().find(|i| i.source == "-" || !Path::new(&i.source).is_file());
    if let Some(gone) = gone {
        let what = if gone.source == "-" { "standard input, which was audited," } else { &gone.source };
        return Err(RunError::NoWords(format!(
            "a run keeps no conversations, only quotes, and {what} cannot be read again from here; name the files with --transcripts FILE, or draw without words with --no-text"
        )));
    }
    Ok(manifest.inputs.iter().map(|i| i.source.clone().into()).collect())
}
