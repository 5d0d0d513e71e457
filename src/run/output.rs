//! Why a run may end without a result, and what is written line by line.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::disk::Disk;
use super::folder::beside;
use crate::ingest::IngestError;
use crate::labels::LabelsError;
use crate::sampling::DesignError;
use crate::signals::ModelError;

/// Why a run ended without a result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The input could not be opened.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// No input could be read.
    #[error("no transcript could be read; the first reason: {0}")]
    NothingRead(String),
    /// The model could not be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The run folder is there already and is not a run.
    #[error("{0} exists and is not a run folder; name another folder with --out")]
    NotARun(PathBuf),
    /// A folder that would be replaced holds something that is not its own.
    #[error(
        "{0} would be lost: the folder that it is in is written anew; move it elsewhere, or name another folder with --out"
    )]
    HoldsMore(PathBuf),
    /// Something stands where a file is to be written.
    #[error("{0} is in the way; move it elsewhere, or name another place with --out")]
    InTheWay(PathBuf),
    /// A sheet that would be replaced is filled in, or is none.
    #[error(
        "{0} is there already and holds answers, or is no sheet; move it elsewhere, or name another file with --out"
    )]
    Worked(PathBuf),
    /// A file would be written over what it is made from.
    #[error("{0} is one of the files to read; name another file with --out")]
    ItsOwnInput(PathBuf),
    /// The output's ending names no format.
    #[error("{0}: the ending says the format; name a .jsonl or .parquet file")]
    Ending(PathBuf),
    /// Another run is writing there.
    #[error("{0} is being written by another run; wait for it, or name another folder with --out")]
    Busy(PathBuf),
    /// What was finished is not what is asked for now.
    #[error(
        "{run} is finished, so there is nothing to resume; it is left as it is, for this would be another run ({difference}). Leave out --resume to replace it, or give another --out"
    )]
    Finished {
        /// The run.
        run: PathBuf,
        /// What differs.
        difference: String,
    },
    /// What was begun is not what is asked for now.
    #[error("cannot resume {partial}: {difference}; leave out --resume to begin anew")]
    CannotResume {
        /// The folder of the unfinished run.
        partial: PathBuf,
        /// What differs.
        difference: String,
    },
    /// Somebody asked the run to stop.
    #[error("interrupted{}", .0.as_ref().map_or(String::new(), |p| format!("; what was finished is kept in {}: give the same command with --resume", p.display())))]
    Interrupted(Option<PathBuf>),
    /// A file could not be written or read back.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The gold file is not one.
    #[error("{path}, line {line}: {reason}")]
    Gold {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// There is no run in that folder.
    #[error("{0} is not a run folder; make one with evenhand audit INPUT --out RUN")]
    NoRun(PathBuf),
    /// A table cannot be read.
    #[error("{path}, line {line}: {reason}")]
    Table {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Something was named that is not there.
    #[error("no {what} is called {name:?}; there are: {known}")]
    Unknown {
        /// What it should be.
        what: &'static str,
        /// The name given.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The folder for a report holds something else.
    #[error("{0} is there already and is no such report; name another folder with --out")]
    NotAReport(PathBuf),
    /// Nothing can be compared.
    #[error("{0}")]
    NothingToCompare(String),
    /// A sample cannot be drawn so.
    #[error(transparent)]
    Design(#[from] DesignError),
    /// The words of conversations cannot be read.
    #[error("{0}")]
    NoWords(String),
    /// Labels cannot be read or kept.
    #[error(transparent)]
    Labels(#[from] LabelsError),
    /// Something that should not happen.
    #[error("internal error: {0}; please report it")]
    Internal(&'static str),
}

impl RunError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_path_buf(), source }
    }
}

/// Bytes gathered before they are written.
const GATHERED: usize = 1 << 17;

/// Writes a file beside its place and moves it there when it is whole.
///
/// # Errors
/// When it cannot be written.
pub fn write_whole(path: &Path, text: &str) -> Result<(), RunError> {
    let name = path.file_name().ok_or_else(|| RunError::Io {
        path: path.to_path_buf(),
        source: io::Error::new(io::ErrorKind::InvalidInput, "not the name of a file"),
    })?;
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(RunError::io(parent))?;
    }
    let partial = beside(path, name, ".partial");
    fs::write(&partial, text).map_err(RunError::io(&partial))?;
    fs::rename(&partial, path).map_err(RunError::io(path))
}

/// A JSON Lines file.
pub(super) struct Table {
    file: File,
    disk: Disk,
    path: PathBuf,
    buffer: Vec<u8>,
    /// Bytes handed in so far, written or not.
    length: u64,
}

impl Table {
    /// A new file, or an old one that is taken up again behind its first `keep` bytes.
    pub(super) fn open(disk: &Disk, path: PathBuf, keep: u64, private: bool) -> Result<Self, RunError> {
        let file = disk.open(&path, keep, private).map_err(RunError::io(&path))?;
        Ok(Self { file, disk: disk.clone(), path, buffer: Vec::with_capacity(GATHERED), length: keep })
    }

    /// Bytes handed in so far.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Writes one row.
    pub(super) fn row(&mut self, row: &impl Serialize) -> Result<(), RunError> {
        let bytes = json_line(row)?;
        self.bytes(&bytes)
    }

    /// Writes lines that are ready.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), RunError> {
        self.length += bytes.len() as u64;
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= GATHERED { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), RunError> {
        if !self.buffer.is_empty() {
            self.disk.write(&mut self.file, &self.buffer).map_err(RunError::io(&self.path))?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Writes out what was gathered, down to the disk.
    pub(super) fn sync(&mut self) -> Result<(), RunError> {
        self.flush()?;
        self.disk.sync(&self.file).map_err(RunError::io(&self.path))
    }
}

/// One row as a line of JSON.
pub(super) fn json_line(row: &impl Serialize) -> Result<Vec<u8>, RunError> {
    let mut bytes = serde_json::to_vec(row).map_err(|_| RunError::Internal("a row could not be written as JSON"))?;
    bytes.push(b'\n');
    Ok(bytes)
}
