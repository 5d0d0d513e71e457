//! From what the user named to a list of files. In: names, folders, globs, `-`. Out: paths in a stable order.

use std::fs;
use std::path::{Path, PathBuf};

use super::IngestError;

/// What is taken from a folder; workbooks too, which are then rejected with what to do.
const ENDINGS: [&str; 10] = ["jsonl", "ndjson", "json", "csv", "parquet", "vtt", "srt", "txt", "xlsx", "xls"];

/// The files meant by `inputs`, each once, in the order given; a folder's and a glob's files by name.
///
/// # Errors
/// When a name stands for nothing.
pub fn locate(inputs: &[String]) -> Result<Vec<PathBuf>, IngestError> {
    let mut found: Vec<PathBuf> = Vec::new();
    for input in inputs {
        let path = PathBuf::from(input);
        let files = if input == "-" || path.is_file() {
            vec![path]
        } else if path.is_dir() {
            folder(&path)?
        } else if input.contains(['*', '?', '[']) {
            pattern(input)?
        } else {
            // Opening says what is wrong; a pipe or device opens well.
            fs::metadata(&path).map_err(|source| IngestError::Open { path: path.clone(), source })?;
            vec![path]
        };
        for file in files {
            if !found.contains(&file) {
                found.push(file);
            }
        }
    }
    Ok(found)
}

fn folder(root: &Path) -> Result<Vec<PathBuf>, IngestError> {
    let mut files = Vec::new();
    walk(root, &mut files)?;
    files.sort();
    if files.is_empty() {
        return Err(IngestError::EmptyFolder(root.to_path_buf()));
    }
    Ok(files)
}

fn walk(dir: &Path, files: &mut Vec<PathBuf>) -> Result<(), IngestError> {
    let failed = |source| IngestError::Open { path: dir.to_path_buf(), source };
    // A corpus folder is one input; the files beside the utterances are read with them.
    if let Some(utterances) = corpus(dir) {
        files.push(utterances);
        return Ok(());
    }
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        let path = entry.path();
        // A link to a folder is not followed: it may lead in a circle.
        if kind.is_dir() {
            // What cannot be looked into is named like a file: opening it says why, and the rest is read.
            let before = files.len();
            if walk(&path, files).is_err() {
                files.truncate(before);
                files.push(path);
            }
        } else if is_transcript_file(&path) && (path.is_file() || kind.is_symlink() && !path.exists()) {
            files.push(path);
        }
    }
    Ok(())
}

/// The utterances of a `ConvoKit` corpus folder.
fn corpus(dir: &Path) -> Option<PathBuf> {
    let utterances = dir.join("utterances.jsonl");
    let beside = ["speakers.json", "users.json", "conversations.json", "corpus.json"];
    (utterances.is_file() && beside.iter().any(|name| dir.join(name).is_file())).then_some(utterances)
}

fn is_transcript_file(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    !name.starts_with('.') && name.rsplit_once('.').is_some_and(|(_, end)| ENDINGS.contains(&end))
}

fn pattern(input: &str) -> Result<Vec<PathBuf>, IngestError> {
    let paths = glob::glob(input).map_err(|source| IngestError::Pattern { pattern: input.to_owned(), source })?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|e| IngestError::Open { path: e.path().to_path_buf(), source: e.into() })?;
        if path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(IngestError::NoMatch(input.to_owned()));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[PathBuf], root: &Path) -> Vec<String> {
        paths.iter().map(|p| p.strip_prefix(root).unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_folder_gives_its_transcript_files_by_name_and_leaves_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("b")).unwrap();
        for f in ["z.csv", "a.jsonl.gz", "b/c.JSONL", "notes.md", ".hidden.jsonl"] {
            fs::write(dir.path().join(f), "").unwrap();
        }
        let found = locate(&[dir.path().to_string_lossy().into_owned()]).unwrap();
        assert_eq!(names(&found, dir.path()), ["a.jsonl.gz", "b/c.JSONL", "z.csv"]);
    }

    #[test]
    #[cfg(unix)]
    fn a_link_that_leads_nowhere_is_not_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(dir.path().join("gone"), dir.path().join("a.jsonl")).unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("circle.jsonl")).unwrap();
        let found = locate(&[dir.path().to_string_lossy().into_owned()]).unwrap();
        assert_eq!(names(&found, dir.path()), ["a.jsonl"]);
    }

    #[test]
    fn a_file_named_twice_is_read_once() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.jsonl"), "").unwrap();
        let a = dir.path().join("a.jsonl").to_string_lossy().into_owned();
        let glob = dir.path().join("*.jsonl").to_string_lossy().into_owned();
        assert_eq!(locate(&[a, glob]).unwrap().len(), 1);
    }

    #[test]
    fn what_stands_for_nothing_is_an_error() {
        assert!(matches!(locate(&["/no/such/file.jsonl".into()]), Err(IngestError::Open { .. })));
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_string_lossy().into_owned();
        assert!(matches!(locate(std::slice::from_ref(&root)), Err(IngestError::EmptyFolder(_))));
        assert!(matches!(locate(&[format!("{root}/*.csv")]), Err(IngestError::NoMatch(_))));
    }
}
