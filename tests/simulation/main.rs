//! Promises by simulation. Here the segment audit: false alarms, coverage, power; in `labels` rates from designed samples. Run with `cargo test --release --test simulation -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "the table is what it is run for")]

mod groups;
mod labels;

use evenhand::stats::SplitMix;
use evenhand::stats::comparison::{Effort, compare_shares};
use evenhand::stats::pair::{Group, Pair, PairCell};
use evenhand::stats::verdict::Verdict;

const EFFORT: Effort = Effort { permutations: 1, replicates: 1, seed: 1 };
const CORPORA: u64 = 2000;

#[derive(Clone, Copy)]
struct World {
    agents: usize,
    /// Log odds added for the segment.
    effect: f64,
    /// How strongly the segment goes with the harsh issue: 0, or towards 1.
    issue_mix: f64,
    /// Agent 0 is harsh and serves mostly the segment.
    one_harsh: bool,
    adjust: bool,
    /// Each agent serves one segment only.
    nested: bool,
}

fn uniform(r: &mut SplitMix) -> f64 {
    (r.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

fn normal(r: &mut SplitMix) -> f64 {
    (-2.0 * (1.0 - uniform(r)).ln()).sqrt() * (std::f64::consts::TAU * uniform(r)).cos()
}

fn corpus(world: &World, seed: u64) -> Pair {
    let mut r = SplitMix::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 77);
    let mut cells: std::collections::BTreeMap<(usize, usize), [u64; 4]> = std::collections::BTreeMap::new();
    for agent in 0..world.agents {
        let harsh = world.one_harsh && agent == 0;
        let size = if harsh { 120 } else { (25.0 * (0.7 * normal(&mut r)).exp()).ceil() as usize };
        let temper = if harsh { 2.2 } else { 0.5 * normal(&mut r) };
        let share = match (harsh, world.nested) {
            (true, _) => 0.85,
            (_, true) => f64::from(u8::from(agent % 2 == 0)),
            _ => 0.2 + 0.5 * uniform(&mut r),
        };
        for _ in 0..size {
            let segment = uniform(&mut r) < share;
            let tilt = if segment { world.issue_mix } else { 0.0 };
            let issue = if uniform(&mut r) < 0.2 + 0.6 * tilt { 2 } else { usize::from(uniform(&mut r) < 0.5) };
            let logit = [-1.6, -1.1, 0.3][issue] + temper + if segment { world.effect } else { 0.0 };
            let event = uniform(&mut r) < 1.0 / (1.0 + (-logit).exp());
            let stratum = if world.adjust { issue } else { 0 };
            let c = cells.entry((stratum, agent)).or_default();
            c[usize::from(!segment) * 2] += 1;
            c[usize::from(!segment) * 2 + 1] += u64::from(event);
        }
    }
    let group = |n, events| Group { n, events, values: Vec::new() };
    Pair {
        cells: cells
            .into_iter()
            .map(|((stratum, cluster), c)| PairCell {
                stratum,
                cluster,
                segment: group(c[0], c[1]),
                reference: group(c[2], c[3]),
            })
            .collect(),
        strata: if world.adjust { (0..3).map(|i| vec![i]).collect() } else { vec![vec![]] },
        clusters: world.agents,
    }
}

/// Shares of corpora: called a disparity, insufficient, p below 0.05, true odds ratio inside the interval.
fn run(world: &World) -> [f64; 4] {
    // What the regression estimates is the odds ratio over all agents, a little nearer to 1 than the one at each.
    let truth = if world.effect == 0.0 {
        0.0
    } else {
        compare_shares(&corpus(&World { agents: 20_000, ..*world }, 9), EFFORT)
            .logistic
            .map_or(0.0, |l| l.estimate.ln())
    };
    let mut counts = [0.0; 4];
    let mut fitted = 0.0;
    for seed in 0..CORPORA {
        let found = compare_shares(&corpus(world, seed), EFFORT);
        let verdict = found.verdict(found.p());
        counts[0] += f64::from(u8::from(verdict == Verdict::Disparity));
        counts[1] += f64::from(u8::from(verdict == Verdict::Insufficient));
        if let Some(l) = found.logistic {
            fitted += 1.0;
            counts[2] += f64::from(u8::from(l.p < 0.05));
            counts[3] += f64::from(u8::from(l.ci.0.ln() <= truth && truth <= l.ci.1.ln()));
        }
    }
    let n = CORPORA as f64;
    [counts[0] / n, counts[1] / n, counts[2] / fitted, counts[3] / fitted]
}

#[test]
#[ignore = "minutes"]
fn false_alarms_coverage_and_power() {
    let base = World { agents: 20, effect: 0.0, issue_mix: 0.0, one_harsh: false, adjust: true, nested: false };
    println!("{:44} {:>9} {:>12} {:>7} {:>9}", "corpora", "disparity", "insufficient", "p<.05", "coverage");
    for agents in [20, 50, 200] {
        for (name, world, none) in [
            ("no effect", World { agents, ..base }, true),
            ("no effect, agents serve one segment each", World { agents, nested: true, ..base }, true),
            ("gap by issue mix only, adjusted", World { agents, issue_mix: 1.0, ..base }, true),
            ("one harsh agent serves mostly the segment", World { agents, one_harsh: true, ..base }, true),
            ("odds ratio 1.5", World { agents, effect: 1.5_f64.ln(), ..base }, false),
            ("odds ratio 2.5", World { agents, effect: 2.5_f64.ln(), ..base }, false),
        ] {
            let [disparity, insufficient, p, coverage] = run(&world);
            println!("{agents:4} agents: {name:32} {disparity:9.3} {insufficient:12.3} {p:7.3} {coverage:9.3}");
            assert!(!none || disparity <= 0.06, "{name}");
            // Where one agent carries the segment the interval is wide on purpose.
            assert!(world.one_harsh || (0.93..=0.97).contains(&coverage), "{name}: {coverage}");
        }
    }
}
