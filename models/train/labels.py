"""The label set: names, order and side. Logits: labels, sentiments, cues, each in this order."""

SENTIMENTS = ["neg", "neu", "pos"]
CUSTOMER = ["problem", "frustration", "repeat", "wants-human", "churn", "abuse", "gratitude", "resolved"]
COMPANY = [
    "apology", "non-apology", "empathy", "denial", "policy", "alternative", "informal", "commitment",
    "timeframe", "compensation", "transfer", "ask-info", "greeting", "closing", "check", "blame",
]
LABELS = CUSTOMER + COMPANY
# Finer observations that only the rules use: a customer had to tell it again or waits for a reply; a reply is canned
# and takes up nothing, or asks for what was just given.
CUES = ["retells", "waits", "generic", "re-asks"]
CUSTOMER_CUES = 2
INDEX = {name: i for i, name in enumerate(LABELS)}


def side_mask(role):
    """1 for the labels a turn of this role can have: those of the other side are masked in the loss."""
    customer = role == "customer"
    return [1.0 if (i < len(CUSTOMER)) == customer else 0.0 for i in range(len(LABELS))]


def cue_mask(role):
    """1 for the cues a turn of this role can have."""
    customer = role == "customer"
    return [1.0 if (i < CUSTOMER_CUES) == customer else 0.0 for i in range(len(CUES))]
