#!/usr/bin/env python3
"""Fits the logistic model of the decision and measures its calibration.

  fit_decision.py [--related RELATED.json] FIT.jsonl [TEST.jsonl ...]

Both come from evaluate.ts (FIT with --unknown, so that queries whose own track is missing count as negatives; several files may be joined). Prints the
constants of libs/fingerprint/src/decision-model.ts, then for every file the calibration error, the reliability curve and
the negatives with the highest probability. Pairs of pieces that relations.ts found to share audio are left out. Split by source: FIT and TEST must hold other packages.
"""
import argparse
import json

import numpy as np
from scipy.optimize import minimize

from reliability import balanced, reliability

VOTES, MOST_VOTES, LEAST_RIVAL, MOST_SCORE, MOST_Z, MOST_CONTRAST, LEAST_SHARE, LEAST_CLEAR, MOST_CLEAR = 0.1, 40, 4.0, 25.0, 30.0, 10.0, 0.4, 15.0, 45.0


def features(e):
    least = 0.0 if "spectral" in e else LEAST_RIVAL
    score = e["z"] - max(least, e["rivalZ"]) + VOTES * min(MOST_VOTES, e["votes"])
    return [1.0, min(MOST_SCORE, score), min(MOST_Z, e["z"]), np.log(e["expected"] + 1), float(e["nominal"]), max(0.0, e["share"] - LEAST_SHARE), min(MOST_CONTRAST, e["contrast"])] + ([max(0.0, min(MOST_CLEAR, e["spectral"]) - LEAST_CLEAR), e["sharpness"], e["foreign"]] if "spectral" in e else [])


NAMES = ["intercept", "score", "z", "size", "nominal", "share", "contrast", "clear", "sharpness", "foreign"]


def read(path, related, spectral):
    with open(path) as f:
        rows = [json.loads(line) for line in f if '"evidence"' in line]
    rows = [r for r in rows if r.get("evidence") and ("spectral" in r["evidence"]) == spectral and (r["positive"] or (r.get("source"), r.get("track")) not in related)]
    x = np.array([features(r["evidence"]) for r in rows])
    y = np.array([float(r["positive"] and r["right"]) for r in rows])
    return rows, x, y


def fit(x, y, spectral, ridge=0.02):
    """
    Equal weight for both classes in sum, a small ridge on all but the intercept. With the spectrogram's say no evidence but
    foreign music may count against a place: z is in the score already, and a few related pieces would turn the signs of the others.
    """
    w = balanced(y) * len(y)

    def loss(b):
        t = x @ b
        return np.sum(w * (np.logaddexp(0, t) - y * t)) + ridge * np.sum(b[1:] ** 2), x.T @ (w * (1 / (1 + np.exp(-t)) - y)) + 2 * ridge * np.r_[0, b[1:]]

    bounds = [(None, None)] + [((None if name == "foreign" else 0.0) if spectral else None, 0.0 if spectral and name in ("z", "foreign") else None) for name in NAMES[1 : x.shape[1]]]
    return minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x


def report(name, rows, x, y, b):
    p = 1 / (1 + np.exp(-(x @ b)))
    ece, curve = reliability(p, y)
    print(f"{name}: {int(y.sum())} right, {int((1 - y).sum())} negatives or wrong")
    for low, high, m, mean, share in curve:
        print(f"  {low:.1f}-{high:.1f}: n {m.sum():5d}, predicted {mean:.3f}, right {share:.3f}")
    print(f"  ECE (classes weighted equally) {ece:.4f}; recall at .5/.8/.9: " + "/".join(f"{np.mean(p[y > 0] > t):.4f}" for t in (0.5, 0.8, 0.9)))
    for i in [i for i in np.argsort(-p) if y[i] == 0][:8]:
        e = rows[i]["evidence"]
        print(f"  negative p {p[i]:.3f} z {e['z']:.1f} rival {e['rivalZ']:.1f} votes {e['votes']} n {e['expected']} share {e['share']:.2f} c {e['contrast']:.1f} s {e.get('spectral', 0):.1f} {rows[i].get('source')} {rows[i]['id']} -> {rows[i].get('track')}")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--related", action="append", default=[])
    ap.add_argument("files", nargs="+")
    a = ap.parse_args()
    related = {(r["source"], r["track"]) for path in a.related for r in json.load(open(path))}
    for spectral in (False, True):
        print("evidence with the spectrogram's say:" if spectral else "evidence of peaks alone:")
        rows, x, y = read(a.files[0], related, spectral)
        if y.min(initial=1) == y.max(initial=0):
            continue
        b = fit(x, y, spectral)
        print("{ " + ", ".join(f"{n}: {v:.4f}" for n, v in zip(NAMES, b)) + " }")
        report(a.files[0], rows, x, y, b)
        for path in a.files[1:]:
            report(path, *read(path, related, spectral), b)


if __name__ == "__main__":
    main()
