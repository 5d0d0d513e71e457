"""Whole programs on the same file, in one go: `python compare.py --evenhand BIN --model DIR --input FILE.jsonl[.gz] [--gold NAME.gold.jsonl]`.

    python3 -m venv v && v/bin/pip install -r requirements.txt
    v/bin/python ../../models/backends/onnx_export.py ../../models/default l6.onnx --int8 l6.int8.onnx

Prints, for evenhand (the whole audit: reading, classifying, rules, near-duplicates, writing) and each peer (reading, classifying, writing): turns a second and
the ratio to the 8-bit ONNX peer, processor seconds for 1,000 turns, peak memory of all its processes together, and with --gold the label macro F1 on those
transcripts. --rounds repeats all of them in turn and takes each one's best time, for the machine may be shared.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).parent


def tree_memory(pid):
    """Resident bytes of a process and its children."""
    total, queue = 0, [pid]
    while queue:
        p = queue.pop()
        try:
            total += int(Path(f"/proc/{p}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            for task in Path(f"/proc/{p}/task").iterdir():
                queue += [int(c) for c in (task / "children").read_text().split()]
        except (OSError, IndexError):
            continue
    return total


def run(command):
    """(seconds, processor seconds, peak bytes)"""
    before, start = os.times(), time.perf_counter()
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak, done = 0, threading.Event()

    def watch():
        nonlocal peak
        while not done.wait(0.05):
            peak = max(peak, tree_memory(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    error = process.communicate()[1]
    done.set()
    watcher.join()
    if process.returncode:
        sys.exit(f"{command[0]} failed:\n{error.decode()[-2000:]}")
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - start, used, peak


def read(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def macro_f1(rows, gold):
    """Over the labels with at least 10 true cases; disputed labels are left out."""
    said = {(r["transcript_id"], r["turn"]): set(r["labels"]) for r in rows}
    tp, fp, fn = {}, {}, {}
    for g in gold:
        disputed = {(int(i), label) for i, labels in g.get("disputed_labels", {}).items() for label in labels}
        for i, truth in enumerate(g["turns"]):
            truth, guess = set(truth[1:]), said.get((g["id"], i), set())
            for label in truth | guess:
                if (i, label) not in disputed:
                    where = tp if label in truth & guess else fn if label in truth else fp
                    where[label] = where.get(label, 0) + 1
    scores = [2 * tp.get(l, 0) / (2 * tp.get(l, 0) + fp.get(l, 0) + fn.get(l, 0)) for l in tp.keys() | fn.keys() if tp.get(l, 0) + fn.get(l, 0) >= 10]
    return sum(scores) / len(scores)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--evenhand", required=True)
    a.add_argument("--model", required=True, help="folder of the large model, which the peers run")
    a.add_argument("--onnx", default="l6.onnx")
    a.add_argument("--int8", default="l6.int8.onnx")
    a.add_argument("--input", required=True)
    a.add_argument("--gold")
    a.add_argument("--rounds", type=int, default=1)
    a.add_argument("--only", help="peers to run, separated by commas")
    args = a.parse_args()
    work = Path(tempfile.mkdtemp())
    peer = lambda kind, *more: lambda source, out: [sys.executable, HERE / "peer.py", kind, args.model, source, out, *more]
    audit = lambda *more: lambda source, out: [args.evenhand, "audit", source, "--out", f"{out}.run", "--quiet", *more]
    programs = {
        "evenhand": audit(),
        "evenhand, accurate": audit("--model", "accurate"),
        "onnxruntime int8": peer("onnx", args.int8),
        "onnxruntime fp32": peer("onnx", args.onnx),
        "pipeline()": peer("pipeline"),
        "VADER": peer("vader"),
    }
    if args.only:
        programs = {k: v for k, v in programs.items() if k in args.only.split(",")}
    best = {}
    for _ in range(args.rounds):
        for name, command in programs.items():
            out = work / "out.jsonl"
            shutil.rmtree(f"{out}.run", ignore_errors=True)
            seconds, used, peak = run(command(args.input, out))
            rows = Path(f"{out}.run") / "turns.jsonl" if "evenhand" in name else out
            turns = sum(1 for _ in open(rows, encoding="utf-8"))
            seconds_before, used_before, peak_before, _ = best.get(name, (1e9, 1e9, 0, 0))
            best[name] = (min(seconds, seconds_before), min(used, used_before), max(peak, peak_before), turns)
    base = best.get("onnxruntime int8", next(iter(best.values())))
    print(f"{'':24}{'turns/s':>9}{'ratio':>8}{'CPU s/1,000':>13}{'peak MB':>9}{'label F1':>10}")
    for name, (seconds, used, peak, turns) in best.items():
        f1 = ""
        if args.gold and name != "VADER":
            gold, out = read(args.gold), work / "gold.jsonl"
            shutil.rmtree(f"{out}.run", ignore_errors=True)
            run(programs[name](args.gold.replace(".gold.", ".transcripts."), out))
            f1 = f"{macro_f1(read(Path(f'{out}.run') / 'turns.jsonl' if 'evenhand' in name else out), gold):.3f}"
        ratio = (turns / seconds) / (base[3] / base[0])
        print(f"{name:24}{turns / seconds:9.0f}{ratio:8.2f}{1000 * used / turns:13.2f}{peak / 1e6:9.0f}{f1:>10}", flush=True)
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
