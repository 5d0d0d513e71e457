//! The run folder: written beside its place as `RUN.partial`, and moved there in one step when it is whole; reports do the same.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use super::checkpoint::{Checkpoint, Job, load};
use super::disk::Disk;
use super::manifest::Manifest;
use super::output::{RunError, Table};

/// A run folder that is being written. Whoever holds it has it alone.
pub(super) struct Folder {
    disk: Disk,
    partial: PathBuf,
    target: PathBuf,
    /// The locked mark.
    lock: Option<File>,
    keep: bool,
}

/// Stands in a folder that is not whole; who writes a run there has it locked.
pub(super) const MARK: &str = "unfinished";
const JOB: &str = "job.json";
const CHECKPOINT: &str = "checkpoint.json";
/// What a finished run is made of; `MARK` stands in one that was replaced and not yet cleared away.
const OF_A_RUN: [&str; 10] = [
    "run.json",
    "transcripts.jsonl",
    "turns.jsonl",
    "findings.jsonl",
    "rejects.jsonl",
    "transcripts.parquet",
    "turns.parquet",
    "findings.parquet",
    "rejects.parquet",
    MARK,
];
/// What file managers leave in every folder they show.
const LITTER: [&str; 3] = [".DS_Store", "Thumbs.db", "desktop.ini"];
/// The transcripts with their signals, between the two passes. Not redacted.
pub(super) const SPOOL: &str = "spool.jsonl";
/// The rejected records themselves. Not redacted; kept beside the run, not in it.
pub(super) const RAW: &str = "rejects.raw";

impl Folder {
    /// Takes `RUN.partial`, with what an unfinished run left there where it is to be resumed; fails at once where RUN could not be
    /// written at the end.
    pub(super) fn take(target: &Path, resume: bool, disk: Disk) -> Result<Self, RunError> {
        let target = &without_link(target)?;
        let name = target.file_name().ok_or_else(|| RunError::NotARun(target.clone()))?;
        if target.exists() && !is_empty(target)? {
            if !is_run(target) {
                return Err(RunError::NotARun(target.clone()));
            }
            nothing_else(target, |name| OF_A_RUN.contains(&name))?;
        }
        let rejects = beside(target, name, ".rejects");
        if rejects.is_dir() {
            return Err(RunError::InTheWay(rejects));
        }
        let partial = beside(target, name, ".partial");
        if partial.is_symlink() {
            return Err(RunError::InTheWay(partial));
        }
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(RunError::io(parent))?;
        }
        let ours = partial.join(MARK).is_file();
        // A run that was replaced and not yet cleared away, or a folder that was just made.
        if partial.exists() && !ours && !is_run(&partial) && !is_empty(&partial)? {
            return Err(RunError::NotARun(partial));
        }
        if !partial.exists() {
            fs::create_dir(&partial).map_err(RunError::io(&partial))?;
        }
        let mark = partial.join(MARK);
        let lock = File::create(&mark).map_err(RunError::io(&mark))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RunError::Busy(partial)),
            // A file system without locks: two runs at once are then the user's to avoid.
            Err(TryLockError::Error(_)) => {}
        }
        if !(resume && ours) {
            clear(&partial).map_err(RunError::io(&partial))?;
        }
        Ok(Self { disk, partial, target: target.clone(), lock: Some(lock), keep: false })
    }

    /// How far the same job has come here: nowhere where there is nothing to be resumed. A finished run is not replaced by another job where `resume` was asked for.
    pub(super) fn resumed(&mut self, job: &Job, resume: bool) -> Result<Checkpoint, RunError> {
        let path = self.path(JOB);
        if let Some(earlier) = load::<Job>(&path) {
            if let Some(difference) = job.difference(&earlier) {
                self.keep = true;
                return Err(RunError::CannotResume { partial: self.partial.clone(), difference });
            }
            return Ok(load(&self.path(CHECKPOINT)).unwrap_or_default());
        }
        let finished = if resume { load::<Manifest>(&self.target.join("run.json")) } else { None };
        if let Some(difference) = finished.and_then(|done| job.difference(&job.as_finished(done))) {
            return Err(RunError::Finished { run: self.target.clone(), difference });
        }
        let json = serde_json::to_vec(job).map_err(|_| RunError::Internal("the job could not be written as JSON"))?;
        self.disk.replace(&path, &json).map_err(RunError::io(&path))?;
        Ok(Checkpoint::default())
    }

    /// Notes what is finished; the files it speaks of are on disk already.
    pub(super) fn note(&self, checkpoint: &Checkpoint) -> Result<(), RunError> {
        let json = serde_json::to_vec(checkpoint)
            .map_err(|_| RunError::Internal("the checkpoint could not be written as JSON"))?;
        let path = self.path(CHECKPOINT);
        self.disk.replace(&path, &json).map_err(RunError::io(&path))
    }

    /// Where the unfinished run stands.
    pub(super) fn partial(&self) -> &Path {
        &self.partial
    }

    /// Leaves the unfinished run where it is, so that it can be resumed, if it has come anywhere.
    pub(super) fn keep(&mut self) {
        self.keep = self.keep || self.path(CHECKPOINT).is_file();
    }

    /// A path inside the folder while it is being written.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.partial.join(name)
    }

    /// A table inside the folder, from its beginning.
    pub(super) fn table(&self, name: &str) -> Result<Table, RunError> {
        Table::open(&self.disk, self.path(name), 0, false)
    }

    /// A table inside the folder, taken up behind its first `keep` bytes.
    pub(super) fn table_from(&self, name: &str, keep: u64) -> Result<Table, RunError> {
        Table::open(&self.disk, self.path(name), keep, [SPOOL, RAW].contains(&name))
    }

    /// Moves the folder to its place; an older run there gives way. The rejected records go beside it, as `RUN.rejects`.
    pub(super) fn finish(mut self, rejects: bool) -> Result<(), RunError> {
        let name = self.target.file_name().unwrap_or_default().to_owned();
        let beside_run = beside(&self.target, &name, ".rejects");
        let (raw, target) = (self.path(RAW), self.target.clone());
        for name in [SPOOL, CHECKPOINT, JOB] {
            let path = self.path(name);
            self.disk.remove(&path).map_err(RunError::io(&path))?;
        }
        if rejects {
            self.disk.rename(&raw, &beside_run).map_err(RunError::io(&beside_run))?;
        } else {
            self.disk.remove(&raw).map_err(RunError::io(&raw))?;
        }
        let mark = self.path(MARK);
        self.disk.remove(&mark).map_err(RunError::io(&mark))?;
        self.lock = None;
        self.keep = true;
        settle(&self.disk, &self.partial, &target)?;
        if !rejects && beside_run.is_file() {
            self.disk.remove(&beside_run).map_err(RunError::io(&beside_run))?;
        }
        Ok(())
    }
}

impl Drop for Folder {
    /// A run that failed leaves nothing, unless it can be resumed: the spool holds text that is not redacted.
    fn drop(&mut self) {
        if !self.keep {
            self.lock = None;
            let _ = remove(&self.partial);
        }
    }
}

/// Moves a folder that is whole, and no longer marked, to its place; one that stands there gives way.
pub(super) fn settle(disk: &Disk, partial: &Path, target: &Path) -> Result<(), RunError> {
    if !target.exists() {
        return disk.rename(partial, target).map_err(RunError::io(target));
    }
    disk.exchange(partial, target).map_err(RunError::io(target))?;
    // The older one stands beside it now: marked, so that it is known for what it is if we end here.
    let mark = partial.join(MARK);
    fs::write(&mark, "").map_err(RunError::io(&mark))?;
    remove(partial).map_err(RunError::io(partial))
}

/// Everything but the mark goes.
fn clear(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() != MARK {
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

/// The mark goes last, so that what is left of the folder is known at any moment.
pub(super) fn remove(folder: &Path) -> std::io::Result<()> {
    clear(folder)?;
    fs::remove_file(folder.join(MARK))?;
    fs::remove_dir(folder)
}

pub(super) fn beside(target: &Path, name: &OsStr, ending: &str) -> PathBuf {
    let mut name = name.to_owned();
    name.push(ending);
    target.with_file_name(name)
}

/// Where a link leads, so that what is written beside the folder stands beside the real one.
pub(super) fn without_link(target: &Path) -> Result<PathBuf, RunError> {
    if target.is_symlink() { fs::canonicalize(target).map_err(RunError::io(target)) } else { Ok(target.to_path_buf()) }
}

/// A folder that is to give way holds nothing but plain files that are its own.
pub(super) fn nothing_else(folder: &Path, own: impl Fn(&str) -> bool) -> Result<(), RunError> {
    for entry in fs::read_dir(folder).map_err(RunError::io(folder))? {
        let entry = entry.map_err(RunError::io(folder))?;
        let plain = entry.file_type().map_err(RunError::io(folder))?.is_file();
        if !plain || !entry.file_name().to_str().is_some_and(|name| LITTER.contains(&name) || own(name)) {
            return Err(RunError::HoldsMore(entry.path()));
        }
    }
    Ok(())
}

fn is_run(path: &Path) -> bool {
    path.join("run.json").is_file() && path.join("turns.jsonl").is_file()
}

pub(super) fn is_empty(path: &Path) -> Result<bool, RunError> {
    Ok(path.is_dir() && fs::read_dir(path).map_err(RunError::io(path))?.next().is_none())
}
