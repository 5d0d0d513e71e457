//! What the transcripts are like before any rule: their languages and how sure their roles are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::turns::{RoleFault, Transcript};

/// From this doubt on roles are counted as doubtful.
pub const DOUBTFUL: f32 = 0.5;

/// Counts of languages and of doubts about roles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Transcripts by language.
    pub languages: BTreeMap<String, u64>,
    /// Transcripts whose roles are in doubt by 0.5 or more, by what the doubt is about.
    pub role_doubts: BTreeMap<RoleFault, u64>,
    /// Transcripts that were not judged, by the reason.
    pub left_out: BTreeMap<LeftOut, u64>,
}

/// Why a transcript is not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftOut {
    /// The model was not trained for its language.
    Language,
    /// Its roles are in more doubt than the user allows.
    Roles,
}

impl Standing {
    /// Counts a transcript.
    pub fn add(&mut self, transcript: &Transcript, left_out: Option<LeftOut>) {
        *self.languages.entry(transcript.language.clone()).or_default() += 1;
        if let Some(why) = transcript.roles.why.filter(|_| transcript.roles.doubt >= DOUBTFUL) {
            *self.role_doubts.entry(why).or_default() += 1;
        }
        if let Some(why) = left_out {
            *self.left_out.entry(why).or_default() += 1;
        }
    }

    /// Transcripts that were not judged.
    pub fn skipped(&self) -> u64 {
        self.left_out.values().sum()
    }
}
