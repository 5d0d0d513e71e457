//! The stages of an audit, one by one, on the shipped example: `cargo bench`.

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot go on fails")]

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use evenhand::findings::{Canned, Limits, View, judge};
use evenhand::ingest::{self, Columns, Format, Item, Reading};
use evenhand::signals::{Classifier, Input, Model, Signals};
use evenhand::turns::{Transcript, redact};

fn transcripts() -> Vec<Transcript> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/larkspur.jsonl");
    let reading = Reading { format: Format::Jsonl, columns: &Columns::default() };
    let opened = ingest::read(&ingest::plan(vec![path], Format::Jsonl)[0], reading).unwrap();
    let records = opened.items.filter_map(|item| match item {
        Item::Record(record) => Some(record),
        Item::Reject(_) => None,
    });
    records.map(|record| Transcript::from_record(record).unwrap()).collect()
}

fn inputs(transcript: &Transcript) -> Vec<Input<'_>> {
    let turn = |i: usize| (transcript.turns[i].role, transcript.turns[i].text.as_str());
    let input = |i: usize| Input { role: turn(i).0, text: turn(i).1, before: transcript.before(i).map(turn) };
    (0..transcript.turns.len()).map(input).collect()
}

fn stages(c: &mut Criterion) {
    let all = transcripts();
    let some = &all[..40];
    let turns: Vec<Input<'_>> = some.iter().flat_map(inputs).collect();
    let classifier = Classifier::new(&Model::built_in().unwrap()).unwrap();
    let judged = |t: &Transcript| {
        let mut signals = classifier.classify(&inputs(t)).unwrap();
        classifier.settle(t.turns.iter().map(|turn| (turn.role, turn.text.as_str())), &mut signals);
        signals
    };
    let signals: Vec<Vec<Signals>> = some.iter().map(judged).collect();
    let mut canned = Canned::default();
    all.iter().for_each(|t| canned.add(t));
    let limits = Limits::default();

    let mut group = c.benchmark_group("turns");
    group.throughput(Throughput::Elements(all.iter().map(|t| t.turns.len() as u64).sum()));
    group.bench_function("read", |b| b.iter(|| black_box(transcripts())));
    group.bench_function("near-duplicates", |b| {
        b.iter(|| {
            let mut canned = Canned::default();
            all.iter().for_each(|t| canned.add(t));
            black_box(canned)
        });
    });
    group.bench_function("redact", |b| {
        b.iter(|| all.iter().flat_map(|t| &t.turns).for_each(|turn| drop(black_box(redact(&turn.text)))));
    });
    group.throughput(Throughput::Elements(turns.len() as u64));
    group.bench_function("tokenise", |b| {
        b.iter(|| turns.iter().for_each(|t| drop(black_box(classifier.tokens(t).unwrap()))));
    });
    group.bench_function("encode", |b| {
        b.iter(|| {
            turns.iter().for_each(|t| {
                black_box(classifier.logits(t, false).unwrap());
            })
        });
    });
    group.bench_function("rules", |b| {
        b.iter(|| {
            for (t, s) in some.iter().zip(&signals) {
                let others = canned.others(t);
                black_box(judge(&View::new(t, s, &others, &limits)));
            }
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = stages
}
criterion_main!(benches);
