//! The user's own names. In: `--map OURS=THEIRS` and the `[columns]` section. Out: which column, attribute or role a name stands for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Our names of the columns of a table.
pub(super) const OURS: [&str; 6] = ["transcript_id", "turn", "role", "text", "at", "agent_id"];
const ROLES: [&str; 4] = ["customer", "agent", "bot", "system"];

/// Columns, attributes and roles under the names of the user's files: ours to theirs. A role may have many names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Columns(BTreeMap<String, Names>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Many(Vec<String>),
}

impl Names {
    fn all(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }
}

impl Columns {
    /// Takes in `OURS=THEIRS`.
    ///
    /// # Errors
    /// When it is not of that form or does not go with what was said before.
    pub fn add(&mut self, pair: &str) -> Result<(), String> {
        let parts = pair.split_once('=').map(|(ours, theirs)| (ours.trim(), theirs.trim()));
        let Some((ours, theirs)) = parts.filter(|(ours, theirs)| !ours.is_empty() && !theirs.is_empty()) else {
            return Err(format!("{pair:?} names no column; write OURS=THEIRS, such as text=message or agent=Advisor"));
        };
        let many = ROLES.contains(&ours);
        match self.0.get_mut(ours).filter(|_| many) {
            Some(names) => {
                let mut all = names.all().to_vec();
                all.push(theirs.to_owned());
                *names = Names::Many(all);
            }
            None => {
                self.0.insert(ours.to_owned(), Names::One(theirs.to_owned()));
            }
        }
        self.check()
    }

    /// Whether each name stands for one thing.
    ///
    /// # Errors
    /// The name that does not, and what to do.
    pub fn check(&self) -> Result<(), String> {
        let mut seen: BTreeMap<(bool, &str), &str> = BTreeMap::new();
        for (ours, names) in &self.0 {
            let role = ROLES.contains(&ours.as_str());
            if !role && names.all().len() != 1 {
                return Err(format!("[columns] {ours} needs one name; only roles can have several"));
            }
            for name in names.all() {
                if name.trim().is_empty() {
                    return Err(format!("[columns] {ours} is empty; leave it out"));
                }
                if let Some(other) = seen.insert((role, name), ours) {
                    return Err(format!("{name:?} stands for both {other} and {ours}; name it once"));
                }
            }
        }
        Ok(())
    }

    /// Whether nothing is renamed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Our name of a column or attribute. One of theirs that has our name while another was put in its place begins with `input_`.
    pub(super) fn ours(&self, theirs: &str) -> String {
        let columns = self.0.iter().filter(|(ours, _)| !ROLES.contains(&ours.as_str()));
        let named = columns.clone().find(|(_, names)| names.all().iter().any(|n| n == theirs));
        match named {
            Some((ours, _)) => ours.clone(),
            None if columns.clone().any(|(ours, _)| ours == theirs) => format!("input_{theirs}"),
            None => theirs.to_owned(),
        }
    }

    /// The role that a name was given, in any case; else the name.
    pub(super) fn role(&self, name: &str) -> Option<&'static str> {
        let name = name.trim();
        ROLES
            .into_iter()
            .find(|role| self.0.get(*role).is_some_and(|names| names.all().iter().any(|n| same(n.trim(), name))))
    }

    /// Attributes under our names.
    pub(super) fn attributes(&self, attributes: Map<String, Value>) -> Map<String, Value> {
        if self.is_empty() {
            return attributes;
        }
        attributes.into_iter().map(|(name, value)| (self.ours(&name), value)).collect()
    }
}

fn same(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(pairs: &[&str]) -> Result<Columns, String> {
        let mut columns = Columns::default();
        pairs.iter().try_for_each(|p| columns.add(p)).map(|()| columns)
    }

    #[test]
    fn columns_and_roles_are_renamed() {
        let c = columns(&["text=message", "agent=Advisor", "agent=Rep", "segments.tier=plan"]).unwrap();
        assert_eq!(
            (c.ours("message"), c.ours("text"), c.ours("plan")),
            ("text".into(), "input_text".into(), "segments.tier".into())
        );
        assert_eq!((c.role(" rep"), c.role("Advisor"), c.role("text")), (Some("agent"), Some("agent"), None));
        let toml: Columns =
            toml::from_str("text = 'message'\nagent = ['Advisor', 'Rep']\n'segments.tier' = 'plan'").unwrap();
        assert_eq!(toml, c);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (pairs, part) in [
            (&["text"][..], "write OURS=THEIRS"),
            (&["text="], "write OURS=THEIRS"),
            (&["text=a", "at=a"], "stands for both"),
            (&["agent=A", "customer=A"], "stands for both"),
        ] {
            let error = columns(pairs).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        let many: Columns = toml::from_str("text = ['a', 'b']").unwrap();
        assert!(many.check().unwrap_err().contains("needs one name"));
    }
}
