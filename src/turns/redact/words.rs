//! Words that tell: units, common words, given names.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use crate::turns::text::{fold, is_courtesy, is_stop_word};

/// What is counted or measured, in the singular and plural as written behind a number.
#[rustfmt::skip]
const UNITS: &[&str] = &[
    "usd", "eur", "gbp", "chf", "sek", "nok", "dkk", "pln", "huf", "czk", "inr", "jpy", "aud", "cad", "zł", "kr", "ft", "yen", "euro", "euros",
    "dollar", "dollars", "pounds", "pound", "rupees", "quid", "bucks", "points", "point", "miles", "mile", "steps", "views", "people",
    "customers", "users", "units", "pieces", "items", "times", "km", "m", "cm", "mm", "kg", "g", "gb", "mb", "tb", "kb", "mbit", "mbps", "kwh",
    "kw", "w", "v", "hz", "mhz", "ghz", "ps", "hp", "mah", "ml", "l", "lb", "lbs", "oz", "sec", "seconds", "min", "minutes", "hours", "hour",
    "days", "day", "weeks", "months", "years", "year", "percent", "%", "°", "€", "$", "£", "¥", "₹",
];

/// A price or a measure: a currency sign or code before the number, a unit behind it.
pub(super) fn is_counted(text: &str, range: &Range<usize>) -> bool {
    let before = text[..range.start].trim_end();
    let money = before.ends_with(['$', '€', '£', '¥', '₹']);
    let code = before.rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    let currency =
        matches!(fold(code).as_str(), "usd" | "eur" | "gbp" | "chf" | "sek" | "nok" | "dkk" | "pln" | "inr" | "rs");
    let after = text[range.end..].trim_start_matches([' ', '\u{a0}', '\u{202f}']);
    let unit: String = after.chars().take_while(|c| c.is_alphabetic()).collect();
    let sign = after.chars().next().is_some_and(|c| matches!(c, '%' | '€' | '$' | '£' | '¥' | '₹' | '°'));
    money || currency || sign || UNITS.contains(&fold(&unit).as_str())
}

/// What is counted before a word that could end a street: "20 mile drive", "2 different lanes".
#[rustfmt::skip]
const COUNTED: &[&str] = &[
    "mile", "minute", "hour", "day", "week", "month", "year", "km", "min", "lane", "way", "different", "other", "more", "cars", "car", "long",
    "main", "same", "test", "hard", "usb", "disk", "nd", "st", "rd", "th", "people", "houses", "times", "yards", "feet", "meters", "metres",
];

pub(super) fn is_count(word: &str) -> bool {
    COUNTED.contains(&fold(word).as_str())
}

/// A word of everyday English, which is nobody's name or address.
pub(super) fn is_common(word: &str) -> bool {
    let word = fold(word);
    is_stop_word(&word) || is_courtesy(&word) || OTHER.contains(word.as_str()) || is_company_word(&word)
}

/// What companies and their parts are called by: "Larkspur Support" is no person.
#[rustfmt::skip]
const COMPANY: &[&str] = &[
    "support", "team", "customer", "customers", "care", "service", "services", "bank", "banking", "airlines", "airline", "airways", "air", "ltd",
    "inc", "gmbh", "limited", "company", "group", "desk", "helpdesk", "help", "department", "dept", "inn", "inns", "hotel", "hotels", "resort",
    "rewards", "water", "gas", "energy", "power", "direct", "cars", "appliances", "surgery", "pharmacy", "council", "insurance", "mutual",
    "savings", "union", "credit", "gym", "gyms", "heating", "rail", "trains", "primary", "school", "vets", "claims", "dispatch", "applications",
    "parking", "compliance", "reception", "relations", "retail", "store", "stores", "shop", "online", "mobile", "broadband", "telecom", "media",
    "finance", "sales", "billing", "complaints", "logistics", "express", "delivery", "virtual", "special", "area", "club", "clinic", "foods",
];

pub(super) fn is_company_word(word: &str) -> bool {
    COMPANY.contains(&fold(word).as_str())
}

/// Words before "at example dot com" that say where, not who.
pub(super) fn is_place_word(word: &str) -> bool {
    matches!(
        fold(word).as_str(),
        "online"
            | "page"
            | "site"
            | "website"
            | "shop"
            | "visit"
            | "available"
            | "found"
            | "find"
            | "meet"
            | "live"
            | "store"
    )
}

/// Words that stand where a name would, and are none.
#[rustfmt::skip]
static OTHER: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "everyone everybody folks friend friends guys guest member user passenger traveller traveler valued madam gentlemen ladies the still same nothing something \
     anyone wrong right left near over under down between since until unless though although another every each next last first second once \
     twice never always often only even much many most less least too very quite rather pretty super totally literally so truly deeply \
     happy angry furious upset annoyed sad fed tired sick done disappointed disgusted shocked speechless livid stuck lost confused worried \
     afraid glad pleased delighted grateful thankful unhappy unable able going trying waiting calling writing speaking looking hoping asking \
     getting having sending leaving coming paying using seeing ready aware available here there where now then later soon today tomorrow \
     yesterday tonight morning afternoon evening night weekend spelled spelt misspelled misspelt mispelled missing found clear disgusting dming makes make sense yeah yep yup nah uhh erm um go walk sent download shared player visitor consumer extended infant everyday non check saver listed registered incorrect different \
     gold silver platinum premium vip business economy british american english irish scottish welsh german french spanish italian polish dutch \
     indian chinese canadian australian european disabled pregnant diabetic deaf blind retired located based currently regarding following \
     ridiculous unacceptable unbelievable terrible awful horrible appalling disgraceful outrageous pathetic shocking insane crazy absurd bad \
     worst best great good fine nice perfect lovely brilliant excellent amazing awesome cool ok okay yes no nope not none nor neither \
     because while during before after about for from with without within into onto upon per via and but or if as at by in of on to up out off \
     order account booking reservation refund ticket email phone mobile website app card bill invoice parcel package delivery flight hotel \
     room seat train bus car number name address date time page form file link code version update model item product hello hi hey dear thanks \
     mr mrs ms miss dr mx sir prof please sorry apologies regards sincerely cheers best wishes kind warm yours many thank you your yourself \
     day week month year monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september \
     october november december what when which who whom whose why how does did do is are was were been being has have had will would shall \
     should can could might must this that these those it its he she they them we us our i me my mine"
        .split_whitespace()
        .collect()
});

/// Names that are also words: taken for a name only where somebody is addressed or named in full.
#[rustfmt::skip]
const AMBIGUOUS: &[&str] = &[
    "will", "mark", "may", "april", "june", "august", "bill", "rose", "grace", "hope", "faith", "joy", "art", "sue", "pat", "rob", "drew", "jack",
    "grant", "summer", "dawn", "chase", "christian", "sky", "frank", "miles", "page", "chance", "iris", "ivy", "amber", "ruby", "pearl", "crystal",
    "angel", "max", "rich", "gene", "ray", "guy", "don", "dean", "earl", "king", "young", "long", "brown", "green", "white", "black", "gray", "grey",
    "cook", "baker", "park", "day", "west", "north", "east", "south", "price", "cash", "banks", "bond", "case", "field", "fields", "fox", "gold",
    "hill", "house", "lane", "law", "love", "major", "moon", "nice", "pope", "power", "powers", "read", "reed", "rich", "rivers", "rock", "short",
    "small", "stone", "storm", "street", "strong", "swift", "turner", "wall", "ward", "waters", "wells", "wise", "wood", "woods", "best", "bell",
    "bush", "church", "cross", "english", "french", "free", "friend", "good", "head", "hunt", "bay", "carter", "penny", "dot", "sunny", "melody",
    "harmony", "destiny", "jasmine", "ginger", "olive", "basil", "victor", "wade", "lance", "nick", "pierce", "skip", "bob", "jimmy", "china",
    "paris", "london", "sydney", "florence", "georgia", "virginia", "austin", "dallas", "madison", "jordan", "chelsea", "kim", "lee", "do", "an",
];

pub(super) fn is_ambiguous(word: &str) -> bool {
    AMBIGUOUS.contains(&fold(word).as_str())
}

/// Given names that are met somewhere, and are words of English nowhere: enough to tell "Hi Priya" from "Hi Larkspur".
static GIVEN: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("given.txt").split_whitespace().collect());

pub(super) fn is_given(word: &str) -> bool {
    GIVEN.contains(word.to_lowercase().as_str())
}
