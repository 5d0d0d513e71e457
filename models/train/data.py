"""Training rows from every source, split by a hash of their group, and augmentation of their text.

A row is a dict: id, group, source, role, prev, prev_role, text, sentiment, labels, cues (of those that were read, whether each holds).
"""

import gzip
import hashlib
import html
import json
import math
import random
import re
from functools import cache
from pathlib import Path

from labels import CUES, INDEX, SENTIMENTS

HERE = Path(__file__).parent
# Turns whose role is wrong because of how the source was split.
WRONG_ROLE = set(
    "u0306 u0408 u0412 u0548 u0573 u0770 u0891 u0938 u0971 u1031 u1083 u1106 u1458 u1562 u1635 u1760 u1783 u1817 "
    "u1930 u1997 u2180 u2599 u2763 u2844 u2867 u2990 u3083 u3109 u3146 u3202 u3339".split()
)
HELD_BACK = 0.12
WRITTEN = ("threads", "conversations", "authored")
# What the second reading decided: of company turns the first four, of customers' thanks and good news the others.
SECOND = ("alternative", "policy", "commitment", "informal", "gratitude", "resolved")
# Labels that were read once more, wider, where they had not been seen: readings/LABEL.jsonl.
WIDE = ("alternative", "repeat")
# The newest threads.
NEWEST = range(124, 145)
# Threads that were read a second time from end to end, and those that were not read for cues.
READ_TWICE = tuple(f"w{n}-" for n in (*range(56, 100), *range(108, 124), *NEWEST))
WITHOUT_CUES = tuple(f"w{n}-" for n in (34, 35, 36, 42, *range(44, 56), *NEWEST))
# Threads whose readers took a label more narrowly than everybody else: only where they saw it, it counts.
NARROW = {"alternative": tuple(f"w{n}-" for n in NEWEST)}
# The cues of the first reading, which took "generic" too narrowly: only where it saw it, it counts. And those of later ones, which stand above it: of company turns, and of what is owed
# (`next-step`, `answers` and `sent-around` were read too, but no rule gains by them yet).
FIRST_CUES = ("retells", "waits", "generic", "re-asks")
# Cues that the readers of these threads marked more seldom than everybody else: not heard there.
UNSURE = {"kind", "personal"}
UNSURE_IN = tuple(f"w{n}-" for n in range(108, 124))
LATER_CUES = {
    "company": ("generic", "personal", "kind", "next-step", "follow-up", "answers", "wall"),
    "owed": ("apology-owed", "empathy-owed", "retells", "sent-around", "heard", "re-asks"),
}


def read_jsonl(path):
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def other(role):
    return "agent" if role == "customer" else "customer"


def conversation_rows(conversations, source):
    for c in conversations:
        turns = c["turns"]
        for i, (turn, labels) in enumerate(zip(turns, c["labels"])):
            if turn["role"] == "system":
                continue
            prev = turns[i - 1] if i else {"text": "", "role": other(turn["role"])}
            yield {
                "id": f"{c['id']}.{i}", "group": c["id"], "source": source, "role": turn["role"], "text": turn["text"],
                "prev": prev["text"], "prev_role": prev["role"], "sentiment": labels[0], "labels": labels[1:],
            }


def read_again(rows, whole):
    """Puts the later readings above the first one. `open`: labels that readers take in two ways (those of WIDE were read once more, wider, where they had not been seen); `once`: text written for this project that nobody has read since, but for thanks."""
    some, wide = readings("second"), {label: readings(label) for label in WIDE}
    for r in rows:
        again, labels = whole.get(r["id"]), some.get(r["id"])
        if again:
            r["sentiment"], r["labels"] = again["sentiment"], again["labels"]
        if labels:
            r["labels"] = [l for l in r["labels"] if l not in SECOND] + labels["labels"]
        r["open"] = (labels or again or {}).get("open", ())
        for label, read in wide.items():
            if r["id"] in read:
                holds = read[r["id"]][label]
                r["labels"] = [l for l in r["labels"] if l != label] + [label] * (holds is True)
                r["open"] = [l for l in r["open"] if l != label] + [label] * (holds is None)
        for label, threads in NARROW.items():
            if r["id"].startswith(threads) and label not in r["labels"]:
                r["open"] = [*r["open"], label]
        r["once"] = r["source"] in WRITTEN and not again and not (labels and r["role"] != "customer") and not r["id"].startswith(READ_TWICE)


@cache
def readings(name):
    """The lines of one of the readings, by id."""
    return {r["id"]: r for r in read_jsonl(HERE / "readings" / f"{name}.jsonl")}


def ids_read():
    """Ids of what was read, of the pool and elsewhere."""
    return {i for name in ("labels", *LATER_CUES) for i in readings(name)}


def load(data):
    """All rows. `data` is the folder with the labelled text that is not part of this repository."""
    data = Path(data)
    read = readings("labels")
    rows = []
    for name in ("labelled.jsonl", "authored.jsonl"):
        for r in read_jsonl(data / name):
            if r["id"] in WRONG_ROLE:
                continue
            rows.append({**r, "group": r["id"], "prev_role": other(r["role"])})
    # Turns of the unlabelled pool that were read, some for their cues only: n<line number>.
    wanted = {int(i[1:]) for i in ids_read() if re.fullmatch(r"n\d+", i)}
    for i, r in enumerate(read_jsonl(data / "unlabelled.jsonl.gz")):
        if i in wanted:
            rows.append({**r, "id": f"n{i}", "group": f"n{i}", "prev_role": other(r["role"]), "labels": None, "sentiment": None})
    # Public posts and review sentences that were read as if a customer wrote them: a prefix and the line number, and the column of the text.
    for prefix, name, column in (("vt", "vader/tweets_GroundTruth.txt", 2), ("va", "vader/amazonReviewSnippets_GroundTruth.txt", 2), ("g", "goemotions/train.tsv", 0)):
        lines = (data / "extra" / name).read_text(encoding="utf-8", errors="replace").split("\n")
        for i, line in enumerate(lines):
            a = read.get(f"{prefix}{i}")
            if a:
                rows.append({"id": a["id"], "group": a["id"], "source": name.split("/")[0], "role": "customer", "prev": "", "prev_role": "agent",
                             "text": html.unescape(line.split("\t")[column])})
    rows += conversation_rows(read_jsonl(data / "conversations.jsonl"), "conversations")
    for path in sorted((HERE / "threads").glob("*.jsonl")):
        rows += conversation_rows(read_jsonl(path), "threads")
    read_again(rows, read)
    read_for_cues(rows)
    return rows


def read_for_cues(rows):
    """Puts what was read of each cue with its row; a row that was read for the later cues is not `once`."""
    first = readings("cues")
    for r in rows:
        throughout = r["source"] == "threads" and not r["id"].startswith(WITHOUT_CUES)
        r["cues"] = {}
        if r["id"] in first or throughout:
            seen = first.get(r["id"], {"cues": []})["cues"]
            r["cues"] = {c: c in seen for c in FIRST_CUES if c != "generic" or c in seen}
        for name, cues in LATER_CUES.items():
            if seen := readings(name).get(r["id"]):
                r["cues"] |= {c: c in seen["cues"] for c in cues if not (c in UNSURE and r["id"].startswith(UNSURE_IN))}
                r["once"] = False


def load_unlabelled(data, seed, pool=9_000, posts=4_000):
    """Rows without labels, for a teacher to judge: turns of the unlabelled pool that nobody read, and public posts as a customer's."""
    rng = random.Random(seed)
    data, read = Path(data), ids_read()
    rows, seen = [], set()
    turns = [(f"n{i}", r) for i, r in enumerate(read_jsonl(data / "unlabelled.jsonl.gz"))]
    rng.shuffle(turns)
    for id, r in turns:
        key = (r["role"], r["text"].lower().strip(" .!?"))
        if id in read or key in seen or len(rows) >= pool:
            continue
        seen.add(key)
        rows.append({"id": id, "source": "pool", "role": r["role"], "text": r["text"], "prev": r["prev"], "prev_role": other(r["role"])})
    texts = []
    with open(data / "extra" / "goemotions" / "train.tsv", encoding="utf-8") as f:
        texts += [("g%d" % i, line.split("\t")[0]) for i, line in enumerate(f)]
    rng.shuffle(texts)
    for id, text in [t for t in texts if t[0] not in read][:posts]:
        rows.append({"id": id, "source": "posts", "role": "customer", "text": text, "prev": "", "prev_role": "agent"})
    return [{**r, "group": r["id"], "labels": None, "open": (), "sentiment": None, "cues": {}, "once": False} for r in rows]


def held_back(row):
    h = int(hashlib.sha256(row["group"].encode()).hexdigest()[:8], 16) / 2**32
    return h < HELD_BACK


def split(rows):
    return [r for r in rows if not held_back(r)], [r for r in rows if held_back(r)]


def targets(row):
    """What the readers say of a row, with a little doubt, for most labels are one reading each: labels, sentiments, cues; none where nobody
    looked, and a label that is open, or a cue that was not read, is not a number."""
    doubt = lambda y: 0.015 + 0.96 * float(y)
    labels = sentiment = None
    if row["labels"] is not None:
        labels = [math.nan if l in row["open"] else doubt(l in row["labels"]) for l in INDEX]
        sentiment = [0.95 if s == row["sentiment"] else 0.025 for s in SENTIMENTS]
    cues = [doubt(row["cues"][c]) if c in row["cues"] else math.nan for c in CUES] if row["cues"] else None
    return labels, sentiment, cues


def read_soft(paths):
    """Teachers' probabilities by row, their mean where several judged it (NaN: not asked); one from before some cues says nothing of them."""
    wanted = len(INDEX) + len(SENTIMENTS) + len(CUES)
    said = {}
    for path in paths:
        for r in read_jsonl(path):
            said.setdefault(r["id"], []).append(r["p"] + [math.nan] * (wanted - len(r["p"])))
    def mean(p):
        heard = [x for x in p if not math.isnan(x)]
        return sum(heard) / len(heard) if heard else math.nan
    return {id: [mean(p) for p in zip(*ps)] for id, ps in said.items()}


SIGN_OFF = re.compile(r"\s*(\^|\*|/|- ?)[A-Z]{1,3}[a-z]*$")
HANDLE = re.compile(r"@\w+")
KEYS = "qwertyuiopasdfghjklzxcvbnm"


def typo(text, rng):
    if len(text) < 8:
        return text
    chars = list(text)
    for _ in range(1 + len(chars) // 60):
        i = rng.randrange(len(chars) - 1)
        if not chars[i].isalpha():
            continue
        kind = rng.random()
        if kind < 0.35:
            chars[i], chars[i + 1] = chars[i + 1], chars[i]
        elif kind < 0.7:
            chars[i] = ""
        elif kind < 0.85:
            chars[i] = chars[i] * 2
        else:
            chars[i] = rng.choice(KEYS)
    return "".join(chars)


def augment(row, rng):
    """A variant of the row as it may be typed or transcribed elsewhere; labels stay true."""
    text, prev = row["text"], row["prev"]
    if rng.random() < 0.15:
        text = text.replace("'", "").replace("\u2019", "")
    if rng.random() < 0.10:
        text = re.sub(r"(?<=\w)[,.;:?]+(?=\s|$)", "", text)  # speech without punctuation
    if rng.random() < 0.10:
        text = typo(text, rng)
    if rng.random() < 0.15:
        text = HANDLE.sub(rng.choice(["@user", "@company", "", "@SkyNorth"]), text)
    if row["role"] == "agent" and rng.random() < 0.2:
        if SIGN_OFF.search(text):
            text = SIGN_OFF.sub("", text)
        else:
            a, b = rng.choice("ABCDEFGHJKLMNPRSTW"), rng.choice("ABCDEGHJKLMNPRSTW")
            text = text + rng.choice([" ^%s%s", " *%s%s", " -%s%s", " /%s%s"]) % (a, b)
    if rng.random() < 0.12:
        prev = ""
    return {**row, "text": text.strip() or row["text"], "prev": prev}


def rng_for(seed, epoch, index):
    return random.Random(seed * 1_000_003 + epoch * 10_007 + index)
