#!/usr/bin/env python3
"""Trains the network that judges reference peaks on the query's spectrogram.

  train_spectral.py FIT.jsonl [TEST.jsonl ...] [--out libs/fingerprint/src/spectral-model.ts] [--seed 0]

The files come from test/quality/fingerprint/spectral-examples.ts; FIT and TEST must hold music of other packages. Three rounds: the gain of every alignment
is first guessed from the level that nearly all peaks reach, then the one that the network of the round before likes
best. Prints the cross-entropy and, for every file, how many true alignments are ahead of 99 % of the chance ones, by set.
"""
import argparse
import json

import numpy as np
import torch

SCALE = np.array([10, 8, 8, 6, 12, 10, 2], np.float32)
HIDDEN = (24, 12)
QUANTILE, GAINS, MOST = 0.12, np.arange(-6, 15, 3.0), 4.0


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        a, b = HIDDEN
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(len(SCALE), a), torch.nn.ReLU(), torch.nn.Linear(a, b), torch.nn.ReLU(), torch.nn.Linear(b, 1))

    def forward(self, x):
        return self.layers(x)[:, 0]


def read(path):
    rows = []
    with open(path) as f:
        for line in f:
            row = json.loads(line)
            row["x"] = np.array(row.pop("rows"), np.float32).reshape(-1, len(SCALE))
            if len(row["x"]) >= 4:
                rows.append(row)
    return rows


def inputs(x, gain):
    x = x.copy()
    x[:, 4] += gain
    x[:, 5] -= gain
    return (x / SCALE).astype(np.float32)


def lowest(x):
    return np.sort(x[:, 5])[int(QUANTILE * (len(x) - 1))]


def judge(net, x):
    """The best sum of logits and its gain."""
    gains = lowest(x) + GAINS
    with torch.no_grad():
        logits = net(torch.from_numpy(np.concatenate([inputs(x, g) for g in gains]))).numpy().reshape(len(gains), -1)
    sums = logits.clip(-MOST, MOST).sum(1)
    return sums.max(), gains[sums.argmax()]


def train(rows, rounds=3, epochs=6, rate=4e-3, batch=1024):
    net = None
    for i in range(rounds):
        gain = [judge(net, r["x"])[1] if net else lowest(r["x"]) + 3 for r in rows]
        x = torch.from_numpy(np.concatenate([inputs(r["x"], g) for r, g in zip(rows, gain)]))
        y = torch.from_numpy(np.concatenate([np.full(len(r["x"]), float(r["right"]), np.float32) for r in rows]))
        w = torch.where(y > 0, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
        net = Net()
        opt = torch.optim.Adam(net.parameters(), rate, weight_decay=1e-5)
        for epoch in range(epochs):
            for group in opt.param_groups:
                group["lr"] = rate * (1 - epoch / epochs)
            total = 0.0
            for k in torch.randperm(len(x)).split(batch):
                loss = (w[k] * torch.nn.functional.binary_cross_entropy_with_logits(net(x[k]), y[k], reduction="none")).mean()
                opt.zero_grad()
                loss.backward()
                opt.step()
                total += loss.item() * len(k)
        print(f"round {i}: {len(x)} peaks, cross-entropy {total / len(x):.3f}")
    return net


def report(name, net, rows):
    value = np.array([judge(net, r["x"])[0] / np.sqrt(len(r["x"])) for r in rows])
    right = np.array([r["right"] for r in rows])
    limit = np.quantile(value[~right], 0.99)
    print(f"{name}: 99 % of {np.sum(~right)} chance alignments are below {limit:.1f}")
    for s in dict.fromkeys(r["set"] for r in rows):
        own = np.array([r["set"] == s for r in rows]) & right
        if own.any():
            print(f"  {s}: {np.mean(value[own] > limit):.2f} of {own.sum()} true ones above")


def write(path, net):
    numbers = lambda t: ", ".join(f"{v:.4g}" for v in t.flatten().tolist())
    w = dict(zip(("weights1", "bias1", "weights2", "bias2", "weights3", "bias3"), map(numbers, net.state_dict().values())))
    with open(path, "w") as f:
        f.write("""/**
 * Network of {@link SpectralAgreement}, written by training/fingerprint/train_spectral.py; row-major, one row a unit.
 * Inputs, each divided by its scale: the cell against the bin's usual level, against its neighbours in frequency, in
 * time, against the loudest around, the music's level against the usual one, the cell against the music, rank.
 */
export const spectralModel = {
""")
        f.write(f"  scale: Float32Array.of({', '.join(f'{v:g}' for v in SCALE)}),\n")
        for name in ("weights1", "bias1", "weights2", "bias2", "weights3"):
            f.write(f"  // prettier-ignore\n  {name}: Float32Array.of({w[name]}),\n")
        f.write(f"  bias3: {w['bias3']},\n}} as const;\n")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("files", nargs="+")
    ap.add_argument("--out")
    ap.add_argument("--seed", type=int, default=0)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    torch.set_num_threads(1)
    fit = read(a.files[0])
    net = train(fit)
    report(a.files[0], net, fit)
    for path in a.files[1:]:
        report(path, net, read(path))
    if a.out:
        write(a.out, net)


if __name__ == "__main__":
    main()
