//! Names of speakers. In: a name as it stands in a file ("Agent 2 (Maria)"). Out: the role that its words say, if they say one.

use super::{Columns, RawTurn};

const AGENT: &[&str] = &[
    "agent",
    "advisor",
    "adviser",
    "representative",
    "rep",
    "support",
    "operator",
    "associate",
    "staff",
    "csr",
    "consultant",
    "specialist",
    "employee",
    "helpdesk",
];
const CUSTOMER: &[&str] = &[
    "customer",
    "caller",
    "client",
    "user",
    "visitor",
    "guest",
    "consumer",
    "member",
    "passenger",
    "patient",
    "end_user",
];
const BOT: &[&str] = &["bot", "chatbot", "ivr", "automated", "automation", "robot"];
const SYSTEM: &[&str] = &["system", "note"];

/// The role that a name's words say: the user's own naming first, then common words of one role only.
pub(super) fn role(name: &str, columns: &Columns) -> Option<&'static str> {
    if let Some(role) = columns.role(name) {
        return Some(role);
    }
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    let lists = [("bot", BOT), ("agent", AGENT), ("customer", CUSTOMER), ("system", SYSTEM)];
    let named = |list: &[&str]| {
        words
            .iter()
            .any(|w| list.contains(w) || list.contains(&w.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_')))
    };
    // "Customer service" and "user support" speak for the company, and so does an "agent bot".
    if words.windows(2).any(|w| {
        matches!(
            w,
            ["customer", "service" | "services" | "care" | "support" | "success"] | ["virtual", "assistant" | "agent"]
        )
    }) {
        return Some(if words.contains(&"virtual") { "bot" } else { "agent" });
    }
    let mut held = lists.iter().filter(|(_, list)| named(list)).map(|(role, _)| *role);
    match (held.next(), held.next(), held.next()) {
        (Some(role), None, _) => Some(role),
        (Some("bot"), Some("agent"), None) => Some("bot"),
        _ => None,
    }
}

/// Puts roles in place of the speakers' names where their words say one.
pub(super) fn name_roles(turns: &mut [RawTurn], columns: &Columns) {
    for turn in turns {
        if let Some(role) = role(&turn.role, columns) {
            turn.role = role.to_owned();
        }
    }
}

/// A line `Name: text`: the name and the text. A name is short and has no sentence in it.
pub(super) fn labelled(line: &str) -> Option<(&str, &str)> {
    let (name, text) = line.split_once(':')?;
    let name = name.trim().trim_matches(['*', '[', ']']).trim();
    let text = text.trim_start_matches('*');
    let plain = !name.is_empty()
        && name.chars().count() <= 40
        && name.split_whitespace().count() <= 4
        && name.chars().next().is_some_and(char::is_alphanumeric)
        && !name.contains(['?', '!', ',', ';', '"', '/'])
        && !name.chars().all(|c| c.is_ascii_digit() || c.is_whitespace());
    // "09:30" and "https://…" name nobody.
    let follows = text.is_empty()
        || text.starts_with(char::is_whitespace)
        || text.starts_with(|c: char| c.is_alphabetic() && c != '/');
    (plain && follows).then(|| (name, text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_one_role_name_it() {
        let none = Columns::default();
        for (name, want) in [
            ("Agent", Some("agent")),
            ("AGENT_2 (Maria)", Some("agent")),
            ("agent1", Some("agent")),
            ("Customer Service", Some("agent")),
            ("END_USER", Some("customer")),
            ("Caller", Some("customer")),
            ("Virtual Assistant", Some("bot")),
            ("Agent bot", Some("bot")),
            ("Maria", None),
            ("SPEAKER_00", None),
            ("customer of agent", None),
            ("", None),
        ] {
            assert_eq!(role(name, &none), want, "{name}");
        }
        let mut mapped = Columns::default();
        mapped.add("customer=Maria").unwrap();
        assert_eq!(role("maria", &mapped), Some("customer"));
    }

    #[test]
    fn a_line_names_its_speaker_or_not() {
        assert_eq!(labelled("Agent: Hello: you"), Some(("Agent", "Hello: you")));
        assert_eq!(labelled("**Maria L.:** hi").map(|l| l.0), Some("Maria L."));
        for line in ["at 09:30 we open", "https://x.example", "Well, I said: no", "12:30", "no colon", ": x"] {
            assert_eq!(labelled(line), None, "{line}");
        }
    }
}
