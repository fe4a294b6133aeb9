#!/usr/bin/env python3
"""How much a linear probe reads out of an embedding: logistic regression a tag, 5 folds over tracks, pooled predictions.

  probe.py OUT.jsonl --segments DEV.npz --labels LABELS.tsv --map label_map.tsv --harness DIR [--key embedding]

OUT.jsonl holds out-of-fold scores for the scorer. Versions of one piece (same first two words of the title) share a fold.
--key mfcc-like input: any array "FILE/KEY" [segments, size] of the npz; mean over segments, standardised inside the fold.
"""
import argparse
import json
import os
import re
import sys

import numpy as np
import scipy.optimize


def fit(x, y, ridge):
    """Weights of a ridge-penalised logistic regression, last one the offset."""
    x1 = np.c_[x, np.ones(len(x))]

    def cost(w):
        s = x1 @ w
        p = 1 / (1 + np.exp(-np.clip(s, -30, 30)))
        return np.logaddexp(0, s).sum() - (y * s).sum() + ridge / 2 * (w[:-1] ** 2).sum(), x1.T @ (p - y) + ridge * np.r_[w[:-1], 0]
    return scipy.optimize.minimize(cost, np.zeros(x1.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 200}).x


def track_folds(rows, count=5, seed=3):
    """Fold of every row; versions of a piece stay together."""
    piece = [" ".join(re.sub(r"[^a-z0-9 ]", "", r["title"].lower()).split()[:2]) for r in rows]
    names = sorted(set(piece))
    place = dict(zip(np.random.default_rng(seed).permutation(names), range(len(names))))
    return np.array([place[p] % count for p in piece])


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("out")
    for name in ("segments", "labels", "map", "harness"):
        a.add_argument("--" + name, required=True)
    a.add_argument("--dataset", default="macleod")
    a.add_argument("--key", default="embedding")
    a.add_argument("--ridge", type=float, default=100.0)
    o = a.parse_args()
    sys.path.insert(0, o.harness)
    import score
    rows = score.read_tsv(o.labels)
    files, targets = score.build_targets(rows, score.read_tsv(o.map), o.dataset, "fair")
    with np.load(o.segments) as f:
        x = np.stack([f[f"{name}/{o.key}"].astype("float32").mean(0) for name in files])
    fold = track_folds(rows)
    scores = {name: {} for name in files}
    for (facet, tag), (positive, used) in targets.items():
        p = np.zeros(len(files))
        for k in range(5):
            rest, mine = used & (fold != k), fold == k
            mean, deviation = x[rest].mean(0), x[rest].std(0) + 1e-6
            if positive[rest].sum() == 0:
                continue
            w = fit((x[rest] - mean) / deviation, positive[rest].astype(float), o.ridge)
            p[mine] = ((x[mine] - mean) / deviation) @ w[:-1] + w[-1]
        for name, value in zip(files, p):
            scores[name].setdefault(facet, {})[tag] = round(float(value), 5)
    with open(o.out, "w") as f:
        for name in files:
            f.write(json.dumps({"file": name, "scores": scores[name]}) + "\n")


if __name__ == "__main__":
    main()
