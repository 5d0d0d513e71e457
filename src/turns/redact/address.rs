//! Postal addresses: a street with its number in the forms of several countries, with town and code where they follow; boxes; British codes.

use std::sync::LazyLock;

use regex::Regex;

use super::{Found, Kind, near, words};
use crate::turns::pattern;

/// What a street is called at its end, in full and in short.
const STREET: &str = r"(?:Street|St|Road|Rd|Avenue|Ave|Av|Lane|Ln|Drive|Dr|Close|Court|Ct|Boulevard|Blvd|Way|Place|Pl|Terrace|Ter|Crescent|Cres|Square|Sq|Highway|Hwy|Parkway|Pkwy|Gardens|Gdns|Grove|Hill|Mews|Row|Walk|Circle|Cir|Trail|Trl|Quay|Wharf|Rise|View|Broadway)";
/// What may follow: a flat, a town, a code.
const AFTER: &str = r"(?:,? (?:(?i:apt|apartment|unit|flat|suite|ste|floor)\.? ?|# ?)[0-9A-Z]{1,5})?(?:,? [A-Z][\p{L}'’.\-]+(?: [A-Z][\p{L}'’.\-]+)?,? (?:[A-Z]{2},? [0-9]{5}(?:-[0-9]{4})?|POSTCODE))?(?:, POSTCODE|,? [A-Z]{2} [0-9]{5}(?:-[0-9]{4})?)?";
const POSTCODE: &str = r"(?:(?:A[BL]|B[ABDHLNRST]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[CHNX]?|F[KY]|G[LUY]?|H[ADGPRSUX]|I[GMPV]|JE|K[ATWY]|L[ADELNSU]?|M[EKL]?|N[EGNPRW]?|O[LX]|P[AEHLOR]|R[GHM]|S[AEGKLMNOPRSTWY]?|T[ADFNQRSW]|UB|W[ACDFNRSV]?|YO|ZE)[0-9][0-9A-Z]? ?[0-9][ABD-HJLNP-UW-Z]{2})";
const TOWN: &str = r"(?:,? (?:[A-Z]{1,2}-)?[0-9]{4,5}(?: [A-Z]{2})? \p{Lu}[\p{L}\-]+)?";

static ADDRESSES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let after = AFTER.replace("POSTCODE", POSTCODE);
    let after = &after;
    let flat = r"(?:(?i:flat|apt|apartment|unit|suite) ?[0-9A-Z]{1,5},? )?";
    [
        format!(r"\b{flat}[1-9][0-9]{{0,4}}[A-Za-z]?,? (?:[NSEW]\.? )?(?:(?:St\. )?[A-Z0-9][\p{{L}}0-9'’.\-]* ){{1,4}}{STREET}\b\.?{after}"),
        r"(?i)\b(?P<lower>[0-9]{1,5}[a-z]? (?P<words>\p{L}+(?: \p{L}+)?) (?:street|road|avenue|lane|boulevard|crescent|drive|close|terrace))\b".to_owned(),
        r"(?i)\bP\.? ?O\.? ?Box [0-9]{1,6}\b".to_owned(),
        // Called an address: "we live at 221 Baker".
        r"(?i:\b(?:address(?: is|'s|’s|:)?|liv(?:e|es|ing) at|delivered to) (?:number )?)(?P<place>[1-9][0-9]{0,4}[A-Za-z]?,? (?:[Tt]he )?\p{Lu}[\p{L}'’\-]+(?: \p{Lu}[\p{L}'’\-]+)?)".to_owned(),
        format!(r"\b{POSTCODE}\b"),
        format!(r"\b\p{{Lu}}[\p{{L}}\-]*(?:straße|strasse|str\.|weg|platz|allee|gasse|damm|ufer|straat|laan|plein|gracht|kade|dijk) [0-9]{{1,4}} ?[a-z]?\b{TOWN}"),
        format!(r"\b(?:\p{{Lu}}[\p{{L}}\-]+ )(?:Straße|Strasse|Str\.|Weg|Platz|Allee|Ring) [0-9]{{1,4}} ?[a-z]?\b{TOWN}"),
        format!(r"(?i:\b[0-9]{{1,4}}(?: ?bis| ?ter)?,? (?:rue|avenue|boulevard|place|chemin|allée|impasse|quai|route|cours|rua)) (?:(?:de|du|des|la|le|les|d'|l') ?)*(?:\p{{Lu}}[\p{{L}}'’\-]*(?: (?:de |du |des )?)?)+{TOWN}"),
        format!(r"\b(?:Calle|C/|Avenida|Avda\.?|Plaza|Paseo|Via|Viale|Piazza|Corso|Rua) (?:(?:de|del|della|dei|di|la|las|los|el|do|da) )*\p{{Lu}}[\p{{L}}'’\-]*(?: (?:de |la )?\p{{Lu}}[\p{{L}}'’\-]*){{0,3}},? (?:n[º°o.]+ ?)?[0-9]{{1,4}}\b{TOWN}"),
    ]
    .iter()
    .map(|p| pattern(p))
    .collect()
});

pub(super) fn find(text: &str, found: &mut Vec<Found>) {
    for address in ADDRESSES.iter() {
        for c in address.captures_iter(text) {
            let plain = c
                .name("words")
                .is_some_and(|w| w.as_str().split(' ').any(|w| words::is_common(w) || words::is_count(w)));
            // "16:00, …" is a time.
            let time = |m: &regex::Match<'_>| {
                text[..m.start()].strip_suffix(':').is_some_and(|t| t.ends_with(|c: char| c.is_ascii_digit()))
            };
            if let Some(m) = c.name("place").or(c.get(0)).filter(|m| !plain && !time(m)) {
                let end = m.start() + m.as_str().trim_end_matches([' ', ',', '.']).len();
                found.push((m.start()..end + town(&text[end..]), Kind::Address));
            }
        }
    }
}

/// The length of a town behind an address, with the comma before it.
fn town(after: &str) -> usize {
    static TOWN: LazyLock<Regex> = LazyLock::new(|| pattern(r"^, (\p{Lu}[\p{L}'’\-]+)(?:[,.;!?\n]| \p{Ll}|$)"));
    TOWN.captures(near(after, 100))
        .and_then(|c| c.get(1))
        .filter(|m| !words::is_common(m.as_str()))
        .map_or(0, |m| m.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        find(text, &mut found);
        found.into_iter().map(|(r, _)| &text[r]).collect()
    }

    #[test]
    fn a_street_with_its_number_is_an_address() {
        for yes in [
            "12 Oak Street",
            "847 Harbour View Terrace, Leeds",
            "Flat 3, 12 St. Mary's Avenue, Leeds LS1 4DY",
            "1210 W 42nd St Apt 4B, Austin, TX 78701",
            "12 oak street",
            "PO Box 112",
            "Hauptstraße 5, 50667 Köln",
            "12 rue de la République",
            "Calle de Alcalá 5",
            "Prinsengracht 263, 1016 GV Amsterdam",
        ] {
            assert_eq!(found(&format!("it is {yes}."))[0], yes);
        }
    }

    #[test]
    fn a_number_and_a_name_that_are_called_an_address_are_one() {
        assert_eq!(found("We live at 221 Baker, it's red"), ["221 Baker"]);
        assert_eq!(found("my address is 7 The Lawns"), ["7 The Lawns"]);
        assert_eq!(found("the price moved to 30 Euros, delivered to 3 shops"), [""; 0]);
    }

    #[test]
    fn counts_and_streets_without_a_number_stay() {
        for no in [
            "3 cars on the road outside",
            "5 days way too long",
            "a 4 lane highway",
            "the shop on Oak Street",
            "20 mile drive to",
            "2 different lanes",
        ] {
            assert_eq!(found(no), [""; 0], "{no}");
        }
    }
}
