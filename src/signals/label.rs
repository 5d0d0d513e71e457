//! The labels of the rulebook and the answer of the classifier for one turn.

use serde::{Deserialize, Serialize};

use crate::turns::Role;

/// What can be true of a turn, by name: an enum whose order is that of the model's logits.
macro_rules! observations {
    ($(#[$about:meta])* $kind:ident, $noun:literal, $count:literal; $($variant:ident $name:literal $side:ident $doc:literal;)*) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $kind { $(#[doc = $doc] $variant),* }

        impl $kind {
            /// Each of them, in the order of the model's logits.
            pub const ALL: [Self; $count] = [$(Self::$variant),*];

            /// The name as in files.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The one of that name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|x| x.name() == name)
            }

            /// Whether it can be true of a turn of this role.
            pub fn fits(self, role: Role) -> bool {
                match self { $(Self::$variant => side::$side(role)),* }
            }
        }

        impl Serialize for $kind {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.name())
            }
        }

        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let name = String::deserialize(d)?;
                Self::parse(&name).ok_or_else(|| serde::de::Error::custom(format!(concat!("unknown ", $noun, " {}"), name)))
            }
        }
    };
}

mod side {
    use crate::turns::Role;

    pub(super) fn customer(role: Role) -> bool {
        role == Role::Customer
    }

    pub(super) fn company(role: Role) -> bool {
        role.is_company()
    }
}

observations! {
    /// A label of the rulebook.
    Label, "label", 24;
    Problem "problem" customer "reports a failure on the company's side";
    Frustration "frustration" customer "expresses annoyance, anger, distress or sarcasm";
    Repeat "repeat" customer "has said, asked or sent it before, or still waits for a reply";
    WantsHuman "wants-human" customer "asks for a person";
    Churn "churn" customer "threatens to leave, sue or go public";
    Abuse "abuse" customer "insults or threatens a person";
    Gratitude "gratitude" customer "thanks with meaning, praises";
    Resolved "resolved" customer "confirms that the matter is settled";
    Apology "apology" company "says sorry or takes responsibility";
    NonApology "non-apology" company "has the words of an apology and withholds it";
    Empathy "empathy" company "acknowledges the feeling or the impact";
    Denial "denial" company "refuses or declines";
    Policy "policy" company "gives a rule or system as the reason";
    Alternative "alternative" company "offers an option, exception or workaround";
    Informal "informal" company "casual register";
    Commitment "commitment" company "says what is or will be done";
    Timeframe "timeframe" company "says when";
    Compensation "compensation" company "gives or offers money or a replacement";
    Transfer "transfer" company "sends the customer elsewhere";
    AskInfo "ask-info" company "asks for details";
    Greeting "greeting" company "greets or introduces";
    Closing "closing" company "closes courteously";
    Check "check" company "checks that it is solved or offers further help";
    Blame "blame" company "puts the fault on the customer or talks down";
}

/// A set of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LabelSet(u32);

impl LabelSet {
    /// Whether the label is in the set.
    pub fn has(self, label: Label) -> bool {
        self.0 & (1 << label as u8) != 0
    }

    /// Whether any of these is in the set.
    pub fn any(self, labels: &[Label]) -> bool {
        labels.iter().any(|&l| self.has(l))
    }

    /// Adds a label.
    pub fn insert(&mut self, label: Label) {
        self.0 |= 1 << label as u8;
    }

    /// Takes a label out.
    pub fn remove(&mut self, label: Label) {
        self.0 &= !(1 << label as u8);
    }

    /// The labels in order.
    pub fn iter(self) -> impl Iterator<Item = Label> {
        Label::ALL.into_iter().filter(move |&l| self.has(l))
    }
}

impl FromIterator<Label> for LabelSet {
    fn from_iter<T: IntoIterator<Item = Label>>(labels: T) -> Self {
        let mut set = Self::default();
        labels.into_iter().for_each(|l| set.insert(l));
        set
    }
}

/// The overall attitude of the speaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sentiment {
    /// Negative.
    Neg,
    /// Neutral.
    Neu,
    /// Positive.
    Pos,
}

impl Sentiment {
    /// In the order of the model's logits.
    pub const ALL: [Self; 3] = [Self::Neg, Self::Neu, Self::Pos];

    /// The name as in files.
    pub fn name(self) -> &'static str {
        ["neg", "neu", "pos"][self as usize]
    }

    /// The one with the highest probability; the first of equals.
    pub(super) fn likeliest(p: [f32; 3]) -> Self {
        let best = Self::ALL.into_iter().rev().max_by(|a, b| p[*a as usize].total_cmp(&p[*b as usize]));
        best.unwrap_or(Self::Neu)
    }
}

// A new one stands last: models/train/restore.py relies on it.
observations! {
    /// A finer observation that only the rules use: no label of the rulebook, and in no file of a run.
    Cue, "cue", 11;
    Retells "retells" customer "The customer had to tell, send or report it before.";
    Waits "waits" customer "The customer complains of waiting for a reply or on hold.";
    Generic "generic" company "A canned text answers a specific concern and takes up nothing of it.";
    ReAsks "re-asks" company "The company asks for what was just given.";
    Personal "personal" company "Uses the customer's name, or takes up something specific that they said.";
    Kind "kind" company "Would do as first words: greets, thanks, apologizes or acknowledges.";
    FollowUp "follow-up" company "Confirms, checks, promises to come back or carries the matter on.";
    Wall "wall" company "Refuses for a rule, an authority, a system or no reason, and offers nothing in its place.";
    Heard "heard" company "Acknowledges the feeling or what it meant, or apologizes and names what happened.";
    ApologyOwed "apology-owed" customer "Tells of trouble that is the company's doing, or is upset at it.";
    EmpathyOwed "empathy-owed" customer "Is upset about the company, or tells of loss, hardship or distress.";
}

/// What the classifier says of one turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signals {
    /// The likeliest sentiment.
    pub sentiment: Sentiment,
    /// Probability of neg, neu, pos; they add up to 1.
    pub sentiment_p: [f32; 3],
    /// The labels whose probability reaches their threshold.
    pub labels: LabelSet,
    /// Probability of each label, 0 where the role cannot have it; in the order of [`Label::ALL`].
    pub p: [f32; 24],
    /// How sure each cue is, moved so that it holds from 0.5 on; in the order of [`Cue::ALL`].
    pub cues: [f32; Cue::ALL.len()],
    /// For each label, the byte of the turn at which the words for it stand; empty for a turn of at most [`QUOTE`] characters.
    pub focus: Vec<u32>,
    /// Whether the small network left this turn to the large one.
    pub deferred: bool,
}

/// The longest quote, in characters; of a longer turn the sentences around the focus are quoted.
pub const QUOTE: usize = 240;

impl Signals {
    /// A turn of which nothing is said: empty, or a system note.
    pub fn nothing() -> Self {
        Self {
            sentiment: Sentiment::Neu,
            sentiment_p: [0.0, 1.0, 0.0],
            labels: LabelSet::default(),
            p: [0.0; 24],
            cues: [0.0; Cue::ALL.len()],
            focus: Vec::new(),
            deferred: false,
        }
    }

    /// Signals as a reader gave them: every label certain, no cue.
    pub fn certain(sentiment: Sentiment, labels: LabelSet) -> Self {
        let mut sentiment_p = [0.0; 3];
        sentiment_p[sentiment as usize] = 1.0;
        let mut p = [0.0; 24];
        labels.iter().for_each(|l| p[l as usize] = 1.0);
        Self { sentiment, sentiment_p, labels, p, cues: [0.0; Cue::ALL.len()], focus: Vec::new(), deferred: false }
    }

    /// Whether the label holds.
    pub fn has(&self, label: Label) -> bool {
        self.labels.has(label)
    }

    /// Whether the cue holds.
    pub fn cue(&self, cue: Cue) -> bool {
        self.cues[cue as usize] >= 0.5
    }

    /// The byte of the turn at which the words for a label stand; 0 for a short turn.
    pub fn focus(&self, label: Label) -> usize {
        self.focus.get(label as usize).map_or(0, |&at| at as usize)
    }

    /// The probability of a label.
    pub fn p(&self, label: Label) -> f32 {
        self.p[label as usize]
    }

    /// Sentiment on a scale from −1 (negative) to 1 (positive).
    pub fn score(&self) -> f32 {
        self.sentiment_p[2] - self.sentiment_p[0]
    }
}

/// The logit of a probability; infinite for 0 and 1.
pub(super) fn logit(p: f32) -> f32 {
    (p / (1.0 - p)).ln()
}

/// The probability that a logit stands for.
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// The probabilities that three logits stand for, rounded.
pub(super) fn softmax(logits: [f32; 3]) -> [f32; 3] {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let odds = logits.map(|x| (x - top).exp());
    let sum: f32 = odds.iter().sum();
    odds.map(|o| rounded(o / sum))
}

/// Four decimals: what is shown is what is judged by.
pub(super) fn rounded(p: f32) -> f32 {
    (p * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_labels() {
        for label in Label::ALL {
            assert_eq!(Label::parse(label.name()), Some(label));
        }
        assert_eq!(Label::parse("sentiment"), None);
    }

    #[test]
    fn a_label_belongs_to_one_side() {
        for label in Label::ALL {
            assert_ne!(label.fits(Role::Customer), label.fits(Role::Agent));
            assert_eq!(label.fits(Role::Agent), label.fits(Role::Bot));
            assert!(!label.fits(Role::System));
        }
    }
}
