"""Fits the linear scorer of beat hypotheses, which stands in where no network runs.

    fit_beat_scorer.py --data CLIPS.jsonl=FOLDER... --out beat-weights.generated.ts [--folds]

Input: the clips and what test/quality/analysis/export-features.ts made of them. The loss is the cross entropy between the softmax
of the scores and the softmax of F1 + 0.3 acc1 (temperature 0.1), so that a hypothesis that is nearly right is nearly as good.
--folds prints 5-fold and leave-one-source-out figures.
"""
import argparse
import random

import numpy as np

import beat_data

FEATURES = 69


def load(pairs):
    clips = [clip for pair in pairs for clip in beat_data.load(*pair.split("="))]
    for clip in clips:
        clip["x"] = clip["x"][:, :FEATURES]
    return clips


def fit(pieces, l2=1e-2, steps=150):
    """Returns the weights on raw features, float64: Adam on the closed-form gradient."""
    rows = np.concatenate([piece["x"] for piece in pieces]).astype(np.float64)
    spread = rows.std(0) + 1e-3
    rows /= spread
    sizes = [len(piece["x"]) for piece in pieces]
    starts = np.r_[0, np.cumsum(sizes)[:-1]]
    owner = np.repeat(np.arange(len(pieces)), sizes)

    def softmax(scores):
        e = np.exp(scores - np.maximum.reduceat(scores, starts)[owner])
        return e / np.add.reduceat(e, starts)[owner]

    use = np.concatenate([piece["f1"] + 0.3 * piece["acc1"] for piece in pieces])
    target = softmax(use / 0.1)
    weights, mean, square = np.zeros(rows.shape[1]), np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
    for step in range(1, steps + 1):
        gradient = rows.T @ (softmax(rows @ weights) - target) / len(pieces) + 2 * l2 * weights
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        weights -= 0.03 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return weights / spread


def evaluate(pieces, weights):
    best = [int((piece["x"] @ weights).argmax()) for piece in pieces]
    f1 = float(np.mean([piece["f1"][i] for piece, i in zip(pieces, best)]))
    acc1 = float(np.mean([piece["acc1"][i] for piece, i in zip(pieces, best)]))
    return f"beat F1 {f1:.3f} tempo acc1 {acc1:.3f} ({len(pieces)} renders)"


def cross_validate(pieces):
    ids = sorted({piece["group"] for piece in pieces})
    random.Random(1).shuffle(ids)
    fold = {name: i % 5 for i, name in enumerate(ids)}
    for name, group in (("5-fold", lambda p: fold[p["group"]]), ("by source", lambda p: p["source"])):
        for value in sorted({group(piece) for piece in pieces}):
            weights = fit([piece for piece in pieces if group(piece) != value])
            print(name, value, evaluate([piece for piece in pieces if group(piece) == value], weights))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--out")
    parser.add_argument("--folds", action="store_true")
    args = parser.parse_args()
    pieces = load(args.data)
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
