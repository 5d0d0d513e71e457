//! The folder of a report: written beside its place as `DIR.partial`, and moved there when it is whole.

use std::fs;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::folder::{MARK, beside, is_empty, nothing_else, remove, settle, without_link};
use super::output::RunError;

/// The folder of a report that is being written.
pub(super) struct ReportFolder {
    partial: PathBuf,
    target: PathBuf,
    done: bool,
}

impl ReportFolder {
    /// Makes `DIR.partial`. DIR may take the place of a folder that has the file `mark` and nothing but files that are the report's own.
    pub(super) fn create(target: &Path, mark: &str, own: impl Fn(&str) -> bool) -> Result<Self, RunError> {
        let target = &without_link(target)?;
        let refused = || RunError::NotAReport(target.clone());
        let name = target.file_name().ok_or_else(refused)?;
        if target.exists() && !is_empty(target)? {
            if !target.join(mark).is_file() {
                return Err(refused());
            }
            nothing_else(target, own)?;
        }
        let partial = beside(target, name, ".partial");
        // What one that was killed left behind; nothing else has this mark in it.
        if partial.join(MARK).is_file() {
            remove(&partial).map_err(RunError::io(&partial))?;
        }
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(RunError::io(parent))?;
        }
        fs::create_dir(&partial).map_err(RunError::io(&partial))?;
        let folder = Self { partial, target: target.clone(), done: false };
        fs::write(folder.path(MARK), "").map_err(RunError::io(&folder.partial))?;
        Ok(folder)
    }

    /// A path inside the folder while it is being written.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.partial.join(name)
    }

    /// Moves the folder to its place; an older report there gives way.
    pub(super) fn finish(mut self) -> Result<(), RunError> {
        let mark = self.path(MARK);
        fs::remove_file(&mark).map_err(RunError::io(&mark))?;
        settle(&Disk::new(None), &self.partial, &self.target)?;
        self.done = true;
        Ok(())
    }
}

impl Drop for ReportFolder {
    /// A report that failed leaves nothing.
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_dir_all(&self.partial);
        }
    }
}
