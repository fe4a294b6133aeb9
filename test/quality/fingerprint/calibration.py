#!/usr/bin/env python3
"""Reliability of the probabilities that evaluate.ts wrote, as shipped: no constant is fitted here.

  calibration.py RESULTS.jsonl ... [--related RELATED.json] [--right 0] [--seed 1]

A query is right when its best place, answered or not, is on the true track; the others are negatives, and positives whose best
place is on another track. Pairs of pieces that relations.ts found to share audio are left out. Prints a reliability curve and
the expected calibration error with both classes weighted equally, `--right` of the right ones drawn at random (0: all); then what was answered: negatives with the
interval of their share (Wilson), by set, and the negatives with the highest probability.
"""
import argparse
import json
from collections import Counter

import numpy as np

from reliability import reliability


def wilson(hits, n, z=1.96):
    p = hits / n
    centre, half = (p + z * z / 2 / n) / (1 + z * z / n), z * np.sqrt(p * (1 - p) / n + z * z / 4 / n / n) / (1 + z * z / n)
    return f"{max(0, centre - half):.4f}-{min(1, centre + half):.4f}"


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("files", nargs="+")
    ap.add_argument("--related")
    ap.add_argument("--right", type=int, default=0)
    ap.add_argument("--seed", type=int, default=1)
    a = ap.parse_args()
    related = {(r["source"], r["track"]) for r in json.load(open(a.related))} if a.related else set()
    rows = {}
    for path in a.files:
        with open(path) as f:
            rows.update((r["id"], r) for r in map(json.loads, f) if "probability" in r)
    rows = list(rows.values())
    known = [r for r in rows if (r.get("source"), r.get("track")) in related and not (r["positive"] and r["right"])]
    kept = [r for r in rows if r not in known]
    right = [r for r in kept if r["positive"] and r["right"]]
    wrong = [r for r in kept if not (r["positive"] and r["right"])]
    if a.right:
        right = [right[i] for i in np.random.default_rng(a.seed).permutation(len(right))[: a.right]]
    p = np.array([r["probability"] for r in right + wrong])
    y = np.r_[np.ones(len(right)), np.zeros(len(wrong))]
    ece, curve = reliability(p, y)
    print(f"{len(right)} right, {len(wrong)} others ({sum(r['positive'] for r in wrong)} positives without a right place), {len(known)} related left out")
    print("| predicted | right | others | mean prediction | right (classes weighted equally) |\n|---|---:|---:|---:|---:|")
    for low, high, m, mean, share in curve:
        print(f"| {low:.1f}-{high:.1f} | {int(y[m].sum())} | {int((1 - y[m]).sum())} | {mean:.3f} | {share:.3f} |")
    print(f"ECE {ece:.4f}")
    negatives = [r for r in rows if not r["positive"]]
    answered = [r for r in negatives if r["matches"]]
    strangers = [r for r in answered if r not in known]
    print(f"negatives: {len(negatives)}, answered {len(answered)}, {len(answered) - len(strangers)} of them related; others {len(strangers)} ({wilson(len(strangers), len(negatives))})")
    print("answered by set:", dict(Counter(r["set"] for r in strangers)), "of", dict(Counter(r["set"] for r in negatives)))
    for r in sorted((r for r in negatives if r not in known), key=lambda r: -r["probability"])[:20]:
        e, line = r.get("evidence") or {}, r.get("line") or {}
        print(f"  {r['probability']:.3f} {r['id']} {r.get('source')} -> {r.get('track')}, level {r['level']}, speed {line.get('speed', 0):.3f}, "
              + ", ".join(f"{k} {e[k]:.2f}" for k in ("z", "rivalZ", "votes", "expected", "share", "contrast", "spectral", "sharpness", "foreign") if k in e))


if __name__ == "__main__":
    main()
