//! A transcript as the rules see it: turns, signals, and messages (turns of one speaker in a row, read as one).

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::signals::{Cue, Label, Sentiment, Signals};
use crate::turns::{Role, Transcript, content_words, stem};

/// Limits of the rules that depend on the user's promises.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Seconds within which the company should reply, by channel.
    pub reply_seconds: BTreeMap<String, u64>,
    /// The same for a channel that is not named.
    pub reply_seconds_otherwise: u64,
    /// In how many other transcripts a text must stand to be canned.
    pub canned_in_others: u32,
}

impl Default for Limits {
    fn default() -> Self {
        let limits = [("chat", 120), ("phone", 120), ("social", 3600), ("email", 86_400)];
        Self {
            reply_seconds: limits.map(|(c, s)| (c.to_owned(), s)).into(),
            reply_seconds_otherwise: 86_400,
            canned_in_others: 3,
        }
    }
}

/// Beginnings of words that fit any complaint, or that only say who the customer is.
#[rustfmt::skip]
const ANY_CASE: &[&str] = &[
    "account", "birth", "comment", "compan", "concern", "difficult", "disappoint", "email", "feedback", "frustrat", "fullname",
    "guys", "love", "member", "number", "phone", "pin", "situation", "staff", "support", "trouble", "tweet", "unacceptable", "username",
];

/// Turns of one side in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Whether the company speaks.
    pub company: bool,
    /// The turns, in order; at least one.
    pub turns: Vec<usize>,
}

impl Message {
    /// The first turn.
    pub fn first(&self) -> usize {
        self.turns[0]
    }

    /// The last turn.
    pub fn last(&self) -> usize {
        self.turns[self.turns.len() - 1]
    }
}

/// One transcript with everything a rule may look at.
pub struct View<'a> {
    transcript: &'a Transcript,
    signals: &'a [Signals],
    /// For each turn, in how many other transcripts nearly the same text stands.
    others: &'a [u32],
    limits: &'a Limits,
    messages: Vec<Message>,
    /// The turns in which the customer uses a word, by its stem; read once, for a long transcript asks for them at every turn.
    said: OnceCell<HashMap<String, Vec<usize>>>,
}

impl<'a> View<'a> {
    /// Puts a view together. `signals` and `others` have one entry a turn.
    pub fn new(transcript: &'a Transcript, signals: &'a [Signals], others: &'a [u32], limits: &'a Limits) -> Self {
        let mut messages: Vec<Message> = Vec::new();
        for (i, turn) in transcript.turns.iter().enumerate() {
            if turn.role == Role::System || turn.text.trim().is_empty() {
                continue;
            }
            let company = turn.role.is_company();
            match messages.last_mut() {
                Some(m) if m.company == company => m.turns.push(i),
                _ => messages.push(Message { company, turns: vec![i] }),
            }
        }
        Self { transcript, signals, others, limits, messages, said: OnceCell::new() }
    }

    /// The transcript.
    pub fn transcript(&self) -> &'a Transcript {
        self.transcript
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        self.limits
    }

    /// The messages in order.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The first message of the company after a turn.
    pub fn reply_to(&self, turn: usize) -> Option<&Message> {
        self.messages.iter().find(|m| m.company && m.first() > turn)
    }

    /// The customer's last message before a turn.
    pub fn asked_before(&self, turn: usize) -> Option<&Message> {
        self.messages.iter().rev().find(|m| !m.company && m.last() < turn)
    }

    /// Whether the turn answers an insult: the agent's limit is not counted against them.
    pub fn answers_abuse(&self, turn: usize) -> bool {
        self.asked_before(turn).is_some_and(|m| self.message_any(m, &[Label::Abuse]))
    }

    /// The customer's last turn before a turn.
    pub fn customer_before(&self, turn: usize) -> Option<usize> {
        self.customer_turns().rfind(|&i| i < turn)
    }

    /// All turns of the customer in order.
    pub fn customer_turns(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.messages.iter().filter(|m| !m.company).flat_map(|m| m.turns.iter().copied())
    }

    /// All turns of the company in order.
    pub fn company_turns(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.messages.iter().filter(|m| m.company).flat_map(|m| m.turns.iter().copied())
    }

    /// The text of a turn.
    pub fn text(&self, turn: usize) -> &'a str {
        &self.transcript.turns[turn].text
    }

    /// The texts of a message, joined.
    pub fn message_text(&self, message: &Message) -> String {
        message.turns.iter().map(|&i| self.text(i)).collect::<Vec<_>>().join(" ")
    }

    /// The role of a turn.
    pub fn role(&self, turn: usize) -> Role {
        self.transcript.turns[turn].role
    }

    /// The signals of a turn.
    pub fn signals(&self, turn: usize) -> &Signals {
        &self.signals[turn]
    }

    /// Whether a turn has the label.
    pub fn has(&self, turn: usize, label: Label) -> bool {
        self.signals[turn].has(label)
    }

    /// Whether a turn has any of the labels.
    pub fn any(&self, turn: usize, labels: &[Label]) -> bool {
        self.signals[turn].labels.any(labels)
    }

    /// Whether a turn has the cue.
    pub fn cue(&self, turn: usize, cue: Cue) -> bool {
        self.signals[turn].cue(cue)
    }

    /// How sure a cue is, from 0.5 on it holds.
    pub fn sure(&self, turn: usize, cue: Cue) -> f32 {
        self.signals[turn].cues[cue as usize]
    }

    /// How sure a cue is in the turn of some in which it is surest; 0 over none.
    pub fn surest(&self, turns: impl IntoIterator<Item = usize>, cue: Cue) -> f32 {
        turns.into_iter().map(|i| self.sure(i, cue)).fold(0.0, f32::max)
    }

    /// Whether any turn of the message has any of the labels.
    pub fn message_any(&self, message: &Message, labels: &[Label]) -> bool {
        message.turns.iter().any(|&i| self.any(i, labels))
    }

    /// The probability of a label.
    pub fn p(&self, turn: usize, label: Label) -> f32 {
        self.signals[turn].p(label)
    }

    /// The highest probability of a label over some turns; 0 over none.
    pub fn p_max(&self, turns: impl IntoIterator<Item = usize>, label: Label) -> f32 {
        turns.into_iter().map(|i| self.p(i, label)).fold(0.0, f32::max)
    }

    /// Whether a turn is negative.
    pub fn negative(&self, turn: usize) -> bool {
        self.signals[turn].sentiment == Sentiment::Neg
    }

    /// How many words of a text take up what the customer said before `turn`. Words that fit any case ("frustration")
    /// and those that only identify the customer ("your PIN") take up nothing.
    pub fn taken_up(&self, text: &str, turn: usize) -> usize {
        self.taken_up_from(text, 0, turn)
    }

    /// The same of what the customer said between two turns.
    pub fn taken_up_since(&self, text: &str, after: usize, turn: usize) -> usize {
        self.taken_up_from(text, after + 1, turn)
    }

    fn taken_up_from(&self, text: &str, first: usize, turn: usize) -> usize {
        let said = self.said.get_or_init(|| self.words_of_the_customer());
        let between = |turns: &Vec<usize>| turns.get(turns.partition_point(|&i| i < first)).is_some_and(|&i| i < turn);
        let taken: BTreeSet<String> = content_words(text)
            .iter()
            .map(|w| stem(w).to_owned())
            .filter(|w| said.get(w).is_some_and(between))
            .collect();
        taken.len()
    }

    /// By the stem of each word that does not fit any complaint: the customer's turns that have it, in order.
    fn words_of_the_customer(&self) -> HashMap<String, Vec<usize>> {
        let mut said: HashMap<String, Vec<usize>> = HashMap::new();
        for i in self.customer_turns() {
            let specific = |w: &String| !ANY_CASE.iter().any(|v| w.starts_with(v));
            for word in content_words(self.text(i)).iter().filter(|w| specific(w)) {
                let turns = said.entry(stem(word).to_owned()).or_default();
                if turns.last() != Some(&i) {
                    turns.push(i);
                }
            }
        }
        said
    }

    /// In how many other transcripts nearly the same text stands.
    pub fn others(&self, turn: usize) -> u32 {
        self.others[turn]
    }

    /// The time from one turn to a later one, where both have a time.
    pub fn gap(&self, from: usize, to: usize) -> Option<Duration> {
        let (from, to) = (self.transcript.turns[from].at?, self.transcript.turns[to].at?);
        to.duration_since(from).try_into().ok()
    }
}
