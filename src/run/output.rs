//! The run folder: written beside its place as `RUN.partial` and moved there when it is whole.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

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
    /// The output's ending names no format.
    #[error("{0}: the ending says the format; name a .jsonl or .parquet file")]
    Ending(PathBuf),
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
    /// The words of a run cannot be read again.
    #[error("{0}")]
    Words(String),
    /// The folder for a report holds something else.
    #[error("{0} holds something else than this report; name another folder with --out")]
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

/// A run folder that is being written.
pub(super) struct Folder {
    partial: PathBuf,
    target: PathBuf,
    done: bool,
}

impl Folder {
    /// Makes `RUN.partial`; fails at once where RUN could not be written at the end.
    pub(super) fn create(target: &Path) -> Result<Self, RunError> {
        Self::create_where(target, RunError::NotARun, |target| Ok(is_run(target)))
    }

    /// The same for the folder of a report: it may take the place of one that has the file `mark` and nothing but files that are the
    /// report's own.
    pub(super) fn create_report(target: &Path, mark: &str, own: impl Fn(&str) -> bool) -> Result<Self, RunError> {
        Self::create_where(target, RunError::NotAReport, |target| {
            if !target.join(mark).is_file() {
                return Ok(false);
            }
            for entry in fs::read_dir(target).map_err(RunError::io(target))? {
                let entry = entry.map_err(RunError::io(target))?;
                let plain = entry.file_type().map_err(RunError::io(target))?.is_file();
                if !plain || !entry.file_name().to_str().is_some_and(&own) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    fn create_where(
        target: &Path,
        refused: fn(PathBuf) -> RunError,
        may_go: impl Fn(&Path) -> Result<bool, RunError>,
    ) -> Result<Self, RunError> {
        let name = target.file_name().ok_or_else(|| refused(target.to_path_buf()))?;
        if target.exists() && (!target.is_dir() || !is_empty_folder(target)? && !may_go(target)?) {
            return Err(refused(target.to_path_buf()));
        }
        let partial = beside(target, name, ".partial");
        // What a run that was killed left behind; nothing else has this mark in it.
        if partial.join(MARK).is_file() {
            fs::remove_dir_all(&partial).map_err(RunError::io(&partial))?;
        }
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(RunError::io(parent))?;
        }
        fs::create_dir(&partial).map_err(RunError::io(&partial))?;
        let folder = Self { partial, target: target.to_path_buf(), done: false };
        fs::write(folder.path(MARK), "").map_err(RunError::io(&folder.partial))?;
        Ok(folder)
    }

    /// A path inside the folder while it is being written.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.partial.join(name)
    }

    /// A table inside the folder.
    pub(super) fn table(&self, name: &str) -> Result<Table, RunError> {
        Table::create(self.path(name))
    }

    /// Moves the folder to its place; an older run there gives way.
    pub(super) fn finish(mut self) -> Result<(), RunError> {
        let mark = self.path(MARK);
        fs::remove_file(&mark).map_err(RunError::io(&mark))?;
        let old = self
            .target
            .file_name()
            .map(|name| beside(&self.target, name, ".replaced"))
            .filter(|_| self.target.exists());
        if let Some(old) = &old {
            fs::rename(&self.target, old).map_err(RunError::io(&self.target))?;
        }
        if let Err(source) = fs::rename(&self.partial, &self.target) {
            if let Some(old) = &old {
                fs::rename(old, &self.target).map_err(RunError::io(old))?;
            }
            return Err(RunError::Io { path: self.target.clone(), source });
        }
        self.done = true;
        if let Some(old) = &old {
            fs::remove_dir_all(old).map_err(RunError::io(old))?;
        }
        Ok(())
    }
}

impl Drop for Folder {
    /// A run that failed leaves nothing: the folder holds text that is not redacted.
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_dir_all(&self.partial);
        }
    }
}

/// Stands in a folder while it is being written.
const MARK: &str = "unfinished";

fn beside(target: &Path, name: &OsStr, ending: &str) -> PathBuf {
    let mut name = name.to_owned();
    name.push(ending);
    target.with_file_name(name)
}

fn is_run(path: &Path) -> bool {
    path.join("run.json").is_file() && path.join("turns.jsonl").is_file()
}

fn is_empty_folder(path: &Path) -> Result<bool, RunError> {
    Ok(path.is_dir() && fs::read_dir(path).map_err(RunError::io(path))?.next().is_none())
}

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
    file: BufWriter<File>,
    path: PathBuf,
}

impl Table {
    pub(super) fn create(path: PathBuf) -> Result<Self, RunError> {
        let file = File::create(&path).map_err(RunError::io(&path))?;
        Ok(Self { file: BufWriter::with_capacity(1 << 17, file), path })
    }

    /// Writes one row.
    pub(super) fn row(&mut self, row: &impl Serialize) -> Result<(), RunError> {
        let bytes = json_line(row)?;
        self.bytes(&bytes)
    }

    /// Writes lines that are ready.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), RunError> {
        self.file.write_all(bytes).map_err(RunError::io(&self.path))
    }

    /// Writes out what is buffered, down to the disk.
    pub(super) fn close(self) -> Result<(), RunError> {
        let path = self.path;
        let file = self.file.into_inner().map_err(|e| RunError::Io { path: path.clone(), source: e.into_error() })?;
        file.sync_all().map_err(RunError::io(&path))
    }
}

/// One row as a line of JSON.
pub(super) fn json_line(row: &impl Serialize) -> Result<Vec<u8>, RunError> {
    let mut bytes = serde_json::to_vec(row).map_err(|_| RunError::Internal("a row could not be written as JSON"))?;
    bytes.push(b'\n');
    Ok(bytes)
}
