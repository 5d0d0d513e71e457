//! Coverage of the rates that rest on reviewers' labels: designs drawn again and again from one finite population, with a program whose error differs
//! by segment.

use std::collections::BTreeMap;

use evenhand::findings::Severity;
use evenhand::sampling::{Allocation, Drawn, Lottery, Sampford, Sizes, Stratum, WHOLE, allocate, risk_score};
use evenhand::stats::SplitMix;
use evenhand::stats::survey::{Answers, Design};

use super::uniform;

const DESIGNS: u64 = 2000;
const POPULATION: usize = 4000;

/// One conversation: segment, (people: it is so, it applies), (program: the same), size for the risk design.
#[derive(Clone)]
struct Case {
    id: String,
    segment: usize,
    people: (f64, f64),
    program: (f64, f64),
    size: f64,
}

fn population() -> Vec<Case> {
    let mut r = SplitMix::new(20_261_127);
    let coin = |p: f64, r: &mut SplitMix| uniform(r) < p;
    (0..POPULATION)
        .map(|i| {
            let segment = [0, 0, 0, 0, 0, 1, 1, 1, 2, 2][i % 10];
            let applies = coin(0.75, &mut r);
            let so = applies && coin([0.15, 0.25, 0.4][segment], &mut r);
            let sees = coin(if applies { 0.95 } else { 0.06 }, &mut r);
            let (se, fp) = ([0.9, 0.8, 0.65][segment], [0.04, 0.05, 0.1][segment]);
            let says = sees && coin(if so { se } else { fp }, &mut r);
            let other = coin(0.3, &mut r);
            let (confidence, harm) =
                (0.5 + 0.45 * uniform(&mut r), [Severity::Low, Severity::Medium, Severity::High][r.below(3)]);
            let size = risk_score(
                says.then_some((harm, confidence)).into_iter().chain(other.then_some((Severity::Medium, 0.7))),
            );
            let bit = |b: bool| f64::from(u8::from(b));
            Case {
                id: format!("c{i}"),
                segment,
                people: (bit(so), bit(applies)),
                program: (bit(says), bit(sees)),
                size,
            }
        })
        .collect()
}

#[derive(Clone, Copy)]
enum Plan {
    Random,
    Stratified(Allocation),
    Risk,
}

fn draw(cases: &[Case], plan: Plan, n: usize, seed: u64) -> Vec<Drawn> {
    let name = |c: &Case| match plan {
        Plan::Stratified(_) => format!("s{}", c.segment),
        _ => WHOLE.to_owned(),
    };
    if let Plan::Risk = plan {
        let mut first = Sizes::new(n);
        cases.iter().for_each(|c| first.add(&c.id, c.size));
        let scale = first.finish().unwrap();
        let mut from = 0;
        loop {
            let mut second = Sampford::new(&scale, seed, from);
            cases.iter().for_each(|c| second.offer(&c.id, c.size));
            match second.finish() {
                Ok(drawn) => return drawn,
                Err(next) => from = next,
            }
        }
    }
    let mut strata: BTreeMap<String, Stratum> = BTreeMap::new();
    for c in cases {
        let s = strata.entry(name(c)).or_default();
        s.population += 1;
        s.events += c.program.0 as u64;
    }
    let allocation = if let Plan::Stratified(a) = plan { a } else { Allocation::Proportional };
    let mut lottery = Lottery::new(seed, &allocate(&strata, Some(n as u64), 2, allocation).unwrap());
    cases.iter().for_each(|c| lottery.offer(&name(c), &c.id));
    lottery.finish()
}

/// How one kind of interval did.
#[derive(Default, Clone, Copy)]
struct Score {
    made: f64,
    covered: f64,
    squares: f64,
    width: f64,
}

impl Score {
    fn add(&mut self, truth: f64, value: f64, ci: Option<(f64, f64)>) {
        let Some((low, high)) = ci else { return };
        self.made += 1.0;
        self.covered += f64::from(u8::from(low <= truth && truth <= high));
        self.squares += (value - truth).powi(2);
        self.width += high - low;
    }
}

const KINDS: [&str; 8] =
    ["Horvitz-Thompson", "Hájek", "PPI++", "Rogan-Gladen", "Lang-Reiczigel", "sensitivity", "specificity", "precision"];

fn answers(cases: &[Case], drawn: &[Drawn], inside: impl Fn(&Case) -> bool) -> (Answers, Design) {
    let places: BTreeMap<&str, &Case> = cases.iter().map(|c| (c.id.as_str(), c)).collect();
    let (mut a, mut strata, mut pi) = (Answers::default(), Vec::new(), Vec::new());
    for d in drawn {
        let c = places[d.id.as_str()];
        let i = f64::from(u8::from(inside(c)));
        a.people.0.push(i * c.people.0);
        a.people.1.push(i * c.people.1);
        a.program.0.push(i * c.program.0);
        a.program.1.push(i * c.program.1);
        a.inside.push(i);
        strata.push(if d.stratum == WHOLE { 0 } else { d.stratum[1..].parse().unwrap() });
        pi.push(d.probability);
    }
    for c in cases.iter().filter(|c| inside(c)) {
        a.totals = (a.totals.0 + c.program.0, a.totals.1 + c.program.1);
        a.population += 1.0;
    }
    (a, Design::new(strata, &pi))
}

fn score(scores: &mut [Score; 8], truth: &[f64; 5], a: &Answers, d: &Design) {
    let [share, rate, sensitivity, specificity, precision] = *truth;
    if let Some(e) = d.mean(&a.people.0, a.population) {
        scores[0].add(share, e.value, d.share_interval(&e, &a.inside, d.freedom()));
    }
    if let Some(e) = d.ratio(&a.people.0, &a.people.1) {
        scores[1].add(rate, e.value, d.share_interval(&e, &a.people.1, d.freedom()));
    }
    if let Some(p) = a.powered(d, None) {
        scores[2].add(rate, p.estimate.value, a.powered_interval(d, &p));
    }
    if let Some(e) = a.corrected(d) {
        scores[3].add(rate, e.value, d.interval(&e, d.freedom()));
    }
    if let Some(e) = a.of_all().corrected(d) {
        scores[4].add(share, e.value, a.corrected_interval(d));
    }
    if let Some(t) = a.trial(d) {
        let freedom = d.effective_freedom(&t.sensitivity);
        scores[5].add(sensitivity, t.sensitivity.value, d.share_interval(&t.sensitivity, &a.people.0, freedom));
        let not: Vec<f64> = a.people.0.iter().zip(&a.inside).map(|(y, inside)| inside - y).collect();
        scores[6].add(specificity, t.specificity.value, d.share_interval(&t.specificity, &not, d.freedom()));
    }
    if let Some(e) = a.precision(d) {
        scores[7].add(precision, e.value, d.share_interval(&e, &a.program.0, d.freedom()));
    }
}

#[test]
#[ignore = "minutes"]
fn intervals_from_designed_samples_cover() {
    let cases = population();
    println!("{:22} {:7} {:16} {:>8} {:>8} {:>7}", "design", "segment", "interval", "coverage", "rmse", "width");
    for (name, plan, n) in [
        ("random, 400", Plan::Random, 400),
        ("proportional, 400", Plan::Stratified(Allocation::Proportional), 400),
        ("equal, 400", Plan::Stratified(Allocation::Equal), 400),
        ("Neyman, 400", Plan::Stratified(Allocation::Neyman), 400),
        ("risk, 400", Plan::Risk, 400),
    ] {
        let scopes = [None, Some(0), Some(1), Some(2)];
        let mut scores = [[Score::default(); 8]; 4];
        let truths = scopes.map(|s| {
            let sum = |f: &dyn Fn(&Case) -> f64| -> f64 {
                cases.iter().filter(|c| s.is_none_or(|s| c.segment == s)).map(f).sum()
            };
            let so = sum(&|c| c.people.0);
            let both = sum(&|c| c.people.0 * c.program.0);
            let n = sum(&|_| 1.0);
            let neither = sum(&|c| (1.0 - c.people.0) * (1.0 - c.program.0));
            [so / n, so / sum(&|c| c.people.1), both / so, neither / (n - so), both / sum(&|c| c.program.0)]
        });
        for seed in 0..DESIGNS {
            let drawn = draw(&cases, plan, n, seed);
            for (k, s) in scopes.iter().enumerate() {
                let (a, d) = answers(&cases, &drawn, |c| s.is_none_or(|s| c.segment == s));
                score(&mut scores[k], &truths[k], &a, &d);
            }
        }
        for (k, s) in scopes.iter().enumerate() {
            let segment = s.map_or("all".to_owned(), |s| ["large", "middle", "small"][s].to_owned());
            for (kind, s) in KINDS.iter().zip(&scores[k]) {
                let coverage = s.covered / s.made;
                let rmse = (s.squares / s.made).sqrt();
                println!("{name:22} {segment:7} {kind:16} {coverage:8.3} {rmse:8.4} {:7.3}", s.width / s.made);
            }
            let gain = scores[k][1].squares / scores[k][2].squares;
            println!("{name:22} {segment:7} PPI++ does with {:.0} % of the labels", 100.0 / gain);
            let coverage = |kind: usize| scores[k][kind].covered / scores[k][kind].made;
            for kind in [0, 1, 2] {
                assert!((0.93..=0.985).contains(&coverage(kind)), "{name}, {segment}: {}", KINDS[kind]);
            }
            assert!(k > 0 || (0..8).all(|kind| (0.93..=0.985).contains(&coverage(kind))), "{name}");
        }
    }
}
