//! The disk under a run folder. In: what is to be written. Out: the same on disk, or an error that names the file.
//!
//! Every operation is counted, so that a test can make the n-th of them fail, or end the program there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What goes wrong at the n-th operation on the disk; for tests (`--fault kill@17`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    kind: FaultKind,
    at: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FaultKind {
    /// The program ends there, half of what was to be written being written.
    Kill,
    /// The disk is full.
    Full,
    /// The disk fails.
    Error,
    /// A fault in the program, with what was to be written in its message.
    Panic,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a fault; use kill, full, error or panic, and where: kill@17");
        let (kind, at) = text.split_once('@').ok_or_else(wrong)?;
        let kind = match kind {
            "kill" => FaultKind::Kill,
            "full" => FaultKind::Full,
            "error" => FaultKind::Error,
            "panic" => FaultKind::Panic,
            _ => return Err(wrong()),
        };
        Ok(Self { kind, at: at.parse().map_err(|_| wrong())? })
    }
}

/// Counts operations and lets the chosen one go wrong.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    fault: Option<Fault>,
    done: Arc<AtomicU64>,
}

impl Disk {
    pub(super) fn new(fault: Option<Fault>) -> Self {
        Self { fault, done: Arc::default() }
    }

    /// Counts an operation; `half` is what may be done of it before the program ends.
    fn step(&self, bytes: &[u8], half: impl FnOnce()) -> io::Result<()> {
        let n = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        match self.fault.filter(|f| f.at == n).map(|f| f.kind) {
            None => Ok(()),
            Some(FaultKind::Kill) => {
                half();
                std::process::abort()
            }
            Some(FaultKind::Full) => Err(io::ErrorKind::StorageFull.into()),
            Some(FaultKind::Error) => Err(io::Error::other("input/output error")),
            Some(FaultKind::Panic) => panic!("{}", String::from_utf8_lossy(bytes)),
        }
    }

    /// A new file, or an old one cut off at `keep` bytes; nobody else may read it where it is `private`.
    pub(super) fn open(&self, path: &Path, keep: u64, private: bool) -> io::Result<File> {
        self.step(&[], || {})?;
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        if private {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        let mut file = options.open(path)?;
        if file.metadata()?.len() < keep {
            return Err(io::Error::other("the file is shorter than it was"));
        }
        file.set_len(keep)?;
        io::Seek::seek(&mut file, io::SeekFrom::End(0))?;
        Ok(file)
    }

    pub(super) fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let mut shared: &File = file;
        self.step(bytes, || {
            let _ = shared.write_all(&bytes[..bytes.len() / 2]);
        })?;
        file.write_all(bytes)
    }

    pub(super) fn sync(&self, file: &File) -> io::Result<()> {
        self.step(&[], || {})?;
        file.sync_all()
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(&[], || {})?;
        fs::rename(from, to)?;
        sync_folder(to.parent());
        Ok(())
    }

    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(&[], || {})?;
        fs::remove_file(path)
    }

    /// Two folders change places, in one step where the system can.
    pub(super) fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        self.step(&[], || {})?;
        exchange(a, b)?;
        sync_folder(b.parent());
        Ok(())
    }

    /// A small file, whole or not at all.
    pub(super) fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let new = path.with_extension("new");
        let mut file = self.open(&new, 0, true)?;
        self.write(&mut file, bytes)?;
        self.sync(&file)?;
        self.rename(&new, path)
    }
}

/// So that a new name in a folder outlasts a power cut; not every system can.
fn sync_folder(folder: Option<&Path>) {
    let folder = folder.filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(folder).and_then(|f| f.sync_all());
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE) {
        // Some network file systems cannot.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => exchange_by_three(a, b),
        other => Ok(other?),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    exchange_by_three(a, b)
}

fn exchange_by_three(a: &Path, b: &Path) -> io::Result<()> {
    let mut aside = b.as_os_str().to_owned();
    aside.push(".replaced");
    fs::rename(b, &aside)?;
    if let Err(e) = fs::rename(a, b) {
        fs::rename(&aside, b)?;
        return Err(e);
    }
    fs::rename(&aside, a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_operation_fails_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(Some("full@3".parse().unwrap()));
        let mut file = disk.open(&dir.path().join("a"), 0, false).unwrap();
        disk.write(&mut file, b"one").unwrap();
        assert_eq!(disk.write(&mut file, b"two").unwrap_err().kind(), io::ErrorKind::StorageFull);
        disk.write(&mut file, b"three").unwrap();
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"onethree");
    }

    #[test]
    fn folders_change_places() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            fs::create_dir(dir.path().join(name)).unwrap();
            fs::write(dir.path().join(name).join("name"), name).unwrap();
        }
        for change in [exchange, exchange_by_three] {
            let before = fs::read(dir.path().join("a/name")).unwrap();
            change(&dir.path().join("a"), &dir.path().join("b")).unwrap();
            assert_eq!(fs::read(dir.path().join("b/name")).unwrap(), before);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
        }
    }
}
