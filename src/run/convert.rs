//! Any format as canonical JSON Lines or Parquet. In: input files. Out: one file, whole or not at all, and beside it what was rejected.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value, json};
use tempfile::NamedTempFile;

use super::config::Config;
use super::interrupt::Interrupt;
use super::judge::nested;
use super::output::{RunError, json_line};
use super::pipeline;
use super::progress::Progress;
use crate::ingest::{self, Format, Reject};
use crate::reports::{ParquetTable, Shape};
use crate::turns::{Transcript, Turn};

/// What to convert and where to.
#[derive(Debug, Clone)]
pub struct ConvertOptions {
    /// Files, folders, globs, `-`.
    pub inputs: Vec<String>,
    /// How to read them.
    pub format: Format,
    /// Settings: names of columns and roles.
    pub config: Config,
    /// The file to write, `.jsonl` or `.parquet`.
    pub out: PathBuf,
}

/// What was converted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Converted {
    /// Records found.
    pub read: u64,
    /// Transcripts written.
    pub written: u64,
    /// Turns written.
    pub turns: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Where the rejected ones are listed, if there are any.
    pub rejects: Option<PathBuf>,
}

/// Converts the input. Text is written as it is: nothing is redacted.
///
/// # Errors
/// When the ending of the output is of no known format, nothing can be read, or a file cannot be written.
pub fn convert(options: &ConvertOptions, progress: &Progress) -> Result<Converted, RunError> {
    let out = &options.out;
    let ending = out.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let parquet = match ending.as_str() {
        "jsonl" => false,
        "parquet" => true,
        _ => return Err(RunError::Ending(out.clone())),
    };
    let files = ingest::locate(&options.inputs)?;
    if out.canonicalize().is_ok_and(|out| files.iter().any(|f| f.canonicalize().is_ok_and(|f| f == out))) {
        return Err(RunError::ItsOwnInput(out.clone()));
    }
    let mut lines = beside(out)?;
    let mut rejects = beside(out)?;
    let mut shape =
        Shape::of(&json!({"transcript_id": "", "turn": 0, "role": "", "text": "", "at": "", "agent_id": ""}));
    let mut done = Converted::default();
    let mut first: Option<Reject> = None;
    let bar = progress.count("converting turns");
    pipeline::read(files, options.config.reading(options.format), &Interrupt::default(), |step| {
        done.read += (step.transcripts.len() + step.rejects.len()) as u64;
        for transcript in &step.transcripts {
            done.written += 1;
            done.turns += transcript.turns.len() as u64;
            let line = if parquet {
                shape.take(Shape::of(&Value::Object(columns(transcript))));
                json_line(transcript)?
            } else {
                json_line(&canonical(transcript))?
            };
            lines.write_all(&line).map_err(RunError::io(out))?;
        }
        for reject in step.rejects {
            done.rejected += 1;
            rejects.write_all(&json_line(&reject)?).map_err(RunError::io(out))?;
            first.get_or_insert(reject);
        }
        bar.set_position(done.turns);
        Ok(())
    })?;
    bar.finish_and_clear();
    if let (0, Some(reject)) = (done.written, &first) {
        return Err(RunError::NothingRead(format!("{}, line {}: {}", reject.source, reject.line, reject.reason)));
    }
    if done.rejected > 0 {
        let mut path = out.clone().into_os_string();
        path.push(".rejects.jsonl");
        done.rejects = Some(PathBuf::from(&path));
        persist(rejects, Path::new(&path))?;
    }
    if parquet {
        lines = as_parquet(lines, &shape, out)?;
    }
    persist(lines, out)?;
    Ok(done)
}

/// A temporary file in the folder of `out`; it is gone if it is not moved there.
fn beside(out: &Path) -> Result<BufWriter<NamedTempFile>, RunError> {
    let folder = out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(RunError::io(folder))?;
    let file = NamedTempFile::new_in(folder).map_err(RunError::io(out))?;
    Ok(BufWriter::with_capacity(1 << 17, file))
}

fn persist(file: BufWriter<NamedTempFile>, to: &Path) -> Result<(), RunError> {
    let file = file.into_inner().map_err(|e| RunError::Io { path: to.to_path_buf(), source: e.into_error() })?;
    file.as_file().sync_all().map_err(RunError::io(to))?;
    file.persist(to).map(|_| ()).map_err(|e| RunError::Io { path: to.to_path_buf(), source: e.error })
}

/// A transcript as a line of canonical JSON.
fn canonical(transcript: &Transcript) -> Value {
    let turns: Vec<Value> = transcript.turns.iter().map(|t| json!(t)).collect();
    let mut row = Map::from_iter([("id".to_owned(), Value::from(transcript.id.clone()))]);
    row.extend(nested(&transcript.attributes, false, &["id", "turns"]));
    row.insert("turns".to_owned(), Value::Array(turns));
    Value::Object(row)
}

/// The transcript's attributes as columns. The agent is the turns'.
fn columns(transcript: &Transcript) -> Map<String, Value> {
    const TAKEN: [&str; 6] = ["transcript_id", "turn", "role", "text", "at", "agent_id"];
    let own = transcript.attributes.iter().filter(|(name, _)| *name != "agent_id");
    own.map(|(name, value)| {
        let name = if TAKEN.contains(&name.as_str()) { format!("input_{name}") } else { name.clone() };
        (name, value.clone())
    })
    .collect()
}

/// One row a turn, out of the transcripts kept.
fn as_parquet(
    lines: BufWriter<NamedTempFile>,
    shape: &Shape,
    out: &Path,
) -> Result<BufWriter<NamedTempFile>, RunError> {
    let failed = |source: io::Error| RunError::Io { path: out.to_path_buf(), source };
    let mut lines: File = lines.into_inner().map_err(|e| failed(e.into_error()))?.into_file();
    lines.rewind().map_err(failed)?;
    let mut table = ParquetTable::create(beside(out)?, shape).map_err(failed)?;
    for line in BufReader::with_capacity(1 << 17, lines).lines() {
        let line = line.map_err(failed)?;
        for row in rows(&line)? {
            table.row(row).map_err(failed)?;
        }
    }
    table.finish().map_err(failed)
}

fn rows(line: &str) -> Result<Vec<Value>, RunError> {
    let damaged = |_| RunError::Internal("the spool is damaged");
    let transcript: Transcript = serde_json::from_str(line).map_err(damaged)?;
    let columns = columns(&transcript);
    let row = |(i, turn): (usize, &Turn)| {
        let agent = if turn.role.is_company() { transcript.agent_of(i) } else { turn.agent_id.clone() };
        let mut row = columns.clone();
        for (name, value) in [
            ("transcript_id", json!(transcript.id)),
            ("turn", json!(i)),
            ("role", json!(turn.role)),
            ("text", json!(turn.text)),
            ("at", json!(turn.at)),
            ("agent_id", json!(agent)),
        ] {
            row.insert(name.to_owned(), value);
        }
        Value::Object(row)
    };
    Ok(transcript.turns.iter().enumerate().map(row).collect())
}
