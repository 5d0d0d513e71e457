//! Recorded speech. In: cues (pieces of what was heard, each with its speaker, if known). Out: turns: cues of one speaker in a row are one.

use super::json::offset;
use super::speakers::name_roles;
use super::{Columns, RawTurn};

/// A pause after which the same speaker begins a new turn, in seconds.
const PAUSE: f64 = 3.0;
/// A turn is not made longer than this, in bytes: what is read of one turn has an end.
const LENGTH: usize = 600;

/// A piece of speech.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Cue {
    /// Who spoke; empty where nobody is named.
    pub(super) speaker: String,
    /// Seconds from the start of the recording.
    pub(super) start: Option<f64>,
    pub(super) end: Option<f64>,
    pub(super) text: String,
}

/// The turns of a recording, with roles where the speakers' names say them.
///
/// # Errors
/// When nobody is named.
pub(super) fn turns(mut cues: Vec<Cue>, columns: &Columns) -> Result<Vec<RawTurn>, String> {
    cues.retain(|c| !c.text.trim().is_empty());
    if !cues.is_empty() && cues.iter().all(|c| c.speaker.trim().is_empty()) {
        return Err("nothing says who speaks; make the transcript with speakers (diarisation)".to_owned());
    }
    // A piece without a name between two of one speaker is that speaker's.
    let known: Vec<usize> = (0..cues.len()).filter(|&i| !cues[i].speaker.trim().is_empty()).collect();
    for pair in known.windows(2) {
        if cues[pair[0]].speaker == cues[pair[1]].speaker {
            let name = cues[pair[0]].speaker.clone();
            cues[pair[0] + 1..pair[1]].iter_mut().for_each(|c| c.speaker.clone_from(&name));
        }
    }
    let mut merged: Vec<Cue> = Vec::new();
    for cue in cues {
        match merged.last_mut() {
            Some(last)
                if last.speaker == cue.speaker && last.text.len() + cue.text.len() < LENGTH && !pause(last, &cue) =>
            {
                last.text = format!("{} {}", last.text.trim_end(), cue.text.trim_start());
                last.end = cue.end.or(last.end);
            }
            _ => merged.push(cue),
        }
    }
    let mut turns: Vec<RawTurn> = merged
        .into_iter()
        .map(|c| RawTurn {
            role: c.speaker.trim().to_owned(),
            text: c.text.trim().to_owned(),
            at: c.start.and_then(offset),
            until: c.end.and_then(offset),
            agent_id: None,
        })
        .collect();
    name_roles(&mut turns, columns);
    Ok(turns)
}

fn pause(last: &Cue, next: &Cue) -> bool {
    last.end.zip(next.start).is_some_and(|(end, start)| start - end >= PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cue(speaker: &str, start: f64, end: f64, text: &str) -> Cue {
        Cue { speaker: speaker.into(), start: Some(start), end: Some(end), text: text.into() }
    }

    #[test]
    fn pieces_of_one_speaker_are_one_turn() {
        let cues = vec![
            cue("Agent", 0.0, 1.0, "Thank you"),
            cue("", 1.0, 2.0, " for calling."),
            cue("Agent", 2.0, 3.0, "How can I help?"),
            cue("SPEAKER_01", 3.5, 5.0, "My card."),
            cue("SPEAKER_01", 9.0, 10.0, "Hello?"),
            cue("", 10.0, 11.0, "Yes."),
        ];
        let turns = turns(cues, &Columns::default()).unwrap();
        let found: Vec<(&str, &str)> = turns.iter().map(|t| (t.role.as_str(), t.text.as_str())).collect();
        let want = [
            ("agent", "Thank you for calling. How can I help?"),
            ("SPEAKER_01", "My card."),
            ("SPEAKER_01", "Hello?"),
            ("", "Yes."),
        ];
        assert_eq!(found, want);
        assert_eq!(turns[0].until.as_deref(), Some("1970-01-01T00:00:03Z"));
        assert!(super::turns(vec![cue("", 0.0, 1.0, "hi")], &Columns::default()).is_err());
    }
}
