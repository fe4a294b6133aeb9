"""What the fits and the figures share: feature rows by kind of window, linear towers, ranks, intervals over tracks."""
import json
import os

import numpy as np

# Components with a tower; then those that the re-ranker reads as they are; continuity comes last.
TOWERS = ("timbre", "dynamics", "harmony", "rhythm", "seam")
RERANKED = (*TOWERS, "key", "pulse")
# Points on the logarithmic axis of a pulse that it may be shifted by: a change of tempo by 6.6 %.
PULSE_REACH = 3
KINDS = ("tail", "next", "head", "other")


def layout(folder):
    """Start and size of each component in a row, as the product wrote it."""
    with open(os.path.join(folder, "layout.json"), encoding="utf-8") as f:
        return {name: slice(part["start"], part["start"] + part["size"]) for name, part in json.load(f).items()}


class Seams:
    """Rows of make_seams.py: `rows[kind]` [seams, features], `track`, `package`, `folder`, `split` a seam; ends and starts a track."""

    def __init__(self, folder, suffix=".f32"):
        entries = [json.loads(line) for line in open(os.path.join(folder, "index.jsonl"), encoding="utf-8")]
        entries = [e for e in entries if os.path.exists(os.path.join(folder, e["id"] + suffix))]
        per, ends, starts, self.track, self.package, self.split, self.entries = {k: [] for k in KINDS}, [], [], [], [], [], entries
        for n, entry in enumerate(entries):
            values = np.fromfile(os.path.join(folder, entry["id"] + suffix), "<f4")
            values = values.reshape(4 * entry["seams"] + 2, -1)
            for k, kind in enumerate(KINDS):
                per[kind].append(values[k:4 * entry["seams"]:4])
            ends.append(values[-2])
            starts.append(values[-1])
            self.track += [n] * entry["seams"]
            self.package += [entry["package"]] * entry["seams"]
            self.split += [entry["split"]] * entry["seams"]
        self.rows = {kind: np.concatenate(parts).astype(np.float64) for kind, parts in per.items()}
        self.ends, self.starts = np.array(ends, np.float64), np.array(starts, np.float64)
        self.folder = np.array([entries[n]["path"].rsplit("/", 1)[0] for n in self.track])
        self.track, self.package, self.split = np.array(self.track), np.array(self.package), np.array(self.split)
        self.whole = np.array([e["whole"] for e in entries])
        self.track_split = np.array([e["split"] for e in entries])


class Joins:
    """Rows of make_joins.py: tails, heads at the border, heads 4 s later."""

    def __init__(self, folder, suffix=".f32"):
        entries = [json.loads(line) for line in open(os.path.join(folder, "index.jsonl"), encoding="utf-8")]
        entries = [e for e in entries if os.path.exists(os.path.join(folder, e["id"] + suffix))]
        values = np.array([np.fromfile(os.path.join(folder, e["id"] + suffix), "<f4").reshape(3, -1) for e in entries], np.float64)
        values = values.reshape(len(entries), 3, -1) if entries else np.zeros((0, 3, 1))
        self.tail, self.next, self.head = values[:, 0], values[:, 1], values[:, 2]
        self.split = np.array([e["split"] for e in entries])
        self.first, self.second = (np.array([e[name] for e in entries]) for name in ("first", "second"))


def unit(values):
    return values / (np.linalg.norm(values, axis=-1, keepdims=True) + 1e-9)


def fit_tower(pairs, dimensions, shrink):
    """A linear tower: discriminant analysis with shrinkage.

    pairs: [(tails, heads, weight)] that belong together, row by row. The projection maximises the spread of all rows over
    that of the differences of pairs. Returns means of tails and heads and the projection [features, dimensions].
    """
    tails, heads = np.concatenate([a for a, _, _ in pairs]), np.concatenate([b for _, b, _ in pairs])
    means = np.stack([tails.mean(0), heads.mean(0)])
    centred = np.concatenate([tails - means[0], heads - means[1]])
    spread = centred.std(0) + 1e-4
    centred = centred / spread
    within, weights = np.zeros((len(spread),) * 2), 0.0
    for a, b, weight in pairs:
        difference = ((a - means[0]) - (b - means[1])) / spread
        within += weight * difference.T @ difference
        weights += weight * len(a)
    within /= 2 * weights
    total = centred.T @ centred / len(centred)
    within = (1 - shrink) * within + shrink * np.eye(len(within)) * np.trace(within) / len(within)
    low = np.linalg.cholesky(within)
    half = np.linalg.solve(low, np.linalg.solve(low, total).T)
    values, basis = np.linalg.eigh((half + half.T) / 2)
    order = np.argsort(values)[::-1][:dimensions]
    return means, np.linalg.solve(low.T, basis[:, order]) / spread[:, None]


def embed(rows, tower, side):
    means, projection = tower
    return unit((rows - means[side]) @ projection)


def meeting(tails, heads, product):
    """Dot products of pulses at the shift where they meet best; `product` of two arrays as cosines or pairs want it."""
    n = tails.shape[1]
    return np.max([product(tails[:, max(0, s):n + min(0, s)], heads[:, max(0, -s):n + min(0, -s)])
                   for s in range(-PULSE_REACH, PULSE_REACH + 1)], 0)


def pool_ranks(scores, truth, allowed, rnd, pool):
    """Rank of each query's true head among at most `pool` - 1 others. scores [queries, heads], allowed likewise."""
    ranks = []
    for row, true, others in zip(scores, truth, allowed):
        rivals = np.where(others)[0]
        if len(rivals) > pool - 1:
            rivals = rnd.choice(rivals, pool - 1, replace=False)
        ranks.append(1 + int((row[rivals] >= row[true]).sum()))
    return np.array(ranks)


def interval(values, groups, rnd, times=1000):
    """Mean and its 95 % interval by bootstrap over groups."""
    names = np.unique(groups)
    sums = np.array([values[groups == g].sum() for g in names])
    counts = np.array([(groups == g).sum() for g in names])
    picks = rnd.integers(0, len(names), (times, len(names)))
    means = sums[picks].sum(1) / counts[picks].sum(1)
    return values.mean(), *np.quantile(means, [0.025, 0.975])
