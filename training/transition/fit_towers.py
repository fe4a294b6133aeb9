"""Fits the linear transition towers and measures them on packages left out.

    fit_towers.py FEATURES.jsonl [--out transition-model.generated.ts] [--dimensions 64] [--shrink 0.3]

Input: lines of test/quality/transition/export-features.ts. Positives are a tail and the head 4 s after it, of another gain
and EQ, plain and stretched. The projection maximises the spread of all windows over that of the differences of positives
(discriminant analysis with shrinkage); scores are cosines. Figures: MRR and recall of the true head among the heads of
all other tracks, for the left-out packages (split `test`), against a whitened PCA of the same features fitted on the same
training windows, with a bootstrap over tracks. The model that is written is fitted on all packages.
"""
import argparse
import base64
import json

import numpy as np

DIMENSIONS_OF_BASELINE = 64
EPSILON = 1e-6


def load(path):
    rows = [json.loads(line) for line in open(path, encoding="utf-8")]
    vectors = {side: np.array([np.frombuffer(base64.b64decode(row[side]), np.float32) for row in rows], np.float64)
               for side in ("tail", "head", "stretched")}
    return vectors, np.array([row["track"] for row in rows]), np.array([row["split"] for row in rows])


def fit(vectors, use, dimensions, shrink):
    """Returns the means of tails and heads and the projection [features, dimensions]."""
    tail, head, stretched = (vectors[side][use] for side in ("tail", "head", "stretched"))
    means = np.stack([tail.mean(0), np.concatenate([head, stretched]).mean(0)])
    centred = np.concatenate([tail - means[0], head - means[1], stretched - means[1]])
    spread = centred.std(0) + EPSILON
    centred = centred / spread
    difference = np.concatenate([(tail - means[0]) - (head - means[1]), (tail - means[0]) - (stretched - means[1]),
                                 (head - stretched)]) / spread
    within = difference.T @ difference / len(difference) / 2
    total = centred.T @ centred / len(centred)
    within = (1 - shrink) * within + shrink * np.eye(len(within)) * np.trace(within) / len(within)
    low = np.linalg.cholesky(within)
    half = np.linalg.solve(low, np.linalg.solve(low, total).T)
    values, basis = np.linalg.eigh((half + half.T) / 2)
    order = np.argsort(values)[::-1][:dimensions]
    projection = np.linalg.solve(low.T, basis[:, order])
    return means, projection / spread[:, None]


def whitened_pca(vectors, use):
    rows = np.concatenate([vectors[side][use] for side in ("tail", "head")])
    mean, spread = rows.mean(0), rows.std(0) + EPSILON
    _, singular, axes = np.linalg.svd((rows - mean) / spread, full_matrices=False)
    k = DIMENSIONS_OF_BASELINE
    projection = axes[:k].T / (singular[:k] / np.sqrt(len(rows)))
    return np.stack([mean, mean]), projection / spread[:, None]


def embed(rows, mean, projection):
    out = (rows - mean) @ projection
    return out / np.linalg.norm(out, axis=1, keepdims=True)


def reciprocal_ranks(vectors, tracks, queries, side, model):
    means, projection = model
    tails = embed(vectors["tail"], means[0], projection)
    heads = embed(vectors[side], means[1], projection)
    ranks = []
    for q in np.where(queries)[0]:
        scores = heads @ tails[q]
        rivals = scores[tracks != tracks[q]]
        ranks.append(1 + int((rivals >= scores[q]).sum()))
    return 1 / np.array(ranks)


def interval(values, tracks, rnd):
    groups = [values[tracks == t] for t in np.unique(tracks)]
    means = [np.concatenate([groups[i] for i in rnd.integers(0, len(groups), len(groups))]).mean() for _ in range(500)]
    return np.quantile(means, [0.025, 0.975])


def report(vectors, tracks, split, dimensions, shrink):
    train, test = split == "train", split == "test"
    rnd = np.random.default_rng(0)
    baseline = whitened_pca(vectors, train)
    towers = fit(vectors, train, dimensions, shrink)
    for side in ("head", "stretched"):
        base = reciprocal_ranks(vectors, tracks, test, side, baseline)
        ours = reciprocal_ranks(vectors, tracks, test, side, towers)
        low, high = interval(ours - base, tracks[test], rnd)
        print(f"{side}: {test.sum()} queries, {len(tracks)} heads; whitened PCA MRR {base.mean():.3f} R@1 {(base == 1).mean():.3f}; "
              f"towers MRR {ours.mean():.3f} R@1 {(ours == 1).mean():.3f} R@10 {(ours >= 0.1).mean():.3f}; "
              f"gain {(ours - base).mean():+.3f} [{low:+.3f}, {high:+.3f}]")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features")
    parser.add_argument("--out")
    parser.add_argument("--dimensions", type=int, default=64)
    parser.add_argument("--shrink", type=float, default=0.3)
    parser.add_argument("--id", default="earmark-transition@1.0.0")
    args = parser.parse_args()
    vectors, tracks, split = load(args.features)
    print(len(set(tracks[split == "train"])), "training tracks,", len(set(tracks[split == "test"])), "test tracks")
    report(vectors, tracks, split, args.dimensions, args.shrink)
    if args.out:
        means, projection = fit(vectors, np.ones(len(tracks), bool), args.dimensions, args.shrink)
        data = np.concatenate([means.ravel(), projection.ravel()]).astype("<f4").tobytes()
        with open(args.out, "w", encoding="utf-8") as out:
            out.write("/** Towers made by training/transition/fit_towers.py: means of tails and heads, projection; float32 in base64. */\n")
            out.write(f"export const modelId = '{args.id}';\n/** Values of an embedding. */\n")
            out.write(f"export const modelDimensions = {args.dimensions};\n/** Weights. */\n")
            out.write(f"export const modelWeights =\n  '{base64.b64encode(data).decode()}';\n")


if __name__ == "__main__":
    main()
