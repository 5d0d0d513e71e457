//! How well problems are put together: groups against the kinds that somebody named.
//!
//! `PROBLEMS=FILE cargo test --release --test simulation groups -- --ignored --nocapture`, FILE with one `{"text":…, "kind":…}` a line.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use evenhand::signals::{Model, WordVectors};
use evenhand::tally::{Cluster, Texts};
use serde_json::Value;

/// The share in a group, the share of these that are of their group's commonest kind, and B-cubed recall (Bagga and Baldwin 1998): for a
/// text, the share of its kind that is in its group.
fn scores(groups: &[Cluster], kinds: &[String]) -> [f64; 3] {
    let count = |of: &mut dyn Iterator<Item = usize>| {
        let mut out: BTreeMap<&str, f64> = BTreeMap::new();
        of.for_each(|i| *out.entry(&kinds[i]).or_default() += 1.0);
        out
    };
    let all = count(&mut (0..kinds.len()));
    let (mut inside, mut pure, mut recall) = (0.0, 0.0, 0.0);
    for group in groups {
        let own = count(&mut group.members.iter().copied());
        inside += group.members.len() as f64;
        pure += own.values().copied().fold(0.0, f64::max);
        recall += own.iter().map(|(kind, n)| n * n / all[kind]).sum::<f64>();
    }
    let n = kinds.len() as f64;
    [inside / n, pure / inside.max(1.0), recall / n]
}

#[test]
#[ignore = "wants a file of problems with their kinds"]
fn groups_against_named_kinds() {
    let path = std::env::var("PROBLEMS").unwrap();
    let rows: Vec<Value> =
        fs::read_to_string(path).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let kinds: Vec<String> = rows.iter().map(|r| r["kind"].as_str().unwrap_or("?").to_owned()).collect();
    let mut texts = Texts::default();
    rows.iter().for_each(|r| texts.add(r["text"].as_str().unwrap()));
    let vectors = WordVectors::new(&Model::built_in().unwrap()).unwrap();
    let mut recalls = Vec::new();
    for both in [false, true] {
        let start = Instant::now();
        let groups = texts.clusters(|word| if both { vectors.of(word) } else { None });
        let [inside, pure, recall] = scores(&groups, &kinds);
        println!(
            "{}: {} groups of {} texts, {inside:.3} in a group, purity {pure:.3}, recall {recall:.4}, {:.1} s",
            if both { "words and vectors" } else { "words alone" },
            groups.len(),
            rows.len(),
            start.elapsed().as_secs_f64()
        );
        for g in groups.iter().take(if both && std::env::var_os("SHOW").is_some() { 12 } else { 0 }) {
            println!("  {} {:?}", g.members.len(), g.words);
            for i in [0, 1, g.members.len() / 2, g.members.len() - 1] {
                println!("     {}", rows[g.members[i]]["text"].as_str().unwrap().chars().take(110).collect::<String>());
            }
        }
        recalls.push(recall);
    }
    assert!(recalls[1] >= recalls[0], "the vectors bring together what belongs together: {recalls:?}");
}
