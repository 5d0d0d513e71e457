//! What to know about the data of a run. In: what was gathered, and what the audit wrote of languages and roles. Out: rows of a table.

use super::gather::{Doubts, Gathered};
use crate::reports::Quality;
use crate::tally::{Entry, LeftOut, Standing};
use crate::turns::{RoleFault, UNKNOWN_LANGUAGE};

/// Rows about languages and roles that are listed.
const STANDING: usize = 10;

/// The rows; `long` is how many turns are longer than the classifier reads, of how many that could be looked at.
pub(super) fn quality(gathered: &Gathered, long: (u64, u64), standing: &Standing) -> Vec<Quality> {
    let entries = &gathered.ledger.entries;
    let all = entries.len() as u64;
    let without = |missing: fn(&Entry) -> bool| entries.iter().filter(|e| missing(e)).count() as u64;
    let Doubts { nameless, agent_turns, .. } = gathered.doubts;
    let mut out = vec![
        (
            "Agents' turns without an agent_id",
            (nameless, agent_turns),
            "They count here and in nobody's coaching page.",
        ),
        ("Conversations without started_at", (without(|e| e.week.is_none()), all), "They are in no trend."),
        (
            "Conversations without an issue",
            (without(|e| e.issue.is_none()), all),
            "What is expected of them is that of all such conversations.",
        ),
        (
            "Conversations without a channel",
            (without(|e| e.channel.is_none()), all),
            "The limit for a reply is the general one.",
        ),
        (
            "Conversations without a time of first reply",
            (without(|e| e.response.is_none()), all),
            "They are in no figure about waiting.",
        ),
        (
            "Conversations answered by several people",
            (without(|e| e.shared), all),
            "They count here and in nobody's coaching page.",
        ),
    ];
    if long.1 > 0 {
        out.push((
            "Turns longer than the classifier reads (about 110 words)",
            long,
            "Only their beginning and their end are judged.",
        ));
    }
    let mut out: Vec<Quality> =
        out.into_iter().map(|(what, count, meaning)| Quality { what: what.to_owned(), count, meaning }).collect();
    out.extend(standing_rows(standing));
    out
}

/// What the audit wrote of languages and roles, over all conversations that it read.
fn standing_rows(standing: &Standing) -> Vec<Quality> {
    let read: u64 = standing.languages.values().sum();
    let row = |what: String, n: u64, meaning: &'static str| Quality { what, count: (n, read), meaning };
    let roles = standing.role_doubts.iter().map(|(fault, n)| {
        let (what, meaning) = match fault {
            RoleFault::OneSided => ("only one side speaks", "Few rules apply to such a conversation."),
            RoleFault::Swapped => {
                ("the wording goes with the roles the other way round", "Roles may have been mixed up in the export.")
            }
            RoleFault::Missing => ("nobody is named for some turns", "What those turns say counts for nobody."),
            RoleFault::Guessed => {
                ("who is the agent was guessed from the wording", "Read a few before relying on them.")
            }
        };
        row(format!("Conversations with doubtful roles: {what}"), *n, meaning)
    });
    let left_out = standing.left_out.iter().map(|(why, n)| {
        let what = match why {
            LeftOut::Language => "Conversations left out: a language that the model was not trained for",
            LeftOut::Roles => "Conversations left out: roles in more doubt than was allowed",
        };
        row(what.to_owned(), *n, "They are marked in the run, and in no figure here.")
    });
    let languages =
        standing.languages.iter().filter(|(l, _)| *l != "en").map(|(language, n)| match language.as_str() {
            UNKNOWN_LANGUAGE => row(
                "Conversations too short to tell their language".to_owned(),
                *n,
                "They are judged as if they were English.",
            ),
            code => row(format!("Conversations in language “{code}”"), *n, ""),
        });
    roles.chain(left_out).chain(languages).take(STANDING).collect()
}
