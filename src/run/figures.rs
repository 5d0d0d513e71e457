//! From the ledger to each person's figures. In: a [`Ledger`]. Out: rates held against those of like cases, weeks, replies, arcs, mix.

use std::collections::BTreeMap;
use std::f64::consts::FRAC_PI_2;

use super::cases::day;
use crate::findings::{Limits, RULES};
use crate::reports::plots::Point;
use crate::reports::{Arc, Drawn, ENOUGH, ENOUGH_OF_A_RULE, Mix, OF_THE_SET_UP, Rate, Response, counts};
use crate::stats::intervals::Z95;
use crate::stats::shrinkage::{Shrunken, shrink};
use crate::stats::standard::Counts;
use crate::stats::wilson;
use crate::tally::{ARC, Attribute, Entry, Ledger};

/// Standard errors that a rate is drawn towards the others at most.
const FURTHEST: f64 = 1.5;
/// Points of a trend at most: the last ones.
const POINTS: i32 = 26;
/// Conversations a week below which four weeks are taken together.
const FEW_A_WEEK: u64 = 5;
/// Kinds of case that a mix shows at most.
const KINDS: usize = 8;

/// The bits of the rules that a person can be coached on.
pub(super) fn coached() -> u32 {
    let about_people = |id: &str, context: bool| !context && !OF_THE_SET_UP.contains(&id);
    RULES.iter().enumerate().filter(|(_, r)| about_people(r.id, r.context)).fold(0, |bits, (i, _)| bits | 1 << i)
}

/// The bits of those whose findings are right often enough to be counted.
pub(super) fn counted() -> u32 {
    RULES.iter().enumerate().filter(|(_, r)| counts(r.id)).fold(0, |bits, (i, _)| bits | 1 << i) & coached()
}

/// Entries by person, with what is counted of them.
pub(super) struct Figures<'a> {
    ledger: &'a Ledger,
    /// Entries that count, by person.
    of: Vec<Vec<&'a Entry>>,
    /// Rates by rule and person; none for a rule that never applies to them.
    rates: Vec<Vec<Option<Rate>>>,
    /// The rate of all, by rule.
    levels: Vec<f64>,
    counted: u32,
}

impl<'a> Figures<'a> {
    pub(super) fn new(ledger: &'a Ledger) -> Self {
        let mut of: Vec<Vec<&Entry>> = vec![Vec::new(); ledger.agents.levels.len()];
        for entry in &ledger.entries {
            if let Some(agent) = entry.agent.filter(|_| !entry.abusive) {
                of[agent as usize].push(entry);
            }
        }
        let (rates, levels) = RULES
            .iter()
            .enumerate()
            .map(|(i, rule)| if rule.context { (vec![None; of.len()], 0.0) } else { rates(i, &of) })
            .unzip();
        Self { ledger, of, rates, levels, counted: counted() }
    }

    /// A person's id.
    pub(super) fn name(&self, agent: usize) -> &str {
        &self.ledger.agents.levels[agent]
    }

    /// The conversations that count for a person.
    pub(super) fn conversations(&self, agent: usize) -> u64 {
        self.of[agent].len() as u64
    }

    /// Every rule that applies to a person's conversations.
    pub(super) fn rates(&self, agent: usize) -> Vec<Rate> {
        self.rates.iter().filter_map(|rule| rule[agent].clone()).collect()
    }

    /// The rate of all people by rule, and (cases, rate for like cases) of everyone but one.
    pub(super) fn peers(&self, rule: usize, agent: usize) -> (f64, Vec<(u64, f64)>) {
        let others = self.rates[rule].iter().enumerate().filter(|(a, _)| *a != agent).filter_map(|(_, r)| r.as_ref());
        (self.levels[rule], others.filter_map(|r| Some((r.cases, r.for_like_cases?))).collect())
    }

    /// The first and the last week of a person's conversations.
    pub(super) fn period(&self, agent: usize) -> Option<(String, String)> {
        let weeks = || self.of[agent].iter().filter_map(|e| e.week);
        Some((day(weeks().min()?), day(weeks().max()?)))
    }

    /// The share of conversations with a finding, and how many weeks a point stands for: one, or four where a week has few conversations.
    /// A stretch without any is kept as a gap.
    pub(super) fn weeks(&self, all: &Weeks, agent: usize) -> (u32, Vec<Point>) {
        let own = Weeks::of(self.of[agent].iter().copied(), |e| self.found(e));
        let (together, stretches) = own.stretches();
        let point = |(from, to)| {
            let (own, all) = (own.between(from, to), all.between(from, to));
            Point { name: day(from), own, others: (all.0 - own.0, all.1 - own.1) }
        };
        (together, stretches.into_iter().map(point).collect())
    }

    /// Whether a conversation has a finding that counts for a person.
    fn found(&self, entry: &Entry) -> bool {
        entry.violated & !entry.automated & self.counted != 0
    }

    /// Every conversation that counts, by week.
    pub(super) fn all_weeks(&self) -> Weeks {
        Weeks::of(self.of.iter().flatten().copied(), |e| self.found(e))
    }

    /// First replies by channel, by name.
    pub(super) fn responses(&self, limits: &Limits, all: &[Vec<f64>], agent: usize) -> Vec<Response> {
        let own = by_channel(self.of[agent].iter().copied(), self.ledger.channels.levels.len());
        let mut out: Vec<Response> = own
            .iter()
            .zip(all)
            .enumerate()
            .filter(|(_, (own, _))| !own.is_empty())
            .map(|(channel, (own, all))| {
                let name = &self.ledger.channels.levels[channel];
                let due = limits.reply_seconds.get(&name.to_lowercase()).copied();
                let limit = due.unwrap_or(limits.reply_seconds_otherwise) as f64;
                let within = |times: &[f64]| times.iter().filter(|t| **t <= limit).count() as u64;
                let rest = without(all, own);
                Response {
                    channel: name.clone(),
                    cases: own.len() as u64,
                    quartiles: [0.25, 0.5, 0.75].map(|q| quantile(own, q)),
                    limit,
                    within: within(own),
                    others: (rest.len() as u64, quantile(&rest, 0.5), within(&rest)),
                }
            })
            .collect();
        out.sort_by(|a, b| a.channel.cmp(&b.channel));
        out
    }

    /// Everyone's first replies by channel, in rising order.
    pub(super) fn all_responses(&self) -> Vec<Vec<f64>> {
        by_channel(self.of.iter().flatten().copied(), self.ledger.channels.levels.len())
    }

    /// The customers' sentiment; none below the number of conversations that rates need.
    pub(super) fn arc(&self, all: &Sums, agent: usize) -> Option<Arc> {
        let own = Sums::of(self.of[agent].iter().copied());
        if own.n < ENOUGH {
            return None;
        }
        let others = (all.n - own.n >= ENOUGH)
            .then(|| std::array::from_fn(|i| (all.sum[i] - own.sum[i]) as f64 / (all.n - own.n) as f64));
        Some(Arc { cases: own.n, own: own.means(), others })
    }

    /// Everyone's sentiment.
    pub(super) fn all_arcs(&self) -> Sums {
        Sums::of(self.of.iter().flatten().copied())
    }

    /// What the conversations were about and how they came, the commonest first.
    pub(super) fn mix(&self, agent: usize) -> Vec<Mix> {
        let mut out = self.mix_of("issue", &self.ledger.issues, agent, |e| e.issue);
        out.extend(self.mix_of("channel", &self.ledger.channels, agent, |e| e.channel));
        out
    }

    fn mix_of(
        &self,
        of: &'static str,
        names: &Attribute,
        agent: usize,
        kind: impl Fn(&Entry) -> Option<u32>,
    ) -> Vec<Mix> {
        let (own_cases, all_cases) = (self.of[agent].len() as u64, self.of.iter().map(Vec::len).sum::<usize>() as u64);
        let (mut own, mut all) = (vec![0_u64; names.levels.len()], vec![0_u64; names.levels.len()]);
        self.of[agent].iter().filter_map(|e| kind(e)).for_each(|k| own[k as usize] += 1);
        self.of.iter().flatten().filter_map(|e| kind(e)).for_each(|k| all[k as usize] += 1);
        let mut rows: Vec<Mix> = (0..names.levels.len())
            .filter(|&k| own[k] > 0)
            .map(|k| Mix {
                of,
                name: names.levels[k].clone(),
                own: (own[k], own_cases),
                others: (all[k] - own[k], all_cases - own_cases),
            })
            .collect();
        rows.sort_by(|a, b| b.own.0.cmp(&a.own.0).then_with(|| a.name.cmp(&b.name)));
        rows.truncate(KINDS);
        rows
    }
}

/// One rule's rates of everyone, and the rate of all.
fn rates(rule: usize, of: &[Vec<&Entry>]) -> (Vec<Option<Rate>>, f64) {
    let mut all = Counts::default();
    let own: Vec<Counts> = of
        .iter()
        .map(|entries| {
            let mut own = Counts::default();
            for entry in entries.iter().filter(|e| e.asks(rule)) {
                let kind = |k: Option<u32>| k.map_or(0, |k| k + 1);
                for counts in [&mut own, &mut all] {
                    counts.add(kind(entry.issue), kind(entry.channel), entry.violates(rule));
                }
            }
            own
        })
        .collect();
    let level = if all.all.0 == 0 { 0.0 } else { all.all.1 as f64 / all.all.0 as f64 };
    let mut out: Vec<Option<Rate>> = own
        .iter()
        .zip(of)
        .map(|(own, entries)| {
            let (cases, found) = own.all;
            let shown = cases >= ENOUGH_OF_A_RULE && entries.len() as u64 >= ENOUGH;
            let rate = shown.then(|| (found as f64 / cases as f64, wilson(found, cases)));
            let expected = if shown { all.expected(own) } else { None };
            let reversed = |e: &&&Entry| e.asks(rule) && e.violated & e.reversed & 1 << rule != 0;
            (cases > 0).then_some(Rate {
                rule: RULES[rule].id,
                cases,
                found,
                rate,
                expected,
                shrunken: None,
                for_like_cases: None,
                reversed: entries.iter().filter(reversed).count() as u64,
                without_reversed: None,
            })
        })
        .collect();
    for (agent, drawn) in drawn(&out, all.all.0, |r| r.found) {
        let Some(rate) = &mut out[agent] else { continue };
        rate.shrunken = Some(drawn);
        let Some((expected, (own, _))) = rate.expected.zip(rate.rate) else { continue };
        let like = (angle(level) + angle(own) - angle(expected)).clamp(0.0, FRAC_PI_2);
        rate.for_like_cases = Some(like.sin().powi(2));
    }
    if out.iter().flatten().any(|r| r.reversed > 0) {
        for (agent, drawn) in drawn(&out, all.all.0, |r| r.found - r.reversed) {
            if let Some(rate) = out[agent].as_mut().filter(|r| r.reversed > 0) {
                rate.without_reversed = Some(drawn);
            }
        }
    }
    (out, level)
}

/// The rates of everyone who has enough cases, drawn towards what is expected; `found` says how many findings of a rate count.
fn drawn(rates: &[Option<Rate>], all: u64, found: impl Fn(&Rate) -> u64) -> Vec<(usize, Drawn)> {
    let unit = |(agent, rate): (usize, &Option<Rate>)| {
        let rate = rate.as_ref()?;
        let (n, others, expected) = (rate.cases as f64, (all - rate.cases) as f64, rate.expected?);
        let excess = anscombe(found(rate) as f64, n) - anscombe(expected * n, n);
        Some((agent, expected, (excess, 0.25 / (n + 0.5) + 0.25 / others)))
    };
    let units: Vec<(usize, f64, (f64, f64))> = rates.iter().enumerate().filter_map(unit).collect();
    let figures: Vec<(f64, f64)> = units.iter().map(|u| u.2).collect();
    let one = |((agent, expected, figure), drawn): (&(usize, f64, (f64, f64)), Shrunken)| {
        let drawn = drawn.limited(*figure, FURTHEST);
        let back = |excess: f64| (angle(*expected) + excess).clamp(0.0, FRAC_PI_2).sin().powi(2);
        let (low, high) = drawn.ci();
        (*agent, Drawn { rate: back(drawn.estimate), ci: (back(low), back(high)), above: drawn.above(0.0) })
    };
    units.iter().zip(shrink(&figures).unwrap_or_default()).map(one).collect()
}

/// The angle whose squared sine is a share: on this scale the sampling variance does not depend on the rate.
fn angle(share: f64) -> f64 {
    share.clamp(0.0, 1.0).sqrt().asin()
}

/// The angle of an observed share by Anscombe (1948); its variance is near 1/(4n + 2).
fn anscombe(events: f64, n: f64) -> f64 {
    angle((events + 0.375) / (n + 0.75))
}

/// (found, conversations) by week.
pub(super) struct Weeks(BTreeMap<i32, (u64, u64)>);

impl Weeks {
    pub(super) fn of<'a>(entries: impl Iterator<Item = &'a Entry>, is_found: impl Fn(&Entry) -> bool) -> Self {
        let mut out: BTreeMap<i32, (u64, u64)> = BTreeMap::new();
        for entry in entries {
            if let Some(week) = entry.week {
                let (found, n) = out.entry(week).or_default();
                *found += u64::from(is_found(entry));
                *n += 1;
            }
        }
        Self(out)
    }

    /// How many weeks are taken together, and the stretches from their first day to the one after the last: the last [`POINTS`] of them.
    pub(super) fn stretches(&self) -> (u32, Vec<(i32, i32)>) {
        let (Some((&first, _)), Some((&last, _))) = (self.0.first_key_value(), self.0.last_key_value()) else {
            return (1, Vec::new());
        };
        let cases: u64 = self.0.values().map(|w| w.1).sum();
        let together = if cases < FEW_A_WEEK * ((last - first) / 7 + 1) as u64 { 4 } else { 1 };
        let span = 7 * together as i32;
        let count = (last - first) / span + 1;
        let skipped = count - count.min(POINTS);
        (together, (skipped..count).map(|i| (first + i * span, first + (i + 1) * span)).collect())
    }

    /// The counts from one day to before another.
    pub(super) fn between(&self, from: i32, to: i32) -> (u64, u64) {
        self.0.range(from..to).fold((0, 0), |sum, (_, w)| (sum.0 + w.0, sum.1 + w.1))
    }
}

/// Sums of arcs: whole numbers, so that the order does not matter.
pub(super) struct Sums {
    n: u64,
    sum: [i64; ARC],
    squares: [i64; ARC],
}

impl Sums {
    pub(super) fn of<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let mut out = Self { n: 0, sum: [0; ARC], squares: [0; ARC] };
        for arc in entries.filter_map(|e| e.arc) {
            out.n += 1;
            for (i, v) in arc.into_iter().map(i64::from).enumerate() {
                out.sum[i] += v;
                out.squares[i] += v * v;
            }
        }
        out
    }

    /// How many conversations.
    pub(super) fn count(&self) -> u64 {
        self.n
    }

    /// Means with their normal 95 % intervals, inside −1…1.
    pub(super) fn means(&self) -> [(f64, (f64, f64)); ARC] {
        let n = self.n.max(1) as f64;
        std::array::from_fn(|i| {
            let mean = self.sum[i] as f64 / n;
            let variance = (self.squares[i] as f64 - n * mean * mean).max(0.0) / (n - 1.0).max(1.0);
            let half = Z95 * (variance / n).sqrt();
            (mean, ((mean - half).max(-1.0), (mean + half).min(1.0)))
        })
    }
}

/// Seconds until a person's first reply, by channel, in rising order.
fn by_channel<'a>(entries: impl Iterator<Item = &'a Entry>, channels: usize) -> Vec<Vec<f64>> {
    let mut out = vec![Vec::new(); channels];
    for entry in entries.filter(|e| !e.bot_first) {
        if let (Some(channel), Some(seconds)) = (entry.channel, entry.response) {
            out[channel as usize].push(seconds);
        }
    }
    out.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
    out
}

/// What is left of a sorted list when the values of another are taken out.
fn without(all: &[f64], own: &[f64]) -> Vec<f64> {
    let mut own = own.iter().peekable();
    all.iter().filter(|v| own.next_if(|o| o == v).is_none()).copied().collect()
}

/// The value at a share of a sorted list (nearest rank); 0 for an empty one.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::SURE;
    use crate::stats::SplitMix;

    #[test]
    fn own_values_are_taken_out_once_each() {
        assert_eq!(without(&[1.0, 1.0, 2.0, 3.0], &[1.0, 3.0]), [1.0, 2.0]);
        assert_eq!((quantile(&[1.0, 2.0, 3.0, 4.0], 0.5), quantile(&[7.0], 0.25), quantile(&[], 0.5)), (2.0, 7.0, 0.0));
    }

    #[test]
    fn set_up_and_context_are_no_focus() {
        let names: Vec<&str> =
            RULES.iter().enumerate().filter(|(i, _)| coached() & 1 << i == 0).map(|(_, r)| r.id).collect();
        assert_eq!(names, ["over-automation", "slow-response", "abusive-customer"]);
    }

    /// People with the given rates of one rule; (cases each). Out: for each the probability that they lie above what is expected.
    fn above(rates: &[f64], cases: usize, random: &mut SplitMix) -> Vec<f64> {
        let mut ledger = Ledger::default();
        for (agent, rate) in rates.iter().enumerate() {
            let agent = ledger.agents.learn(&format!("a{agent}"));
            for _ in 0..cases {
                let violated = u32::from((random.below(1_000_000) as f64) < rate * 1e6);
                ledger.entries.push(Entry { agent, applies: 1, violated, ..Entry::default() });
            }
        }
        let figures = Figures::new(&ledger);
        (0..rates.len()).map(|a| figures.rates(a)[0].shrunken.map_or(0.0, |s| s.above)).collect()
    }

    #[test]
    fn chance_alone_stands_out_rarely_and_a_high_rate_mostly() {
        let mut random = SplitMix::new(5);
        for (people, cases) in [(8, 30), (40, 30), (40, 100)] {
            let (mut false_alarms, mut all, mut seen, mut high) = (0, 0, 0, 0);
            for _ in 0..100 {
                let alike = above(&vec![0.15; people], cases, &mut random);
                false_alarms += alike.iter().filter(|p| **p >= SURE).count();
                all += people;
                let mut one = vec![0.15; people];
                one[0] = 0.5;
                seen += usize::from(above(&one, cases, &mut random)[0] >= SURE);
                high += 1;
            }
            let (false_share, power) = (false_alarms as f64 / all as f64, f64::from(seen as u32) / f64::from(high));
            assert!(false_share < 0.02 && power > 0.6, "{people} people, {cases} cases: {false_share} {power}");
        }
    }
}
