#!/usr/bin/env python3
"""Teaches the tag layer what people said of labelled tracks, near to what the teachers taught it.

  teach_labels.py MODEL_FOLDER ROWS.npz --segments DEV.npz --labels LABELS.tsv --map label_map.tsv --harness DIR --pool POOL
                  [--facets instrument mood] [--hold 30] [--min-positives 10] [--held-out OUT.npz]

MODEL_FOLDER is an exported model, DEV.npz what predict.py --npz made with it. A tag's new logit is the log-odds
`scale * logit + weight . relu(embedding) + offset`, by logistic regression over whole tracks. A change of the logit costs
`hold` / 2 per unit of its variance over the music of the pool, so that few labels cannot turn what a tag means elsewhere.
`export.py --rows` puts the rows into the graph, which stays as large as it was.

--held-out: DEV.npz again, with the logits of every track from rows that were fitted without it (5 folds, versions of a piece
in one): what calibrate.py, predict.py --from and the scorer must read, because the rows themselves have seen the labels.
"""
import argparse
import glob
import os
import sys

import numpy as np
import scipy.optimize

import labels
from pool import pick, read_shard
from predict import open_model
from probe import track_folds


def pool_outputs(session, folder, shards=10, step=2):
    """Logits and relu(embedding) of clean music windows of the pool."""
    paths = sorted(glob.glob(os.path.join(folder, "*.npz")))
    logits, hidden = [], []
    for path in paths[:: max(1, len(paths) // (2 * shards))]:
        shard = read_shard(path)
        mel = shard["mel"][np.flatnonzero(pick(shard))[::step]].astype("float32")
        if len(mel) < 50:
            continue
        for i in range(0, len(mel), 8):
            answer = session.run(None, {"log_mel": mel[i:i + 8]})
            logits.append(answer[0])
            hidden.append(np.maximum(answer[1], 0))
        if sum(map(len, logits)) > shards * 250 // step:
            break
    return np.concatenate(logits), np.concatenate(hidden)


def fit(logit, hidden, y, hold):
    """(scale, weight, offset) of the penalised logistic regression; inputs in units of their spread over the pool."""
    x = np.c_[logit, hidden, np.ones(len(y))]
    price, prior = np.r_[1.0, np.full(hidden.shape[1], hold), 0], np.r_[1.0, np.zeros(hidden.shape[1] + 1)]

    def cost(w):
        t = x @ w
        p = 1 / (1 + np.exp(-np.clip(t, -30, 30)))
        return np.logaddexp(0, t).sum() - (y * t).sum() + 0.5 * (price * (w - prior) ** 2).sum(), x.T @ (p - y) + price * (w - prior)
    w = scipy.optimize.minimize(cost, prior, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    return w[0], w[1:-1], w[-1]


class Teacher:
    """Fits rows on any subset of the tracks."""

    def __init__(self, pool_logits, pool_hidden, track_logits, track_hidden, hold):
        covariance = np.cov(pool_hidden.T)
        size = len(covariance)
        # a coordinate of hidden @ white has variance 1 over the pool
        self.white = np.linalg.inv(np.linalg.cholesky(covariance + 1e-3 * np.trace(covariance) / size * np.eye(size))).T
        # a track's mean logit spreads less than that of its windows
        self.spread = 0.6 * pool_logits.std(0)
        self.logits, self.hidden, self.hold = track_logits, track_hidden, hold

    def row(self, tag, y, tracks):
        """(scale, weight [hidden], offset) in the units of the graph."""
        middle, centre = self.hidden[tracks].mean(0), self.logits[tracks, tag].mean()
        scale, weight, offset = fit((self.logits[tracks, tag] - centre) / self.spread[tag], (self.hidden[tracks] - middle) @ self.white, y[tracks], self.hold)
        scale, weight = scale / self.spread[tag], self.white @ weight
        return scale, weight, offset - scale * centre - weight @ middle


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("model")
    a.add_argument("rows")
    for name in ("segments", "labels", "map", "harness", "pool"):
        a.add_argument("--" + name, required=True)
    a.add_argument("--dataset", default="macleod")
    a.add_argument("--facets", nargs="+", default=["instrument", "mood"])
    a.add_argument("--hold", type=float, default=30.0)
    a.add_argument("--min-positives", type=int, default=10)
    a.add_argument("--held-out")
    o = a.parse_args()
    sys.path.insert(0, o.harness)
    import score
    rows = score.read_tsv(o.labels)
    files, targets = score.build_targets(rows, score.read_tsv(o.map), o.dataset, "fair")
    with np.load(o.segments) as f:
        stored = {k: f[k] for k in f.files}
    logits = np.stack([stored[n + "/logits"].mean(0) for n in files]).astype("float64")
    hidden = np.stack([np.maximum(stored[n + "/embedding"], 0).mean(0) for n in files]).astype("float64")
    teacher = Teacher(*pool_outputs(open_model(o.model)[1], o.pool), logits, hidden, o.hold)
    taught = {labels.INDEX[k]: v for k, v in targets.items()
              if k in labels.INDEX and k[0] in o.facets and min((v[0] & v[1]).sum(), (~v[0] & v[1]).sum()) >= o.min_positives}
    made = [teacher.row(i, positive.astype(float), used) for i, (positive, used) in taught.items()]
    scale, weight, offset = (np.array([m[k] for m in made]) for k in range(3))
    np.savez(o.rows, tags=np.array(list(taught)), scale=scale, weight=weight, offset=offset)
    print(len(taught), "tags:", " ".join(labels.TAGS[i][1] for i in taught))
    if o.held_out:
        fold = track_folds(rows)
        for k in range(5):
            for i, (positive, used) in taught.items():
                scale, weight, offset = teacher.row(i, positive.astype(float), used & (fold != k))
                for name in (n for n, own in zip(files, fold) if own == k):
                    own = stored[name + "/logits"]
                    own[:, i] = scale * own[:, i] + np.maximum(stored[name + "/embedding"], 0) @ weight + offset
        np.savez_compressed(o.held_out, **stored)


if __name__ == "__main__":
    main()
