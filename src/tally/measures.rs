//! What can be measured of one transcript beside the rules. In: turns and their signals. Out: numbers for comparison.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::signals::{Label, Signals};
use crate::turns::{Role, Transcript, pattern};

/// The measures of one transcript; none where there is nothing to measure.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Seconds from the customer's first turn to the company's first turn after it.
    pub first_response_seconds: Option<f64>,
    /// Turns of the company.
    pub company_turns: u64,
    /// Whether the customer reported a problem and the company gave or offered money, credit or a replacement.
    pub compensated: Option<bool>,
    /// The largest amount named in such a turn, 0 where nothing was given; only where a problem was reported, and none where
    /// something was given without an amount.
    pub compensation: Option<f64>,
    /// The share of the company's turns in a casual register.
    pub informal_share: Option<f64>,
    /// The month of the first turn, as `2026-03`; none where times count from the start of a recording, which stands for January 1970.
    pub month: Option<String>,
}

/// Measures a transcript. `signals` has one entry a turn.
pub fn measure(transcript: &Transcript, signals: &[Signals]) -> Measures {
    let spoken = |i: &usize| !transcript.turns[*i].text.trim().is_empty();
    let company: Vec<usize> =
        (0..transcript.turns.len()).filter(|&i| transcript.turns[i].role.is_company()).filter(spoken).collect();
    let customer: Vec<usize> =
        (0..transcript.turns.len()).filter(|&i| transcript.turns[i].role == Role::Customer).filter(spoken).collect();
    let asked = customer.first().copied();
    let answered = asked.and_then(|a| company.iter().copied().find(|&i| i > a));
    let gap = asked.zip(answered).and_then(|(a, b)| {
        let seconds = transcript.turns[b].at?.duration_since(transcript.turns[a].at?).as_secs_f64();
        (seconds >= 0.0).then_some(seconds)
    });
    let problem = customer.iter().any(|&i| signals[i].has(Label::Problem));
    let given: Vec<usize> = company.iter().copied().filter(|&i| signals[i].has(Label::Compensation)).collect();
    let named = given.iter().filter_map(|&i| amount(&transcript.turns[i].text)).reduce(f64::max);
    let informal = company.iter().filter(|&&i| signals[i].has(Label::Informal)).count();
    Measures {
        first_response_seconds: gap,
        company_turns: company.len() as u64,
        compensated: problem.then_some(!given.is_empty()),
        compensation: if given.is_empty() { problem.then_some(0.0) } else { named.filter(|_| problem) },
        informal_share: (!company.is_empty()).then(|| informal as f64 / company.len() as f64),
        month: transcript
            .turns
            .iter()
            .find_map(|t| t.at)
            .map(|at| at.to_string()[..7].to_owned())
            .filter(|m| m != "1970-01"),
    }
}

/// An amount of money: `$50`, `€ 1,299.50`, `20 euros`, `50 €`, `EUR 1.299,50`.
static AMOUNT: LazyLock<Regex> = LazyLock::new(|| {
    const NUMBER: &str = r"(\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?)";
    pattern(&format!(
        r"(?i)(?:[$€£¥₹]|\b(?:usd|eur|gbp))\s?{NUMBER}\b|\b{NUMBER}\s?(?:[$€£¥₹]|(?:dollars?|euros?|pounds?|usd|eur|gbp|bucks|credits)\b)"
    ))
});

/// The largest amount of money in a text. Currencies are not converted.
fn amount(text: &str) -> Option<f64> {
    AMOUNT
        .captures_iter(text)
        .filter_map(|c| number(c.get(1).or_else(|| c.get(2))?.as_str()))
        .filter(|a| *a < 1e9)
        .reduce(f64::max)
}

/// A number with points or commas: the last of them is the decimal sign where one or two digits follow it.
fn number(text: &str) -> Option<f64> {
    let decimals = text.rfind(['.', ',']).filter(|at| text.len() - at <= 3);
    let digits = |t: &str| t.chars().filter(char::is_ascii_digit).collect::<String>();
    let whole = digits(&text[..decimals.unwrap_or(text.len())]);
    let part = decimals.map_or_else(String::new, |at| digits(&text[at..]));
    format!("{whole}.{part}0").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_in_their_usual_forms() {
        for (text, want) in [
            ("I've added $50 to your account", Some(50.0)),
            ("a voucher of € 1,299.50", Some(1299.5)),
            ("20 euros off, or £25", Some(25.0)),
            ("EUR 1.299,50 back", Some(1299.5)),
            ("I can take 50 € off", Some(50.0)),
            ("$1,299", Some(1299.0)),
            ("$12.5", Some(12.5)),
            ("a full refund", None),
            ("flight 4050 at 10:30", None),
        ] {
            assert_eq!(amount(text), want, "{text}");
        }
    }
}
