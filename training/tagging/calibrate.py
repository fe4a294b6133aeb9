#!/usr/bin/env python3
"""Fills calibration, thresholds and figures into a model's manifest.

  calibrate.py MODEL_FOLDER --segments DEV.npz --labels LABELS.tsv --map label_map.tsv --dataset macleod --harness DIR
               --pool HELDOUT_POOL --statistics RUN/final.pt [--report OUT.json]

Tags with at least MIN_POSITIVES positives and negatives on the development set: Platt scaling of the track's mean logit
on that set; ECE and Brier score come from 5-fold cross-validation (stratified by tag, mean of ten foldings), for whole tracks
and for their single segments. The slope is shrunk towards the
one that the teachers give, because a set of 104 tracks is small. Activity: exact labels of held-out speakers and sources.
All other tags: the chance that the teachers put a window into their top decile, marked `teachers` and experimental.
Experimental is every tag whose lower AUC bound is under .6 or that has no labels.
"""
import argparse
import json
import os
import pickle
import sys

import numpy as np
import torch

import labels
from pool import read_shard
from predict import open_model

MIN_POSITIVES = 5
PRIOR_WEIGHT = 4.0
REPEATS = 10


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -40, 40)))


def platt(x, y, prior_slope=1.0, prior_weight=PRIOR_WEIGHT):
    """Slope and offset by Newton's method; the slope is pulled towards prior_slope, targets are softened as Platt does."""
    positive, negative = y.sum(), (1 - y).sum()
    t = np.where(y == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))
    a, b = prior_slope, float(np.log((positive + 1) / (negative + 1)))
    scale = max(1e-3, x.std()) ** 2
    for _ in range(60):
        p = sigmoid(a * x + b)
        w = np.maximum(p * (1 - p), 1e-6)
        g = np.array([((p - t) * x).sum() + prior_weight * scale * (a - prior_slope), (p - t).sum()])
        h = np.array([[(w * x * x).sum() + prior_weight * scale, (w * x).sum()], [(w * x).sum(), w.sum()]])
        move = np.linalg.solve(h, g)
        a, b = a - float(np.clip(move[0], -1, 1)), b - float(np.clip(move[1], -2, 2))
        if np.abs(move).max() < 1e-7:
            break
    return max(a, 0.02), b


def folds(y, seed, count=5):
    """Stratified fold number of every row."""
    rng, out = np.random.default_rng(seed), np.zeros(len(y), int)
    for value in (0, 1):
        where = rng.permutation(np.flatnonzero(y == value))
        out[where] = np.arange(len(where)) % count
    return out


def calibration_error(p, y, bins=10):
    """Expected calibration error over bins of equal mass."""
    order = np.array_split(np.argsort(p, kind="stable"), bins)
    return float(sum(len(o) * abs(p[o].mean() - y[o].mean()) for o in order if len(o)) / len(p))


def error_floor(p, seed=11, draws=50):
    """The calibration error that perfect probabilities would show by chance: labels drawn from p itself."""
    rng = np.random.default_rng(seed)
    return float(np.mean([calibration_error(p, (rng.random(len(p)) < p).astype(float)) for _ in range(draws)]))


def best_threshold(p, y):
    """Threshold on p with the best F1 between .15 and .8; of equals the one nearest to .4."""
    rows = []
    for t in np.linspace(0.15, 0.8, 66):
        said = p >= t
        rows.append((2 * (said & (y == 1)).sum() / max(1, said.sum() + y.sum()), -abs(t - 0.4), t))
    return round(float(max(rows)[2]), 2)


def best_f1(p, y):
    """(threshold, precision, recall, F1) with the best F1 for an activity."""
    rows = []
    for t in np.linspace(0.1, 0.9, 81):
        said = p >= t
        hit = (said & (y == 1)).sum()
        rows.append((2 * hit / max(1, said.sum() + y.sum()), -abs(t - 0.5), t, hit / max(1, said.sum()), hit / max(1, y.sum())))
    f1, _, t, precision, recall = max(rows)
    return round(float(t), 2), float(precision), float(recall), float(f1)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("model")
    for name in ("segments", "labels", "map", "harness", "pool", "statistics"):
        a.add_argument("--" + name, required=True)
    a.add_argument("--dataset", default="macleod")
    a.add_argument("--report")
    o = a.parse_args()
    sys.path.insert(0, o.harness)
    import score
    manifest, session = open_model(o.model)
    statistics = pickle.loads(torch.load(o.statistics, weights_only=False)["statistics"])
    shards = [read_shard(os.path.join(o.pool, f)) for f in sorted(os.listdir(o.pool)) if f.endswith(".npz")]
    heard = np.concatenate([np.concatenate([session.run(None, {"log_mel": s["mel"][i:i + 8].astype("float32")})[0] for i in range(0, len(s["mel"]), 8)]) for s in shards])
    exact = np.concatenate([s["exact"] for s in shards])
    mixed = np.concatenate([(s["kind"] == "music") & ~s["clean"] for s in shards])
    music = np.concatenate([s["kind"] == "music" for s in shards]) & np.concatenate([s["clean"] for s in shards])
    z = labels.mix_targets(np.concatenate([statistics(s)[0] for s in shards]))
    rows = score.read_tsv(o.labels)
    files, targets = score.build_targets(rows, score.read_tsv(o.map), o.dataset, "fair")
    with np.load(o.segments) as f:
        segments = [f[name + "/logits"] for name in files]
    track = np.stack([s.mean(0) for s in segments])
    weights = score.weights(rows, 1000, 0, None)
    report = {"tags": [], "activity": {}, "agreement": {}}
    for i, tag in enumerate(manifest["tags"]):
        key = (tag["facet"], tag["tag"])
        tag.pop("evaluation", None)
        tag["experimental"] = True
        top = (z[music, i] >= np.quantile(z[music, i], 0.9)).astype(float)
        if i in (labels.SPEECH, labels.MUSIC):
            known = exact[:, i] >= 0
            x, y = heard[known, i], exact[known, i].astype(float)
            slope, offset = platt(x, y, 1.0, 0.0)
            threshold, precision, recall, f1 = best_f1(sigmoid(slope * x + offset), y)
            tag.update(calibration={"kind": "platt", "a": round(slope, 5), "b": round(offset, 5)}, threshold=threshold, basis="exact-labels", experimental=False)
            said, true = sigmoid(slope * heard[:, i] + offset)[known & ~mixed] >= threshold, exact[known & ~mixed, i] == 1
            alone = 2 * float((said & true).sum()) / max(1, int(said.sum() + true.sum()))
            report["activity"][tag["tag"]] = {"f1Unmixed": alone, "nUnmixed": len(said), "n": int(known.sum()), "positives": int(y.sum()), "f1": f1, "precision": precision, "recall": recall}
            continue
        auc, _ = score.rank_metrics(heard[music, i], top == 1, np.ones((1, int(music.sum()))))
        report["agreement"]["/".join(key)] = float(auc[0])
        slope, offset = platt(heard[music, i], top)
        tag.update(calibration={"kind": "platt", "a": round(slope, 5), "b": round(offset, 5)}, threshold=0.5, basis="teachers")
        if key not in targets:
            continue
        positive, used = targets[key]
        y, x = positive[used].astype(float), track[used, i]
        if y.sum() < 1 or (1 - y).sum() < 1:
            continue
        aucs, aps = score.rank_metrics(x, y == 1, weights[:, used])
        low, high = score.ci(aucs[1:])
        tag["evaluation"] = {"set": o.dataset, "positives": int(y.sum()), "negatives": int((1 - y).sum()), "rocAuc": round(float(aucs[0]), 4),
                             "rocAucLow": round(low, 4), "rocAucHigh": round(high, 4), "averagePrecision": round(float(aps[0]), 4)}
        if min(y.sum(), (1 - y).sum()) < MIN_POSITIVES:
            continue
        p, base = np.zeros(len(y)), np.zeros(len(y))
        segment_p = [np.zeros(len(segments[k])) for k in np.flatnonzero(used)]
        for seed in range(REPEATS):
            fold = folds(y, seed)
            for k in range(5):
                rest, mine = fold != k, fold == k
                s, b = platt(x[rest], y[rest], slope)
                p[mine] += sigmoid(s * x[mine] + b) / REPEATS
                base[mine] += y[rest].mean() / REPEATS
                for row in np.flatnonzero(mine):
                    segment_p[row] += sigmoid(s * segments[np.flatnonzero(used)[row]][:, i] + b) / REPEATS
        segment_y = np.repeat(y, [len(v) for v in segment_p])
        slope, offset = platt(x, y, slope)
        tag.update(calibration={"kind": "platt", "a": round(slope, 5), "b": round(offset, 5)}, basis="development-set",
                   threshold=best_threshold(sigmoid(slope * x + offset), y), experimental=bool(low < 0.6))
        report["tags"].append({"tag": "/".join(key), "ece": calibration_error(p, y), "eceSegments": calibration_error(np.concatenate(segment_p), segment_y), "eceFloor": error_floor(p), "brier": float(((p - y) ** 2).mean()),
                               "brierPrevalence": float(((base - y) ** 2).mean()), "auc": float(aucs[0]), "aucLow": low, "aucHigh": high, "ap": float(aps[0])})
    agreement = np.array(list(report["agreement"].values()))
    report["summary"] = {
        "meanEce": float(np.mean([t["ece"] for t in report["tags"]])),
        "meanEceSegments": float(np.mean([t["eceSegments"] for t in report["tags"]])),
        "meanEceFloor": float(np.mean([t["eceFloor"] for t in report["tags"]])),
        "brierBeatsPrevalence": float(np.mean([t["brier"] < t["brierPrevalence"] for t in report["tags"]])),
        "tagsCalibratedOnLabels": len(report["tags"]), "notExperimental": sum(not t["experimental"] for t in manifest["tags"]),
        "agreementMean": float(agreement.mean()), "agreementWorst": float(agreement.min()), "agreementWindows": int(music.sum())}
    with open(os.path.join(o.model, "manifest.json"), "w") as f:
        json.dump(manifest, f, indent=1)
        f.write("\n")
    if o.report:
        with open(o.report, "w") as f:
            json.dump(report, f, indent=1)
    print(json.dumps({**report["summary"], "activity": report["activity"]}, indent=1))


if __name__ == "__main__":
    main()
