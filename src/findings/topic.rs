//! What a problem is about, in a noun phrase for suggestions. In: the customer's words. Out: "the double charge", "the delay", …

use super::phrases::names_any;

/// The first entry with a word in the text wins: the more specific stand first.
const TOPICS: &[(&[&str], &str)] = &[
    (&["charged twice", "double charge", "charged me twice", "two charges", "billed twice"], "the double charge"),
    (&["overcharged", "overcharge", "wrong amount", "charged", "fee", "fees", "bill"], "the wrong charge"),
    (
        &[
            "still no refund",
            "refund hasnt",
            "refund has not",
            "waiting for my refund",
            "wheres my refund",
            "where is my refund",
        ],
        "the refund that has not come",
    ),
    (
        &[
            "cancelled my",
            "canceled my",
            "flight was cancelled",
            "flight cancelled",
            "flight canceled",
            "cancelled",
            "canceled",
            "been cancelled",
            "been canceled",
            "cancelled on",
        ],
        "the cancellation",
    ),
    (
        &["missed my connection", "missed connection", "miss my connection", "miss our connection"],
        "the missed connection",
    ),
    (&["luggage", "baggage", "suitcase", "bag", "bags"], "the trouble with the luggage"),
    (&["damaged", "broken", "smashed", "ripped", "torn", "cracked"], "the damage"),
    (&["lost", "missing", "never arrived", "not arrived", "hasnt arrived", "didnt arrive"], "the missing delivery"),
    (&["rude", "rudeness", "attitude", "disrespectful", "shouted", "unprofessional"], "the way you were treated"),
    (&["delay", "delayed", "delays", "late", "still waiting", "hours", "hold"], "the delay"),
    (&["wrong item", "wrong size", "wrong colour", "wrong color", "wrong order"], "the wrong item"),
    (
        &[
            "crash",
            "error",
            "doesnt work",
            "not working",
            "wont load",
            "wont work",
            "broke",
            "down again",
            "bug",
            "app",
            "website",
        ],
        "the fault",
    ),
    (&["internet", "broadband", "signal", "outage", "router", "wifi"], "the outage"),
    (&["log in", "login", "password", "locked out", "account"], "the trouble with the account"),
    (&["seat", "seats"], "the trouble with the seats"),
];

/// The problem named in the text, or "what happened".
pub(super) fn topic(text: &str) -> &'static str {
    TOPICS.iter().find(|(words, _)| names_any(text, words)).map_or("what happened", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::topic;

    #[test]
    fn the_more_specific_topic_wins() {
        assert_eq!(topic("You charged me TWICE"), "the double charge");
        assert_eq!(topic("my bag is lost and I'm late"), "the trouble with the luggage");
        assert_eq!(topic("hello"), "what happened");
    }
}
