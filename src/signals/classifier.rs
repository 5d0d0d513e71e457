//! The classifier. In: turns with their context, then whole conversations. Out: their signals, in order, the same at any batch size and number of threads.

use std::borrow::Cow;
use std::collections::HashMap;

use rayon::prelude::*;

use super::backend::{Answer, Backend, BackendError, CUES_FROM, Encoded, LOGITS, Runtime};
use super::cache::Cache;
use super::encode::Encoder;
use super::gate::Gate;
use super::label::{Cue, Label, LabelSet, QUOTE, Sentiment, Signals, logit, rounded, sigmoid, softmax};
use super::model::{Model, ModelError, ModelInfo};
use super::wording::{settle_company, settle_customer};
use crate::turns::Role;

/// Tokens of one batch: enough to use the processor well, little enough for its cache.
const BATCH_TOKENS: usize = 256;

/// A turn to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Who speaks.
    pub role: Role,
    /// What was said.
    pub text: &'a str,
    /// Who spoke before, and what.
    pub before: Option<(Role, &'a str)>,
}

impl Input<'_> {
    /// Whether there is anything to judge.
    fn speaks(&self) -> bool {
        self.role != Role::System && !self.text.trim().is_empty()
    }
}

/// The network that answers first.
struct First {
    network: Box<dyn Backend>,
    /// Which of its answers stand; without it the large network reads every turn too.
    gate: Option<Gate>,
}

/// An answer, and whether the large network was asked for it after the small one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Answered {
    pub(super) answer: Answer,
    pub(super) deferred: bool,
}

/// Tokens, batches, backends and thresholds together.
pub struct Classifier {
    encoder: Encoder,
    large: Box<dyn Backend>,
    first: Option<First>,
    cache: Cache,
    thresholds: [f32; 24],
    cue_thresholds: [f32; Cue::ALL.len()],
    info: ModelInfo,
}

impl Classifier {
    /// Loads a model into the embedded backend.
    ///
    /// # Errors
    /// When the model's files are damaged.
    pub fn new(model: &Model) -> Result<Self, ModelError> {
        Self::on(Runtime::default(), model)
    }

    /// Loads a model into a backend.
    ///
    /// # Errors
    /// When the model's files are damaged, or the backend is not part of this program or lacks its files.
    pub fn on(runtime: Runtime, model: &Model) -> Result<Self, ModelError> {
        let info = model.info().clone();
        let threshold = |name: &str| info.thresholds.get(name).copied().unwrap_or(0.5);
        let loaded = runtime.load(model)?;
        let gate = info.first.as_ref().and_then(|first| first.again.as_ref()).map(Gate::new);
        Ok(Self {
            encoder: Encoder::new(model)?,
            large: loaded.large,
            first: loaded.first.map(|network| First { network, gate }),
            cache: Cache::default(),
            thresholds: Label::ALL.map(|l| threshold(l.name())),
            cue_thresholds: Cue::ALL.map(|c| threshold(c.name())),
            info,
        })
    }

    /// What the model is.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The runtime's name.
    pub fn backend(&self) -> &'static str {
        self.large.name()
    }

    /// The signals of each turn, in order, from the turn and the one before it; they are not finished until [`Classifier::settle`] has seen the whole conversation. Runs
    /// on all threads of the present pool.
    ///
    /// # Errors
    /// When the tokenizer or the backend fails.
    pub fn classify(&self, inputs: &[Input<'_>]) -> Result<Vec<Signals>, ModelError> {
        Ok(self.classify_unless(inputs, &|| false)?.unwrap_or_default())
    }

    /// The same, given up between two batches when `stop` says so: then there is no answer.
    ///
    /// # Errors
    /// When the tokenizer or the backend fails.
    pub fn classify_unless(
        &self,
        inputs: &[Input<'_>],
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Vec<Signals>>, ModelError> {
        let encoded: Vec<Option<Encoded>> = inputs
            .par_iter()
            .with_min_len(64)
            .map(|input| input.speaks().then(|| self.encoder.encode(input)).transpose())
            .collect::<Result<_, _>>()?;
        let role = |i: usize| inputs[i].role;
        let Some(answers) = self.answers(&encoded, role, stop)? else { return Ok(None) };
        let signals = |(input, answered): (&Input<'_>, &Option<Answered>)| {
            let Some(Answered { answer, deferred }) = answered else { return Ok(Signals::nothing()) };
            let mut out = self.signals(input.role, &answer.logits);
            if input.role.is_company() {
                settle_company(input.text, &mut out);
            }
            out.focus = self.focus(input.text, answer)?;
            out.deferred = *deferred;
            Ok(out)
        };
        inputs.par_iter().zip(&answers).with_min_len(64).map(signals).collect::<Result<_, _>>().map(Some)
    }

    /// Finishes the signals of one whole conversation, once: a customer's mood is carried on from turn to turn (src/signals/mood.rs), and words settle what the customer's
    /// labels leave open. `turns` and `signals` have an entry a turn.
    pub fn settle<'a>(&self, turns: impl Iterator<Item = (Role, &'a str)>, signals: &mut [Signals]) {
        let customers = |(role, text): &(Role, &str)| *role == Role::Customer && !text.trim().is_empty();
        let (texts, mut own): (Vec<&str>, Vec<&mut Signals>) =
            turns.zip(signals).filter(|(turn, _)| customers(turn)).map(|((_, text), signals)| (text, signals)).unzip();
        if let Some(mood) = &self.info.mood {
            mood.carry(&mut own, self.thresholds[Label::Frustration as usize]);
        }
        texts.into_iter().zip(own).for_each(|(text, signals)| settle_customer(text, signals));
    }

    /// The answer to each row, the same tokens classified once; none where it was given up.
    fn answers(
        &self,
        encoded: &[Option<Encoded>],
        role: impl Fn(usize) -> Role,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Vec<Option<Answered>>>, ModelError> {
        let mut out: Vec<Option<Answered>> =
            encoded.iter().map(|row| row.as_ref().and_then(|row| self.cache.get(row))).collect();
        let mut places: HashMap<&Encoded, Vec<usize>> = HashMap::new();
        for (i, row) in encoded.iter().enumerate() {
            if let (Some(row), None) = (row, &out[i]) {
                places.entry(row).or_default().push(i);
            }
        }
        let mut rows: Vec<(&Encoded, Vec<usize>)> = places.into_iter().collect();
        // As they were said: a turn stands beside the one before, and a network that reads them apart computes that once for both.
        rows.sort_by_key(|(_, places)| places[0]);
        let mut keep = |row: &Encoded, places: &[usize], answer: Answer, deferred: bool| {
            let answered = Answered { answer, deferred };
            self.cache.keep(row, answered);
            places.iter().for_each(|&i| out[i] = Some(answered));
        };
        let gate = self.first.as_ref().and_then(|first| first.gate.as_ref());
        // What the small network says of the turns that the large one reads too.
        let mut unsettled: Vec<Answer> = Vec::new();
        if let Some(First { network, .. }) = &self.first {
            let asked: Vec<&Encoded> = rows.iter().map(|(row, _)| *row).collect();
            let Some(answers) = run(network.as_ref(), &asked, stop)? else { return Ok(None) };
            let mut answers = answers.into_iter();
            rows.retain(|(row, places)| {
                let Some(answer) = answers.next() else { return true };
                let settled = gate.is_some_and(|gate| gate.settles(role(places[0]), &answer.logits));
                if settled {
                    keep(row, places, answer, false);
                } else {
                    unsettled.push(answer);
                }
                !settled
            });
        }
        // The small network has read it in its context: by itself it is half the work for the large one, and what both say together is as right.
        let asked: Vec<Cow<'_, Encoded>> = rows
            .iter()
            .map(|&(row, _)| if gate.is_some() { Cow::Owned(row.alone()) } else { Cow::Borrowed(row) })
            .collect();
        let asked: Vec<&Encoded> = asked.iter().map(AsRef::as_ref).collect();
        let Some(mut answers) = run(self.large.as_ref(), &asked, stop)? else { return Ok(None) };
        // Cues hang on the turn before, so where the large one has not read it, they are the small one's.
        let shared = if gate.is_some() { CUES_FROM } else { LOGITS };
        for (answer, other) in answers.iter_mut().zip(&unsettled) {
            let both = |i: usize| if i < shared { (answer.logits[i] + other.logits[i]) / 2.0 } else { other.logits[i] };
            answer.logits = std::array::from_fn(both);
        }
        for ((row, places), answer) in rows.iter().zip(answers) {
            keep(row, places, answer, gate.is_some());
        }
        Ok(Some(out))
    }

    /// The token ids of one turn, for comparison with the reference.
    ///
    /// # Errors
    /// When the tokenizer fails.
    pub fn tokens(&self, input: &Input<'_>) -> Result<Vec<u32>, ModelError> {
        Ok(self.encoder.encode(input)?.ids)
    }

    /// The large network's logits of one turn, or the small one's where there is one and `first` asks for it; for comparison with the reference.
    ///
    /// # Errors
    /// When the tokenizer or the backend fails.
    pub fn logits(&self, input: &Input<'_>, first: bool) -> Result<[f32; LOGITS], ModelError> {
        let encoded = self.encoder.encode(input)?;
        let backend = self.first.as_ref().filter(|_| first).map_or(&self.large, |first| &first.network);
        let rows = backend.answer(&[&encoded]).map_err(|e| ModelError::Weights(e.to_string()))?;
        rows.first().map(|r| r.logits).ok_or_else(|| ModelError::Weights("the backend gave no row".to_owned()))
    }

    /// Where the words for each label stand, in a text too long to be quoted whole.
    fn focus(&self, text: &str, answer: &Answer) -> Result<Vec<u32>, ModelError> {
        if text.chars().nth(QUOTE).is_none() {
            return Ok(Vec::new());
        }
        let places = self.encoder.places(text)?;
        let place = |token: usize| places.get(token).copied().unwrap_or(0);
        Ok(answer.focus.iter().map(|&token| u32::try_from(place(token.into())).unwrap_or(0)).collect())
    }

    fn signals(&self, role: Role, logits: &[f32; LOGITS]) -> Signals {
        let mut p = [0.0; 24];
        let mut labels = LabelSet::default();
        for (i, label) in Label::ALL.into_iter().enumerate().filter(|(_, l)| l.fits(role)) {
            p[i] = rounded(sigmoid(logits[i]));
            if p[i] >= self.thresholds[i] {
                labels.insert(label);
            }
        }
        let sure = |i: usize| rounded(sigmoid(logits[CUES_FROM + i] - logit(self.cue_thresholds[i])));
        let cues = std::array::from_fn(|i| if Cue::ALL[i].fits(role) { sure(i) } else { 0.0 });
        let sentiment_p = softmax([logits[24], logits[25], logits[26]]);
        Signals {
            sentiment: Sentiment::likeliest(sentiment_p),
            sentiment_p,
            labels,
            p,
            cues,
            focus: Vec::new(),
            deferred: false,
        }
    }
}

/// A network's answer to each row, in order; none where it was given up.
fn run(
    backend: &dyn Backend,
    rows: &[&Encoded],
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Vec<Answer>>, ModelError> {
    let answers: Option<Vec<Vec<Answer>>> = batches(rows)
        .par_iter()
        .with_max_len(1)
        .map(|batch| (!stop()).then(|| backend.answer(batch)).transpose())
        .collect::<Result<_, BackendError>>()
        .map_err(|e| ModelError::Weights(e.to_string()))?;
    Ok(answers.map(|answers| answers.concat()))
}

/// Neighbours, up to the token budget each. A batch ends where a conversation does, if it can: then the turn before is there for the next one, for a network that reads
/// them apart.
fn batches<'a, 'b>(rows: &'a [&'b Encoded]) -> Vec<&'a [&'b Encoded]> {
    let mut out = Vec::new();
    let (mut start, mut tokens) = (0, 0);
    // The last row with no turn before it, and the tokens of this batch that stand before that row.
    let (mut opening, mut until) = (0, 0);
    for (i, row) in rows.iter().enumerate() {
        let opens = row.own == row.ids.len();
        if tokens + row.ids.len() > BATCH_TOKENS && i > start {
            if opens || opening <= start {
                (opening, until) = (i, tokens);
            }
            out.push(&rows[start..opening]);
            (start, tokens) = (opening, tokens - until);
        }
        if opens {
            (opening, until) = (i, tokens);
        }
        tokens += row.ids.len();
    }
    if start < rows.len() {
        out.push(&rows[start..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_to_the_budget_and_lose_nothing() {
        let lengths = |rows: &[(usize, usize)]| -> Vec<usize> {
            let rows: Vec<Encoded> = rows.iter().map(|&(n, own)| Encoded { ids: vec![0; n], own }).collect();
            batches(&rows.iter().collect::<Vec<_>>()).iter().map(|batch| batch.len()).collect()
        };
        assert_eq!(lengths(&[(200, 9), (150, 9), (120, 9), (20, 9), (10, 9), (5, 9)]), [1, 1, 4]);
        // A turn with none before it begins a batch, if it is not the first of this one anyway.
        assert_eq!(lengths(&[(100, 100), (60, 9), (50, 50), (30, 9), (30, 9), (9, 9)]), [2, 4]);
        assert_eq!(lengths(&[(100, 100), (90, 9), (80, 9), (80, 9), (100, 100)]), [2, 2, 1]);
        assert_eq!(lengths(&[(300, 300), (300, 300), (200, 9), (57, 57)]), [1, 1, 1, 1]);
        assert!(lengths(&[]).is_empty());
    }

    #[test]
    fn both_networks_together_say_what_lies_between_them() {
        let input =
            Input { role: Role::Agent, text: "Our policy does not allow a refund within 14 days.", before: None };
        let model = || Model::built_in().unwrap();
        let both = Classifier::new(&model().accurate()).unwrap();
        let (large, small) = (both.logits(&input, false).unwrap(), both.logits(&input, true).unwrap());
        let told = both.classify(&[input]).unwrap()[0].clone();
        for label in Label::ALL.into_iter().filter(|l| l.fits(Role::Agent)) {
            let at = label as usize;
            assert_eq!(told.p[at], rounded(sigmoid((large[at] + small[at]) / 2.0)), "{label:?}");
        }
        assert!(!told.deferred && large != small);
        // A refusal is read again; with no turn before it, that is the same for the labels.
        let read_again = Classifier::new(&model()).unwrap().classify(&[input]).unwrap()[0].clone();
        assert_eq!((read_again.p, read_again.deferred), (told.p, true));
        // The cues hang on the turn before, which the large one does not see then: they are the small one's.
        for (k, cue) in Cue::ALL.into_iter().enumerate().filter(|(_, c)| c.fits(Role::Agent)) {
            let sure = rounded(sigmoid(small[CUES_FROM + k] - logit(both.cue_thresholds[k])));
            assert_eq!(read_again.cues[k], sure, "{cue:?}");
        }
        assert_ne!(read_again.cues, told.cues);
        let thanks =
            Input { role: Role::Customer, text: "Thanks, that is all.", before: Some((Role::Agent, input.text)) };
        assert!(!Classifier::new(&model()).unwrap().classify(&[thanks]).unwrap()[0].deferred);
    }

    #[test]
    fn a_conversation_is_finished_as_a_whole() {
        let turns = [
            (Role::Customer, "Two hours late and nobody tells us anything. You people are a disgrace!"),
            (Role::Agent, "Which flight is it?"),
            (Role::System, "transferred"),
            (Role::Customer, " "),
            (Role::Customer, "The 4.15 to Leeds"),
        ];
        let inputs: Vec<Input<'_>> = turns.iter().map(|&(role, text)| Input { role, text, before: None }).collect();
        let classifier = Classifier::new(&Model::built_in().unwrap()).unwrap();
        let first = classifier.classify(&inputs).unwrap();
        let mut signals = first.clone();
        classifier.settle(turns.into_iter(), &mut signals);
        assert_eq!(signals[..4], first[..4]);
        assert!(signals[4].p(Label::Frustration) > first[4].p(Label::Frustration));
        // By itself the turn stays as it was.
        let mut alone = first[4..].to_vec();
        classifier.settle(turns[4..].iter().copied(), &mut alone);
        assert_eq!(alone, first[4..]);
        // Words count once the mood is known.
        let mut left = Signals { sentiment: Sentiment::Neg, ..Signals::nothing() };
        classifier.settle([(Role::Customer, "never again")].into_iter(), std::slice::from_mut(&mut left));
        assert!(left.has(Label::Churn));
    }

    #[test]
    fn a_row_is_the_same_alone_and_in_any_batch() {
        let texts: Vec<String> = (0..7).map(|i| format!("number {i} {}", "is late again ".repeat(i * i))).collect();
        let input = |i: usize| {
            let before = i.checked_sub(1).map(|b| (Role::Agent, texts[b].as_str()));
            Input { role: Role::Customer, text: &texts[i], before }
        };
        let classifier = || Classifier::new(&Model::built_in().unwrap()).unwrap();
        let all = classifier().classify(&(0..7).map(input).collect::<Vec<_>>()).unwrap();
        // Another one, for the first keeps its answers.
        let alone = classifier();
        for i in [0, 3, 6] {
            assert_eq!(alone.classify(&[input(i)]).unwrap()[0], all[i], "row {i}");
        }
    }
}
