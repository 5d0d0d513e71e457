//! Which files are read together, and under which name. In: the files found. Out: jobs, each for one reader.
//!
//! Tickets and comments in two files are one job. A file that is one transcript gets its id from its name: the path below the folder that
//! all files have in common, without ending, so that two calls of the same file name in different folders stay apart.

use std::path::{Path, PathBuf};

use super::{Format, open, zendesk};

/// The files that one reader reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The files; the first is the one named in rejects of the whole.
    pub paths: Vec<PathBuf>,
    /// The id of a transcript that has none but its file's name.
    pub name: String,
}

/// Puts files that belong together into one job, where the first of them stood.
pub fn plan(files: Vec<PathBuf>, format: Format) -> Vec<Job> {
    let common = common_folder(&files);
    let mut jobs: Vec<Job> =
        files.into_iter().map(|path| Job { name: name(&path, &common), paths: vec![path] }).collect();
    if jobs.len() > 1 && matches!(format, Format::Auto | Format::Zendesk) {
        pair(&mut jobs);
    }
    jobs
}

/// Joins the one file of tickets without comments and the one of comments, where there is one of each.
fn pair(jobs: &mut Vec<Job>) {
    let named = |word: &'static str| {
        let files = jobs.iter().enumerate().filter(move |(_, j)| file_name(&j.paths[0]).contains(word));
        files.map(|(i, _)| i)
    };
    let half = |i: &usize, want: zendesk::Half| {
        let path = &jobs[*i].paths[0];
        // A pipe can be read only once.
        path.is_file() && open::open(path).is_ok_and(|(stream, _)| zendesk::half(stream.head()) == Some(want))
    };
    let mut comments = named("comment").filter(|i| half(i, zendesk::Half::Comments));
    let (Some(comments), None) = (comments.next(), comments.next()) else { return };
    let mut tickets = named("ticket").filter(|i| *i != comments && half(i, zendesk::Half::Tickets));
    let (Some(tickets), None) = (tickets.next(), tickets.next()) else { return };
    let second = jobs[comments].paths[0].clone();
    jobs[tickets].paths.push(second);
    if comments < tickets {
        jobs.swap(comments, tickets);
        jobs.remove(tickets);
    } else {
        jobs.remove(comments);
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn common_folder(files: &[PathBuf]) -> PathBuf {
    let mut folders = files.iter().map(|f| f.parent().unwrap_or(Path::new("")));
    let Some(first) = folders.next() else { return PathBuf::new() };
    folders.fold(first.to_path_buf(), |common, folder| {
        common.components().zip(folder.components()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
    })
}

fn name(path: &Path, common: &Path) -> String {
    if path.as_os_str() == "-" {
        return "stdin".to_owned();
    }
    let below = path.strip_prefix(common).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let plain = below.strip_suffix(".gz").or_else(|| below.strip_suffix(".zst")).unwrap_or(&below);
    match plain.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && !ending.contains('/') => stem.to_owned(),
        _ => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gets_its_name_below_the_common_folder() {
        let names = |paths: &[&str]| -> Vec<String> {
            plan(paths.iter().map(PathBuf::from).collect(), Format::Auto).into_iter().map(|j| j.name).collect()
        };
        assert_eq!(names(&["calls/a/one.vtt", "calls/b/one.vtt.gz"]), ["a/one", "b/one"]);
        assert_eq!(names(&["calls/a/one.two.json"]), ["one.two"]);
        assert_eq!(names(&["-", "x.txt"]), ["stdin", "x"]);
    }

    #[test]
    fn tickets_and_comments_become_one_job() {
        let dir = tempfile::tempdir().unwrap();
        let path = |n: &str| dir.path().join(n);
        std::fs::write(path("comments.jsonl"), "{\"id\":1,\"ticket_id\":5,\"author_id\":9,\"body\":\"x\"}\n").unwrap();
        std::fs::write(path("tickets.jsonl"), "{\"id\":5,\"requester_id\":9,\"status\":\"open\"}\n").unwrap();
        let jobs = plan(vec![path("comments.jsonl"), path("other.csv"), path("tickets.jsonl")], Format::Auto);
        let paths: Vec<_> = jobs.iter().map(|j| j.paths.clone()).collect();
        assert_eq!(paths, [vec![path("tickets.jsonl"), path("comments.jsonl")], vec![path("other.csv")]]);
    }
}
