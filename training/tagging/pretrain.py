#!/usr/bin/env python3
"""Teaches the network without labels: two halves of one window, changed in different ways, must be nearer to each other
than to the halves of other windows (NT-Xent), and each half tells coarse features of the whole window that need no teacher
(spectral shape and its movement, as z-scores).

  pretrain.py POOL RUN [--examples 60000] [--seed 1]

Only the log-mel of the pool is read. Writes RUN/pretrained.pt, for train.py --pretrained; resumes from RUN/last.pt.
"""
import argparse
import glob
import json
import os
import time

import numpy as np
import scipy.fft
import torch
from torch import nn
from torch.nn import functional as F

from net import student
from train import augment

HALF = 125
TEMPERATURE = 0.1


def coarse_features(mel):
    """Mean and deviation of 20 cepstral coefficients and of their change: [n, 60]. mel [n, frames, bands]."""
    cepstrum = scipy.fft.dct(mel, axis=2, norm="ortho")[:, :, :20]
    return np.concatenate([cepstrum.mean(1), cepstrum.std(1), np.abs(np.diff(cepstrum, axis=1)).mean(1)], 1)


def view(mel, rng):
    """Half of each window from a random start, equalised, under some of another window, with masks."""
    n, bands = len(mel), mel.shape[2]
    at = rng.integers(0, mel.shape[1] - HALF + 1, n)
    out = np.stack([m[k:k + HALF] for m, k in zip(mel, at)])
    bend = np.stack([np.interp(np.arange(bands), np.linspace(0, bands - 1, 5), rng.normal(0, 0.7, 5)) for _ in range(n)])
    out += bend[:, None].astype("float32") + rng.normal(0, 1.0, (n, 1, 1)).astype("float32")
    for i in np.flatnonzero(rng.random(n) < 0.5):
        j = rng.integers(n)
        level = out[i].max() - mel[j].max() - rng.uniform(1.5, 5)
        out[i] = np.logaddexp(out[i], mel[j][:HALF] + level)
    return augment(out, rng)


def contrast(a, b):
    """NT-Xent over both directions; a, b [n, size]."""
    z = F.normalize(torch.cat([a, b]), dim=1)
    likeness = z @ z.T / TEMPERATURE - 1e9 * torch.eye(len(z))
    partner = torch.arange(len(z)).roll(len(a))
    return F.cross_entropy(likeness, partner)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("pool")
    a.add_argument("run")
    a.add_argument("--examples", type=int, default=60000)
    a.add_argument("--batch", type=int, default=64)
    a.add_argument("--rate", type=float, default=2e-3)
    a.add_argument("--narrow", action="store_true", help="a smaller network, for comparisons")
    a.add_argument("--seed", type=int, default=1)
    o = a.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(o.seed)
    rng = np.random.default_rng(o.seed)
    os.makedirs(o.run, exist_ok=True)
    mel = []
    for path in sorted(glob.glob(os.path.join(o.pool, "*.npz"))):
        with np.load(path) as f:
            mel.append(f["mel"][f["clean"]])
    mel = np.concatenate(mel)
    some = mel[:: max(1, len(mel) // 4000)].astype("float32")
    features = coarse_features(some)
    centre, scale = features.mean(0), features.std(0) + 1e-6
    model = student(1, features.shape[1], o.narrow)
    model.mean.copy_(torch.from_numpy(some.reshape(-1, some.shape[2]).mean(0)))
    model.scale.copy_(torch.from_numpy(1 / some.reshape(-1, some.shape[2]).std(0)))
    model = model.to(memory_format=torch.channels_last)
    project = nn.Sequential(nn.ReLU(), nn.Linear(model.embed.out_features, 128))
    optimiser = torch.optim.AdamW([*model.parameters(), *project.parameters()], lr=o.rate, weight_decay=0.02)
    step, last = 0, os.path.join(o.run, "last.pt")
    if os.path.exists(last):
        state = torch.load(last, weights_only=False)
        model.load_state_dict(state["model"]), project.load_state_dict(state["project"]), optimiser.load_state_dict(state["optimiser"])
        step, rng = state["step"], np.random.default_rng([o.seed, state["step"]])
    print(f"{len(mel)} windows", flush=True)
    total, shown, before, saved = 0.0, time.time(), step, time.time()

    def save(path):
        torch.save({"model": model.state_dict(), "project": project.state_dict(), "optimiser": optimiser.state_dict(), "step": step}, path + ".part")
        os.replace(path + ".part", path)

    while step * o.batch < o.examples:
        progress = step * o.batch / o.examples
        for group in optimiser.param_groups:
            group["lr"] = o.rate * min(1, progress / 0.04 + 0.02) * (0.5 + 0.5 * np.cos(np.pi * progress)) + 1e-6
        whole = mel[rng.integers(0, len(mel), o.batch)].astype("float32")
        wanted = torch.from_numpy(((coarse_features(whole) - centre) / scale).clip(-4, 4).astype("float32"))
        both = torch.from_numpy(np.concatenate([view(whole, rng), view(whole, rng)]))
        embedding = model.features(both)
        first, second = project(embedding).chunk(2)
        loss = contrast(first, second) + F.smooth_l1_loss(model.auxiliary(embedding), wanted.repeat(2, 1), beta=0.5)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimiser.step()
        step, total, now = step + 1, total + float(loss.detach()), time.time()
        if now - shown > 30:
            print(json.dumps({"examples": step * o.batch, "loss": round(total / (step - before), 4), "perSecond": round((step - before) * o.batch / (now - shown), 1)}), flush=True)
            shown, total, before = now, 0.0, step
        if now - saved > 120:
            save(last)
            saved = now
    save(last)
    save(os.path.join(o.run, "pretrained.pt"))
    print("done", flush=True)


if __name__ == "__main__":
    main()
