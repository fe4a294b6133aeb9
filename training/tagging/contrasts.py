#!/usr/bin/env python3
"""Fits the contrasts of opposed moods (contrasts.tsv) and writes them into a model's manifest (see ../MANIFEST.md).

  contrasts.py MODEL_FOLDER --pool POOL --teachers DIR --segments DEV.npz --labels LABELS.tsv --map label_map.tsv --harness DIR
               [--dataset macleod] [--every 4] [--report OUT.json]

A contrast is a weighted sum of the model's own logits. Its direction is learnt without labels: ridge regression onto the
teachers' z-scored logits that the recipe adds up, over clean music windows of every --every-th shard of the pool. Two numbers
come from labels: slope and offset, so that its value is the log-odds of the first mood against the second for the mean of a
track. DEV.npz is what predict.py --npz writes. A contrast whose lower bound of AUC is under .6 is marked experimental.
"""
import argparse
import csv
import json
import os
import sys

import numpy as np

from calibrate import platt
from pool import read_shard
from predict import open_model
from teachers import NAMES, output_names

RIDGE = 100.0
HERE = os.path.dirname(os.path.abspath(__file__))


def hear(session, folder, every):
    """(the model's logits, {teacher: logits}) over the clean music windows of some shards."""
    logits, teachers = [], {t: [] for t in NAMES}
    for name in sorted(f for f in os.listdir(folder) if f.endswith(".npz"))[::every]:
        shard = read_shard(os.path.join(folder, name))
        wanted = (shard["kind"] == "music") & shard["clean"]
        mel = shard["mel"][wanted].astype("float32")
        logits += [session.run(None, {"log_mel": mel[i:i + 8]})[0] for i in range(0, len(mel), 8)]
        for t in NAMES:
            teachers[t].append(shard[t][wanted].astype("float32"))
    return np.concatenate(logits), {t: np.concatenate(v) for t, v in teachers.items()}


def said_by(teachers, names, terms):
    """The recipe's sum of z-scored teachers' logits, [n]."""
    total = 0
    for term in terms.split(";"):
        weight, output = term.split("*")
        teacher, name = output.split(":")
        x = teachers[teacher][:, names[teacher].index(name)]
        total = total + float(weight) * (x - x.mean()) / (x.std() + 1e-6)
    return total


def ridge(x, y):
    """(weights [columns], offset) of y on x; columns are scaled to one spread before the penalty."""
    centre, scale = x.mean(0), x.std(0) + 1e-6
    z = (x - centre) / scale
    w = np.linalg.solve(z.T @ z + RIDGE * np.eye(z.shape[1]), z.T @ (y - y.mean())) / scale
    return w, -float(centre @ w)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("model")
    for name in ("pool", "teachers", "segments", "labels", "map", "harness"):
        a.add_argument("--" + name, required=True)
    a.add_argument("--dataset", default="macleod")
    a.add_argument("--every", type=int, default=4)
    a.add_argument("--report")
    o = a.parse_args()
    sys.path.insert(0, o.harness)
    import score
    manifest, session = open_model(o.model)
    heard, teachers = hear(session, o.pool, o.every)
    names = output_names(o.teachers)
    files, targets = score.build_targets(score.read_tsv(o.labels), score.read_tsv(o.map), o.dataset, "fair")
    with np.load(o.segments) as f:
        track = np.stack([f[name + "/logits"].mean(0) for name in files])
    at = {t["tag"]: i for i, t in enumerate(manifest["tags"]) if t["facet"] == "mood"}
    slope = {t: manifest["tags"][i]["calibration"]["a"] for t, i in at.items()}
    contrasts, report = [], []
    with open(os.path.join(HERE, "contrasts.tsv"), newline="", encoding="utf-8") as f:
        recipe = list(csv.DictReader(f, delimiter="\t"))
    for row in recipe:
        first, second = row["first"], row["second"]
        weights, offset = ridge(heard, said_by(teachers, names, row["terms"]))
        positive, negative = (targets[("mood", t)][0] for t in (first, second))
        used = positive != negative
        x, y = track[used] @ weights + offset, positive[used].astype(float)
        draws = np.random.default_rng(0).multinomial(len(y), np.full(len(y), 1 / len(y)), 1000).astype(float)
        w = np.vstack([np.ones(len(y)), draws])
        auc = score.rank_metrics(x, y == 1, w)[0]
        low, high = score.ci(auc[1:])
        plain = track[used] @ (np.eye(len(weights))[at[first]] * slope[first] - np.eye(len(weights))[at[second]] * slope[second])
        a_, b_ = platt(x, y, 1.0, 0.0)
        contrasts.append({
            "moods": [first, second], "weights": [round(float(v), 5) for v in a_ * weights], "offset": round(a_ * offset + b_, 5),
            "experimental": bool(low < 0.6), "basis": "development-set",
            "evaluation": {"set": o.dataset, "positives": int(y.sum()), "negatives": int((1 - y).sum()), "rocAuc": round(float(auc[0]), 4),
                           "rocAucLow": round(low, 4), "rocAucHigh": round(high, 4)}})
        report.append({"moods": [first, second], "windows": len(heard), **contrasts[-1]["evaluation"],
                       "rocAucOfPlainDifference": round(float(score.rank_metrics(plain, y == 1, w[:1])[0][0]), 4)})
    manifest["moodContrasts"] = contrasts
    with open(os.path.join(o.model, "manifest.json"), "w") as f:
        json.dump(manifest, f, indent=1)
        f.write("\n")
    if o.report:
        with open(o.report, "w") as f:
            json.dump(report, f, indent=1)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
