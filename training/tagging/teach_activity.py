#!/usr/bin/env python3
"""Teaches the tag layer speech of a narrow band: telephone calls, voice prompts, old broadcasts.

  teach_activity.py MODEL_FOLDER ROWS.npz --pool POOL [--hold 1000] [--held-out HELDOUT_POOL]

Every clip of the pool with a known label counts twice: as it is, and with the mel bands over 3.9 kHz at the floor of the
front end. The new logit is the log-odds `scale * logit + weight . relu(embedding) + offset`; a change of the logit costs
`hold` / 2 per unit of each normalized coordinate. The row is added to ROWS.npz of teach_labels.py, for `export.py --rows`.

--held-out prints F1 of speech at the log-odds 0, before (with the model's calibration) and after, as the clips are and narrow.
"""
import argparse
import glob
import os

import numpy as np
import scipy.optimize

import front_end as fe
import labels
from pool import read_shard
from predict import open_model

NARROW_HZ = 3900
EVERY_SHARD, EVERY_NARROW = 6, 2


def band_centres():
    """Centre of every mel band, Hz."""
    low, high = 2595 * np.log10(1 + np.array([fe.F_MIN_HZ, fe.F_MAX_HZ]) / 700)
    return 700 * (10 ** (np.linspace(low, high, fe.MEL_BANDS + 2)[1:-1] / 2595) - 1)


def narrow(mel, rng):
    """The same clips as a narrow band would carry them."""
    out, away = mel.copy(), band_centres() > NARROW_HZ
    out[:, :, away] = np.log(fe.LOG_OFFSET) + np.abs(rng.normal(0, 0.3, out[:, :, away].shape))
    return out


def outputs(session, mel):
    """Logits and relu(embedding), [clips, ...]."""
    answers = [session.run(None, {"log_mel": mel[i:i + 16].astype("float32")}) for i in range(0, len(mel), 16)]
    return np.concatenate([a[0] for a in answers]), np.maximum(np.concatenate([a[1] for a in answers]), 0)


def clips(folder, step=1):
    """log_mel [clips, ...] and the label of speech (1, 0, -1 unknown) of every step-th shard."""
    shards = [read_shard(p) for p in sorted(glob.glob(os.path.join(folder, "*.npz")))[::step]]
    return np.concatenate([s["mel"] for s in shards]).astype("float32"), np.concatenate([s["exact"][:, labels.SPEECH] for s in shards])


def fit(logit, hidden, y, hold):
    """(scale, weight [hidden], offset) of the new log-odds."""
    middle, spread = hidden.mean(0), hidden.std(0) + 1e-3
    z = (hidden - middle) / spread

    def cost(t):
        scale, offset, weight = t[0], t[1], t[2:]
        odds = scale * logit + offset + z @ weight
        wrong = 1 / (1 + np.exp(-odds)) - y
        return ((np.logaddexp(0, odds) - y * odds).sum() + hold / 2 * (weight @ weight + (scale - 1) ** 2),
                np.r_[wrong @ logit + hold * (scale - 1), wrong.sum(), z.T @ wrong + hold * weight])

    t = scipy.optimize.minimize(cost, np.r_[1, 0, np.zeros(z.shape[1])], jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    weight = t[2:] / spread
    return t[0], weight, t[1] - weight @ middle


def f1(odds, y):
    said = odds > 0
    return 2 * (said & (y == 1)).sum() / max(1, said.sum() + (y == 1).sum())


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("model")
    a.add_argument("rows")
    a.add_argument("--pool", required=True)
    a.add_argument("--hold", type=float, default=1000.0)
    a.add_argument("--held-out")
    o = a.parse_args()
    manifest, session = open_model(o.model)
    mel, exact = clips(o.pool, EVERY_SHARD)
    mel = np.concatenate([mel, narrow(mel[::EVERY_NARROW], np.random.default_rng(1))])
    exact = np.concatenate([exact, exact[::EVERY_NARROW]])
    logits, hidden = outputs(session, mel[exact >= 0])
    scale, weight, offset = fit(logits[:, labels.SPEECH].astype("float64"), hidden.astype("float64"), exact[exact >= 0].astype(float), o.hold)
    made = {"tags": np.array([labels.SPEECH]), "scale": np.array([scale]), "weight": weight[None], "offset": np.array([offset])}
    if os.path.exists(o.rows):
        with np.load(o.rows) as f:
            others = f["tags"] != labels.SPEECH
            made = {k: np.concatenate([f[k][others], v]) for k, v in made.items()}
    np.savez(o.rows, **made)
    print(f"speech: {scale:.3f} of the old logit, {np.abs(weight).max():.3f} at most of the embedding")
    if o.held_out:
        mel, exact = clips(o.held_out)
        old, known = manifest["tags"][labels.SPEECH]["calibration"], exact >= 0
        for name, heard in (("as they are", mel), ("narrow", narrow(mel, np.random.default_rng(2)))):
            logits, hidden = outputs(session, heard[known])
            before, after = old["a"] * logits[:, labels.SPEECH] + old["b"], scale * logits[:, labels.SPEECH] + hidden @ weight + offset
            print(f"{name}: F1 {f1(before, exact[known]):.3f} before, {f1(after, exact[known]):.3f} after")


if __name__ == "__main__":
    main()
