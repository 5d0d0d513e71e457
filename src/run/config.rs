//! The user's configuration file (TOML). In: a path. Out: [`Config`]; an unknown key is an error.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::findings::Limits;
use crate::ingest::{Columns, Format, Reading};

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Limits of the rules.
    pub limits: Limits,
    /// The user's names of columns and roles.
    pub columns: Columns,
    /// A transcript whose roles are in more doubt than this, 0 to 1, is not judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_role_doubt: Option<f32>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is not a configuration.
    #[error("{path}: {reason}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        reason: String,
    },
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read or holds an unknown or ill-typed key.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_path_buf(), source })?;
        let wrong = |reason: String| ConfigError::Parse { path: path.to_path_buf(), reason };
        let mut config: Self = toml::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        if config.limits.canned_in_others == 0 || config.limits.reply_seconds.values().any(|&s| s == 0) {
            return Err(wrong("a limit is at least 1".to_owned()));
        }
        config.columns.check().map_err(wrong)?;
        if config.max_role_doubt.is_some_and(|d| !(0.0..=1.0).contains(&d)) {
            return Err(wrong("max_role_doubt is a number from 0 to 1".to_owned()));
        }
        // A channel that is not named keeps its default.
        let named = std::mem::take(&mut config.limits.reply_seconds);
        config.limits.reply_seconds = Limits::default().reply_seconds;
        config.limits.reply_seconds.extend(named.into_iter().map(|(channel, s)| (channel.to_lowercase(), s)));
        Ok(config)
    }

    /// How input is to be read.
    pub fn reading(&self, format: Format) -> Reading<'_> {
        Reading { format, columns: &self.columns }
    }

    /// SHA-256 of the settings in effect, defaults included.
    pub fn hash(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        hex::encode(Sha256::digest(json))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_can_be_set_and_a_misspelt_key_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("evenhand.toml");
        fs::write(&path, "[limits]\ncanned_in_others = 9\n[limits.reply_seconds]\nchat = 60\n").unwrap();
        let config = Config::read(&path).unwrap();
        assert_eq!((config.limits.canned_in_others, config.limits.reply_seconds["chat"]), (9, 60));
        assert_eq!(config.limits.reply_seconds["phone"], 120, "a channel that is not named keeps its limit");
        assert_ne!(config.hash(), Config::default().hash());
        fs::write(&path, "[limits]\ncaned_in_others = 9\n").unwrap();
        let error = Config::read(&path).unwrap_err().to_string();
        assert!(error.contains("caned_in_others") && error.contains("line 2"), "{error}");
    }
}
