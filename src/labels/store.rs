//! The labels' database (SQLite). In: lines of label files. Out: every label ever given, and each reviewer's present answer.
//!
//! Rows are added and never changed or removed; the database itself refuses. Of several labels of one reviewer for one rule on one
//! conversation the latest counts: by its own time where it has one, else by the time of the import, then by its place.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::read::{Line, read};
use super::{Answer, Label, LabelsError, Unit};

/// Marks the file as ours: "evnh".
const APPLICATION: i64 = 0x6576_6e68;

const SCHEMA: &str = "
CREATE TABLE imports (import INTEGER PRIMARY KEY, file TEXT NOT NULL, sha256 TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE labels (label INTEGER PRIMARY KEY, id TEXT NOT NULL, rule TEXT NOT NULL, reviewer TEXT NOT NULL, value TEXT NOT NULL,
  turns TEXT NOT NULL, note TEXT NOT NULL, at TEXT, rulebook TEXT NOT NULL, import INTEGER NOT NULL REFERENCES imports, line INTEGER NOT NULL);
CREATE INDEX labels_of ON labels (id, rule, reviewer);
CREATE TABLE units (unit INTEGER PRIMARY KEY, sample TEXT NOT NULL, id TEXT NOT NULL, stratum TEXT NOT NULL,
  inclusion_probability REAL NOT NULL, design TEXT NOT NULL, population INTEGER, import INTEGER NOT NULL REFERENCES imports,
  UNIQUE (sample, id));
CREATE TABLE unread (unread INTEGER PRIMARY KEY, import INTEGER NOT NULL REFERENCES imports, line INTEGER NOT NULL, reason TEXT NOT NULL,
  content TEXT NOT NULL);
";

/// A label with whether it is its reviewer's present answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// The label.
    pub label: Label,
    /// When it was imported.
    pub imported_at: String,
    /// Whether no later one stands in its place.
    pub current: bool,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    /// Labels that are new.
    pub added: u64,
    /// Labels that say what the reviewer's present answer says already.
    pub same: u64,
    /// New labels that change a reviewer's earlier answer: (line, what).
    pub changed: Vec<(u64, String)>,
    /// Two answers of one reviewer in this file: (line, what).
    pub conflicts: Vec<(u64, String)>,
    /// Drawn conversations that are new.
    pub units: u64,
    /// Ids of labels that stand in no sample and not in the run, where either is known; they are kept.
    pub unknown: Vec<(u64, String)>,
    /// Lines that are no label, kept as they are: (line, reason).
    pub unread: Vec<(u64, String)>,
    /// When this very file was imported before; nothing was done then.
    pub before: Option<String>,
    /// Whether the ids could be held against a sample or a run.
    pub checked: bool,
}

/// The labels' database.
#[derive(Debug)]
pub struct Store {
    db: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens a database, or makes it where there is none.
    ///
    /// # Errors
    /// When the file is another kind of file, or cannot be written.
    pub fn open(path: &Path) -> Result<Self, LabelsError> {
        let fresh = fs::metadata(path).map_or(true, |m| m.len() == 0);
        if !fresh && !is_database(path) {
            let reason = "not a labels database; name a new file with --into".to_owned();
            return Err(LabelsError::NotLabels { path: path.to_path_buf(), reason });
        }
        let db = Connection::open(path).map_err(failed(path))?;
        Self::new(db, path, fresh)
    }

    /// The labels of a database, or of a label file, which is read as if it had just been imported.
    ///
    /// # Errors
    /// When the file is neither.
    pub fn read(path: &Path) -> Result<(Self, Option<Imported>), LabelsError> {
        if is_database(path) {
            let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed(path))?;
            return Ok((Self::new(db, path, false)?, None));
        }
        let db = Connection::open_in_memory().map_err(failed(path))?;
        let mut store = Self::new(db, path, true)?;
        let imported = store.import(path, None, |_| None)?;
        Ok((store, Some(imported)))
    }

    fn new(db: Connection, path: &Path, fresh: bool) -> Result<Self, LabelsError> {
        let store = Self { db, path: path.to_path_buf() };
        store.prepare(fresh).map_err(failed(path))?;
        let ours: i64 = store.db.query_row("PRAGMA application_id", [], |r| r.get(0)).map_err(failed(path))?;
        if ours == APPLICATION {
            return Ok(store);
        }
        let reason = "a database of another program".to_owned();
        Err(LabelsError::NotLabels { path: path.to_path_buf(), reason })
    }

    fn prepare(&self, fresh: bool) -> rusqlite::Result<()> {
        self.db.busy_timeout(std::time::Duration::from_secs(10))?;
        if !fresh {
            return Ok(());
        }
        self.db.execute_batch("BEGIN IMMEDIATE")?;
        self.db.execute_batch(SCHEMA)?;
        for table in ["imports", "labels", "units", "unread"] {
            for change in ["UPDATE", "DELETE"] {
                self.db.execute_batch(&format!(
                    "CREATE TRIGGER {table}_{change} BEFORE {change} ON {table} BEGIN SELECT RAISE(ABORT, 'rows are only added'); END;"
                ))?;
            }
        }
        self.db.execute_batch(&format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = 1; COMMIT"))
    }

    /// Takes in a label file, whole or not at all. `known` says whether an id stands in the run, where a run is known.
    ///
    /// # Errors
    /// When the file cannot be read or the database cannot be written.
    pub fn import(
        &mut self,
        file: &Path,
        reviewer: Option<&str>,
        known: impl Fn(&str) -> Option<bool>,
    ) -> Result<Imported, LabelsError> {
        let lines = read(file, reviewer)?;
        let bytes = fs::read(file).map_err(|source| LabelsError::Read { path: file.to_path_buf(), source })?;
        let path = self.path.clone();
        let sha = hex::encode(Sha256::digest(bytes));
        self.take(file, &sha, lines, &known).map_err(failed(&path))
    }

    fn take(
        &mut self,
        file: &Path,
        sha: &str,
        lines: Vec<(u64, Line)>,
        known: &dyn Fn(&str) -> Option<bool>,
    ) -> rusqlite::Result<Imported> {
        let tx = self.db.transaction()?;
        let mut out = Imported::default();
        let before = "SELECT at FROM imports WHERE sha256 = ? ORDER BY import LIMIT 1";
        if let Some(at) = tx.query_row(before, [sha], |r| r.get(0)).optional()? {
            out.before = Some(at);
            return Ok(out);
        }
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        tx.execute("INSERT INTO imports (file, sha256, at) VALUES (?, ?, ?)", params![name, sha, now])?;
        let import = Batch { tx: &tx, import: tx.last_insert_rowid() };
        let (units, rest): (Vec<_>, Vec<_>) = lines.into_iter().partition(|(_, l)| matches!(l, Line::Unit(_)));
        for (line, unit) in units {
            if let Line::Unit(unit) = unit {
                import.unit(line, &unit, &mut out)?;
            }
        }
        let samples: bool = tx.query_row("SELECT EXISTS (SELECT 1 FROM units)", [], |r| r.get(0))?;
        let mut seen: BTreeMap<(String, String, String), Label> = BTreeMap::new();
        for (line, what) in rest {
            match what {
                Line::Label(label) => {
                    let drawn: bool =
                        tx.query_row("SELECT EXISTS (SELECT 1 FROM units WHERE id = ?)", [&label.id], |r| r.get(0))?;
                    let in_run = known(&label.id);
                    out.checked |= samples || in_run.is_some();
                    if !drawn && !in_run.unwrap_or(!samples) && !out.unknown.iter().any(|(_, id)| *id == label.id) {
                        out.unknown.push((line, label.id.clone()));
                    }
                    import.label(line, label, &mut seen, &mut out)?;
                }
                Line::Unread(reason, content) => import.unread(line, reason, &content, &mut out)?,
                Line::Unit(_) | Line::Drawn(_) => {}
            }
        }
        tx.commit()?;
        Ok(out)
    }

    /// Every label in the order in which they came, with whether it still counts.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn labels(&self) -> Result<Vec<Current>, LabelsError> {
        self.all().map_err(failed(&self.path))
    }

    fn all(&self) -> rusqlite::Result<Vec<Current>> {
        let mut query = self.db.prepare(
            "SELECT id, rule, reviewer, value, turns, note, labels.at, rulebook, imports.at FROM labels JOIN imports USING (import) ORDER BY label",
        )?;
        let rows = query.query_map([], |r| {
            let (value, turns): (String, String) = (r.get(3)?, r.get(4)?);
            let label = Label {
                id: r.get(0)?,
                rule: r.get(1)?,
                reviewer: r.get(2)?,
                value: Answer::parse(&value).unwrap_or(Answer::NotApplicable),
                turns: serde_json::from_str(&turns).unwrap_or_default(),
                note: r.get(5)?,
                at: r.get(6)?,
                rulebook: r.get(7)?,
            };
            Ok(Current { label, imported_at: r.get(8)?, current: false })
        })?;
        let mut rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        let mut latest: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
        for (i, row) in rows.iter().enumerate() {
            let l = &row.label;
            let place = latest.entry((&l.id, &l.rule, &l.reviewer)).or_insert(i);
            if when(row) >= when(&rows[*place]) {
                *place = i;
            }
        }
        let latest: Vec<usize> = latest.into_values().collect();
        latest.into_iter().for_each(|i| rows[i].current = true);
        Ok(rows)
    }

    /// The drawn conversations in the order in which they came.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn units(&self) -> Result<Vec<Unit>, LabelsError> {
        let all = || {
            let mut query = self.db.prepare(
                "SELECT sample, id, stratum, inclusion_probability, design, population FROM units ORDER BY unit",
            )?;
            let rows = query.query_map([], |r| {
                Ok(Unit {
                    sample: r.get(0)?,
                    id: r.get(1)?,
                    stratum: r.get(2)?,
                    probability: r.get(3)?,
                    design: r.get(4)?,
                    population: r.get::<_, Option<i64>>(5)?.and_then(|n| u64::try_from(n).ok()),
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        all().map_err(failed(&self.path))
    }
}

fn when(row: &Current) -> Timestamp {
    let text = row.label.at.as_deref().unwrap_or(&row.imported_at);
    text.parse().unwrap_or(Timestamp::MIN)
}

fn failed(path: &Path) -> impl Fn(rusqlite::Error) -> LabelsError + '_ {
    move |source| LabelsError::Store { path: path.to_path_buf(), source }
}

/// Whether a file is a database of labels, told from its first bytes.
pub fn is_database(path: &Path) -> bool {
    let mut head = [0; 16];
    fs::File::open(path).and_then(|mut f| f.read_exact(&mut head)).is_ok() && &head == b"SQLite format 3\0"
}

/// The rows of one import.
struct Batch<'a> {
    tx: &'a rusqlite::Transaction<'a>,
    import: i64,
}

impl Batch<'_> {
    fn unread(&self, line: u64, reason: String, content: &str, out: &mut Imported) -> rusqlite::Result<()> {
        let sql = "INSERT INTO unread (import, line, reason, content) VALUES (?, ?, ?, ?)";
        self.tx.prepare_cached(sql)?.execute(params![self.import, line as i64, reason, content])?;
        out.unread.push((line, reason));
        Ok(())
    }

    fn unit(&self, line: u64, u: &Unit, out: &mut Imported) -> rusqlite::Result<()> {
        let sql = "SELECT stratum, inclusion_probability FROM units WHERE sample = ? AND id = ?";
        let there: Option<(String, f64)> =
            self.tx.prepare_cached(sql)?.query_row([&u.sample, &u.id], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
        match there {
            // A spreadsheet rounds to 15 digits, or fewer.
            Some((stratum, p)) if stratum == u.stratum && (p - u.probability).abs() <= 1e-6 * p => Ok(()),
            Some((stratum, p)) => {
                let reason =
                    format!("{} stands in its sample with stratum {stratum:?} and probability {p} already", u.id);
                let content = format!("{} | {} | {}", u.id, u.stratum, u.probability);
                self.unread(line, reason, &content, out)
            }
            None => {
                out.units += 1;
                let sql = "INSERT INTO units (sample, id, stratum, inclusion_probability, design, population, import) VALUES (?, ?, ?, ?, ?, ?, ?)";
                let population = u.population.and_then(|n| i64::try_from(n).ok());
                self.tx.prepare_cached(sql)?.execute(params![
                    u.sample,
                    u.id,
                    u.stratum,
                    u.probability,
                    u.design,
                    population,
                    self.import
                ])?;
                Ok(())
            }
        }
    }

    fn label(
        &self,
        line: u64,
        l: Label,
        seen: &mut BTreeMap<(String, String, String), Label>,
        out: &mut Imported,
    ) -> rusqlite::Result<()> {
        let key = (l.id.clone(), l.rule.clone(), l.reviewer.clone());
        let what = |from: &str| format!("{} on {}, {}: {from}, then {}", l.reviewer, l.id, l.rule, l.value.name());
        if let Some(other) = seen.get(&key).filter(|o| o.value != l.value && o.at == l.at) {
            out.conflicts.push((line, what(other.value.name())));
        }
        let sql = "SELECT value, turns, note, at, rulebook FROM labels WHERE id = ? AND rule = ? AND reviewer = ? ORDER BY label DESC LIMIT 1";
        let last: Option<[Option<String>; 5]> = self
            .tx
            .prepare_cached(sql)?
            .query_row([&l.id, &l.rule, &l.reviewer], |r| Ok([r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?]))
            .optional()?;
        let turns = serde_json::to_string(&l.turns).unwrap_or_default();
        let text = |t: &str| Some(t.to_owned());
        let ours = [text(l.value.name()), text(&turns), text(&l.note), l.at.clone(), text(&l.rulebook)];
        if last.as_ref() == Some(&ours) {
            out.same += 1;
            return Ok(());
        }
        if let Some(from) =
            last.and_then(|[value, ..]| value).filter(|v| v != l.value.name() && !seen.contains_key(&key))
        {
            out.changed.push((line, what(&from)));
        }
        let sql = "INSERT INTO labels (id, rule, reviewer, value, turns, note, at, rulebook, import, line) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        self.tx.prepare_cached(sql)?.execute(params![
            l.id,
            l.rule,
            l.reviewer,
            l.value.name(),
            turns,
            l.note,
            l.at,
            l.rulebook,
            self.import,
            line as i64
        ])?;
        out.added += 1;
        seen.insert(key, l);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Desk {
        dir: tempfile::TempDir,
    }

    impl Desk {
        fn import(&self, name: &str, text: &str) -> Imported {
            let file = self.dir.path().join(name);
            fs::write(&file, text).unwrap();
            self.store().import(&file, None, |_| None).unwrap()
        }

        fn store(&self) -> Store {
            Store::open(&self.dir.path().join("labels.db")).unwrap()
        }

        fn answers(&self) -> Vec<(String, String, &'static str)> {
            let current = self.store().labels().unwrap().into_iter().filter(|c| c.current);
            current.map(|c| (c.label.id, c.label.reviewer, c.label.value.name())).collect()
        }
    }

    const HEAD: &str = "id,rule,reviewer,value\n";

    #[test]
    fn the_latest_answer_counts_and_none_is_lost() {
        let desk = Desk { dir: tempfile::tempdir().unwrap() };
        let first = desk.import("a.csv", &format!("{HEAD}c1,blame,ana,ok\nc1,blame,ben,ok\nc2,blame,ana,huh\n"));
        assert_eq!((first.added, first.unread.len(), first.checked), (2, 1, false));
        let second = desk.import("b.csv", &format!("{HEAD}c1,blame,ana,violated\nc1,blame,ben,ok\n"));
        assert_eq!((second.added, second.same), (1, 1));
        assert_eq!(second.changed, [(2, "ana on c1, blame: ok, then violated".to_owned())]);
        let again = desk.import("c.csv", &format!("{HEAD}c1,blame,ana,ok\nc1,blame,ben,ok\nc2,blame,ana,huh\n"));
        assert!(again.before.is_some() && again.added == 0, "the same file says nothing new");
        assert_eq!(desk.answers(), [("c1".into(), "ben".into(), "ok"), ("c1".into(), "ana".into(), "violated")]);
        assert_eq!(desk.store().labels().unwrap().len(), 3);
        let refused = desk.store().db.execute("DELETE FROM labels", []).unwrap_err().to_string();
        assert!(refused.contains("rows are only added"), "{refused}");
        assert!(desk.store().db.execute("UPDATE labels SET value = 'ok'", []).is_err());
    }

    #[test]
    fn two_answers_in_one_file_are_a_conflict_unless_their_times_order_them() {
        let desk = Desk { dir: tempfile::tempdir().unwrap() };
        let i = desk.import("a.csv", &format!("{HEAD}c1,blame,ana,ok\nc1,blame,ana,violated\n"));
        assert_eq!(i.conflicts, [(3, "ana on c1, blame: ok, then violated".to_owned())]);
        let timed = "id,rule,reviewer,value,at\nc2,blame,ana,ok,2026-03-02T09:00:00Z\nc2,blame,ana,violated,2026-03-01T09:00:00+00:00\n";
        assert!(desk.import("b.csv", timed).conflicts.is_empty());
        assert_eq!(desk.answers(), [("c1".into(), "ana".into(), "violated"), ("c2".into(), "ana".into(), "ok")]);
    }

    #[test]
    fn drawn_conversations_are_kept_and_unknown_ids_told() {
        let desk = Desk { dir: tempfile::tempdir().unwrap() };
        let unit = |id: &str, p: f64| {
            format!("{{\"id\":\"{id}\",\"sample\":\"s\",\"stratum\":\"all\",\"inclusion_probability\":{p}}}\n")
        };
        assert_eq!(desk.import("s.jsonl", &(unit("c1", 0.5) + &unit("c2", 0.5))).units, 2);
        let odd = desk.import("t.jsonl", &(unit("c1", 0.25) + &unit("c2", 0.5)));
        assert_eq!((odd.units, odd.unread.len()), (0, 1));
        let labels = desk.import("a.csv", &format!("{HEAD}c1,blame,ana,ok\nc9,blame,ana,ok\n"));
        assert_eq!((labels.added, labels.unknown, labels.checked), (2, vec![(3, "c9".to_owned())], true));
        assert_eq!(desk.store().units().unwrap()[1].probability, 0.5);
    }

    #[test]
    fn another_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, "id,rule,reviewer,value\nc1,blame,ana,ok\n").unwrap();
        assert!(Store::open(&path).unwrap_err().to_string().contains("not a labels database"));
        let (store, imported) = Store::read(&path).unwrap();
        assert_eq!((store.labels().unwrap().len(), imported.unwrap().added), (1, 1));
        let other = dir.path().join("o.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        assert!(Store::open(&other).unwrap_err().to_string().contains("another program"));
    }
}
