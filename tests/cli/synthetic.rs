//! A run folder as `audit` writes it, and the input it came from, made without a model: who did what is known.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const RULES: [&str; 16] = [
    "missing-apology",
    "policy-over-people",
    "informal-denial",
    "no-empathy",
    "blame",
    "cold-open",
    "impersonal",
    "repeated-story",
    "excess-transfer",
    "over-automation",
    "slow-response",
    "scripted-reply",
    "no-next-step",
    "open-loop",
    "unrecovered",
    "abusive-customer",
];

/// What a conversation is like.
pub(crate) struct Plan {
    pub(crate) agent: String,
    pub(crate) issue: &'static str,
    pub(crate) channel: &'static str,
    /// The day it began, from 2026-03-02.
    pub(crate) day: usize,
    pub(crate) problem: String,
    pub(crate) reply: String,
    pub(crate) last: String,
    /// Rules violated; missing-apology, no-empathy and no-next-step apply to all.
    pub(crate) violated: Vec<&'static str>,
    pub(crate) apology: bool,
    pub(crate) paid: bool,
    pub(crate) csat: Option<u8>,
    /// A second person in the conversation.
    pub(crate) second: Option<String>,
    /// Whether automation speaks in the agent's place.
    pub(crate) bot: bool,
}

impl Plan {
    pub(crate) fn new(agent: &str, i: usize) -> Self {
        Self {
            agent: agent.to_owned(),
            issue: ["billing", "delivery", "outage"][i % 3],
            channel: ["chat", "email"][i / 3 % 2],
            day: i % 84,
            problem: format!("You charged me twice for order {i}. I want it back."),
            reply: "I've refunded the second charge, and it is with your bank by Friday.".to_owned(),
            last: "Thank you, that is all I wanted.".to_owned(),
            violated: Vec::new(),
            apology: i.is_multiple_of(2),
            paid: i.is_multiple_of(5),
            csat: i.is_multiple_of(3).then_some(if i.is_multiple_of(6) { 5 } else { 1 }),
            second: None,
            bot: false,
        }
    }
}

/// The input and the run made of it.
pub(crate) struct Made {
    pub(crate) input: PathBuf,
    pub(crate) run: PathBuf,
}

/// Writes both.
pub(crate) fn make(dir: &Path, plans: impl Iterator<Item = Plan>) -> Made {
    let (input, run) = (dir.join("input.jsonl"), dir.join("run"));
    fs::create_dir_all(&run).unwrap();
    let open = |path: &Path| BufWriter::new(File::create(path).unwrap());
    let mut words = open(&input);
    let [mut transcripts, mut turns, mut findings] =
        ["transcripts.jsonl", "turns.jsonl", "findings.jsonl"].map(|n| open(&run.join(n)));
    let mut count = 0;
    for (i, plan) in plans.enumerate() {
        let id = format!("c{i:06}");
        writeln!(words, "{}", spoken(&id, &plan)).unwrap();
        writeln!(transcripts, "{}", transcript(&id, &plan)).unwrap();
        for turn in turn_rows(&id, &plan) {
            writeln!(turns, "{turn}").unwrap();
        }
        for rule in RULES.iter().filter(|r| plan.violated.contains(*r)) {
            writeln!(findings, "{}", finding(&id, rule, &plan)).unwrap();
        }
        count += 1;
    }
    for mut file in [words, transcripts, turns, findings] {
        file.flush().unwrap();
    }
    fs::write(run.join("rejects.jsonl"), "").unwrap();
    let hash = hex::encode(Sha256::digest(fs::read(&input).unwrap()));
    let manifest = json!({
        "program": {"name": "evenhand", "version": "0.1.0"},
        "model": {"name": "none", "version": "0", "backend": "none", "sha256": {}},
        "config": {"limits": {"reply_seconds": {"chat": 120, "email": 86400}, "reply_seconds_otherwise": 86400, "canned_in_others": 3}},
        "config_sha256": "", "inputs": [{"source": input, "sha256": hash}],
        "counts": {"read": count, "audited": count, "rejected": 0, "turns": 3 * count}, "seed": 0, "redacted": true, "seconds": 1.0,
    });
    fs::write(run.join("run.json"), manifest.to_string()).unwrap();
    Made { input, run }
}

fn date(day: usize) -> String {
    let month_days = [(3, 31), (4, 30), (5, 31), (6, 30)];
    let mut left = day + 1;
    for (month, days) in month_days {
        if left < days {
            return format!("2026-{month:02}-{:02}", left + 1);
        }
        left -= days;
    }
    panic!("too late a day");
}

fn spoken(id: &str, p: &Plan) -> Value {
    json!({"id": id, "channel": p.channel, "issue": p.issue, "started_at": format!("{}T09:00:00Z", date(p.day)), "scores": {"csat": p.csat}, "turns": [
        {"role": "customer", "text": p.problem}, {"role": if p.bot { "bot" } else { "agent" }, "text": p.reply, "agent_id": p.agent},
        {"role": "customer", "text": p.last},
        {"role": "agent", "text": "Goodbye.", "agent_id": p.second.as_ref().unwrap_or(&p.agent)},
    ]})
}

fn transcript(id: &str, p: &Plan) -> Value {
    let verdict = |rule: &&str| {
        if p.violated.contains(rule) {
            "violated"
        } else if ["missing-apology", "no-empathy", "no-next-step"].contains(rule) {
            "ok"
        } else {
            "n/a"
        }
    };
    let rules: serde_json::Map<String, Value> = RULES.iter().map(|r| ((*r).to_owned(), verdict(r).into())).collect();
    json!({"id": id, "channel": p.channel, "issue": p.issue, "started_at": format!("{}T09:00:00Z", date(p.day)), "team": if *p.agent < *"a5" { "north" } else { "south" },
        "scores": {"csat": p.csat}, "rules": rules, "sentiment": {"start": -0.5, "end": 0.25, "low": -0.5},
        "measures": {"first_response_seconds": 30 + 10 * (p.day % 20), "company_turns": 2, "compensated": p.paid}})
}

fn turn_rows(id: &str, p: &Plan) -> [Value; 4] {
    let row = |turn: usize, role: &str, agent: Option<&String>, sentiment: &str, labels: Vec<&str>| {
        let scores: serde_json::Map<String, Value> = labels.iter().map(|l| ((*l).to_owned(), json!(0.9))).collect();
        json!({"transcript_id": id, "turn": turn, "role": role, "agent_id": agent, "sentiment": sentiment, "labels": labels, "scores": scores})
    };
    let mut reply = vec!["commitment", "timeframe"];
    if p.apology {
        reply.push("apology");
    }
    if p.paid {
        reply.push("compensation");
    }
    [
        row(0, "customer", None, "neg", vec!["problem"]),
        row(1, if p.bot { "bot" } else { "agent" }, Some(&p.agent), "neu", reply),
        row(2, "customer", None, if p.day.is_multiple_of(3) { "neg" } else { "pos" }, vec!["gratitude"]),
        row(3, "agent", Some(p.second.as_ref().unwrap_or(&p.agent)), "neu", vec!["closing"]),
    ]
}

fn finding(id: &str, rule: &str, p: &Plan) -> Value {
    let quote = p.problem.trim();
    json!({"transcript_id": id, "rule": rule, "turns": [0, 1], "quote": quote, "span": [0, quote.chars().count()], "severity": "medium",
        "confidence": 0.8, "agent_id": p.agent, "why": "It was seen.", "suggestion": "Say so."})
}
