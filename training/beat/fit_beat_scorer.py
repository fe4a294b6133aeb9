"""Fits the linear scorer of beat hypotheses.

    fit_beat_scorer.py HYPOTHESES.jsonl... --out beat-weights.generated.ts [--folds]

Input: lines of test/quality/analysis/export-features.ts: `id` and `rows`, one row a hypothesis with its features `x`,
the beat F1 against the score `f1`, and `acc1` (tempo right). The loss is the cross entropy between the softmax of the
scores and the softmax of F1 + 0.3 acc1 (temperature 0.1), so that a hypothesis that is nearly right is nearly as good.
--folds prints 5-fold and leave-one-source-out figures (source: the id up to the first hyphen).
"""
import argparse
import json
import random

import numpy as np
import torch


def load(paths):
    pieces = []
    for path in paths:
        for line in open(path, encoding="utf-8"):
            piece = json.loads(line)
            if not piece["rows"]:
                continue
            piece["x"] = np.array([row["x"] for row in piece["rows"]], np.float32)
            piece["f1"] = np.array([row["f1"] for row in piece["rows"]], np.float32)
            piece["acc1"] = np.array([row["acc1"] for row in piece["rows"]], np.float32)
            pieces.append(piece)
    return pieces


def fit(pieces, l2=1e-2, epochs=200, seed=0):
    """Returns the weights on raw features, float64."""
    torch.manual_seed(seed)
    rows = np.concatenate([piece["x"] for piece in pieces])
    spread = rows.std(0) + 1e-3
    most = max(len(piece["x"]) for piece in pieces)
    x = torch.zeros(len(pieces), most, rows.shape[1])
    real = torch.zeros(len(pieces), most, dtype=torch.bool)
    use = torch.full((len(pieces), most), -9.0)
    for i, piece in enumerate(pieces):
        n = len(piece["x"])
        x[i, :n] = torch.from_numpy(piece["x"] / spread)
        real[i, :n] = True
        use[i, :n] = torch.from_numpy(piece["f1"] + 0.3 * piece["acc1"])
    target = torch.softmax(use / 0.1, 1)
    weights = torch.zeros(rows.shape[1], requires_grad=True)
    optimiser = torch.optim.Adam([weights], lr=0.02)
    for _ in range(epochs):
        score = (x @ weights).masked_fill(~real, -1e9)
        loss = -(target * torch.log_softmax(score, 1)).sum(1).mean() + l2 * (weights**2).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return weights.detach().numpy().astype(np.float64) / spread


def evaluate(pieces, weights):
    best = [int((piece["x"] @ weights).argmax()) for piece in pieces]
    f1 = float(np.mean([piece["f1"][i] for piece, i in zip(pieces, best)]))
    acc1 = float(np.mean([piece["acc1"][i] for piece, i in zip(pieces, best)]))
    return f"beat F1 {f1:.3f} tempo acc1 {acc1:.3f} ({len(pieces)} renders)"


def cross_validate(pieces):
    ids = sorted({piece["id"] for piece in pieces})
    random.Random(1).shuffle(ids)
    fold = {name: i % 5 for i, name in enumerate(ids)}
    for name, group in (("5-fold", lambda p: fold[p["id"]]), ("by source", lambda p: p["id"].split("-")[0])):
        for value in sorted({group(piece) for piece in pieces}):
            weights = fit([piece for piece in pieces if group(piece) != value])
            print(name, value, evaluate([piece for piece in pieces if group(piece) == value], weights))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hypotheses", nargs="+")
    parser.add_argument("--out")
    parser.add_argument("--folds", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    pieces = load(args.hypotheses)
    if args.folds:
        cross_validate(pieces)
    if args.out:
        weights = fit(pieces)
        print("all, seen in training:", evaluate(pieces, weights))
        with open(args.out, "w", encoding="utf-8") as out:
            out.write("/** Weights of the beat scorer, made by training/beat/fit_beat_scorer.py. */\n")
            out.write("export const beatWeights: readonly number[] = [\n")
            out.writelines(f"  {w:.5f},\n" for w in weights)
            out.write("];\n")


if __name__ == "__main__":
    main()
