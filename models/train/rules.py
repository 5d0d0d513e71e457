"""The conversations of the training set that were read for the transcript rules, for `evenhand eval`: `python rules.py --data DATA --out DIR`.

Writes DIR/transcripts.jsonl and DIR/gold.jsonl from readings/rules.jsonl, of which a line is a conversation: `rows`, the ids of its turns from the second on (the first is the text before that one),
`violated` with the turns, and `disputed`, on which the readers could not agree. Sets: `a`, with which the rules were made, and `b`, read and kept to check them. Of the table that `eval` prints only the
rules count: the turns' labels are not in the file.
"""

import argparse
import json
from pathlib import Path

import data


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--data", required=True)
    a.add_argument("--out", required=True)
    a.add_argument("--set", choices=("a", "b"), help="only one of the two")
    args = a.parse_args()
    rows = {r["id"]: r for r in data.read_jsonl(Path(args.data) / "labelled.jsonl")}
    rows |= {f"n{i}": r for i, r in enumerate(data.read_jsonl(Path(args.data) / "unlabelled.jsonl.gz"))}
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "transcripts.jsonl", "w", encoding="utf-8") as transcripts, open(out / "gold.jsonl", "w", encoding="utf-8") as gold:
        for c in data.read_jsonl(data.HERE / "readings" / "rules.jsonl"):
            if args.set and c["set"] != args.set:
                continue
            said = [rows[i] for i in c["rows"]]
            turns = [{"role": data.other(said[0]["role"]), "text": said[0]["prev"]}] + [{"role": r["role"], "text": r["text"]} for r in said]
            channel = "social" if said[0]["source"] == "ibm-cdp" else "chat"
            transcripts.write(json.dumps({"id": c["id"], "channel": channel, "language": "en", "turns": turns}) + "\n")
            unread = {"turns": [["neu"]] * len(turns), "ok": [], "disputed_labels": {}}
            gold.write(json.dumps({"id": c["id"], "violated": c["violated"], "disputed": c["disputed"], **unread}) + "\n")


if __name__ == "__main__":
    main()
