"""The label set: names, order and side. Logits: labels, sentiments, cues, each in this order."""

SENTIMENTS = ["neg", "neu", "pos"]
CUSTOMER = ["problem", "frustration", "repeat", "wants-human", "churn", "abuse", "gratitude", "resolved"]
COMPANY = [
    "apology", "non-apology", "empathy", "denial", "policy", "alternative", "informal", "commitment",
    "timeframe", "compensation", "transfer", "ask-info", "greeting", "closing", "check", "blame",
]
LABELS = CUSTOMER + COMPANY
# Finer observations that only the rules use (src/signals/label.rs says what each means); a new one stands last, so that an older model's heads keep their places (restore.py).
CUES = [
    "retells", "waits", "generic", "re-asks", "personal", "kind", "follow-up", "wall", "heard", "apology-owed", "empathy-owed",
]
CUSTOMER_CUES = {"retells", "waits", "apology-owed", "empathy-owed"}
USUAL_CUES = {"personal", "kind", "follow-up"}  # of most turns; a finding is made where they are missing
INDEX = {name: i for i, name in enumerate(LABELS)}


def side_mask(role):
    """1 for the labels a turn of this role can have: those of the other side are masked in the loss."""
    customer = role == "customer"
    return [1.0 if (i < len(CUSTOMER)) == customer else 0.0 for i in range(len(LABELS))]


def cue_mask(role):
    """1 for the cues a turn of this role can have."""
    customer = role == "customer"
    return [1.0 if (cue in CUSTOMER_CUES) == customer else 0.0 for cue in CUES]
