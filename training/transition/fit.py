"""Fits the transition model and measures it on packages that it never saw.

    fit.py SEAMS JOINS [--report REPORT.json] [--out transition-model.generated.ts] [--version 2.0.0]

SEAMS and JOINS hold windows (make_seams.py, make_joins.py), their feature rows (test/quality/transition/export-features.ts)
and, for the figures, the rows of baselines.py. One linear tower a component (towers.py) is fitted on pairs that belong
together: continuations, plain and stretched, song ends and song starts, joins of different MIDI files. The re-ranker
(reranker.py) learns from cosines of towers that were fitted on other packages (three folds). Figures: towers and re-ranker
from the training and development packages, ranks in the test packages, candidates from all tracks but the query's own.
The model that is written is fitted on everything.
"""
import argparse
import base64
import json
import zlib

import numpy as np

import baselines
import reranker
from towers import COMPONENTS, Joins, Seams, embed, fit_tower, interval, layout, pool_ranks, unit

DIMENSIONS, SHRINK, FOLDS, POOL, NEGATIVES, LISTS = 48, 0.2, 3, 1000, 40, 400
# Weights of the search vector: what a first look by one dot product goes by.
SEARCH = dict(timbre=0.24, dynamics=0.24, harmony=0.24, rhythm=0.2, seam=0.08)


def towers_of(seams, joins, use, use_joins, parts):
    """A tower a component from the seams where `use` and the joins where `use_joins` is true."""
    tracks = np.isin(np.arange(len(seams.ends)), np.unique(seams.track[use])) & seams.whole
    out = {}
    for component in COMPONENTS:
        part = parts[component]
        rows = {kind: values[use][:, part] for kind, values in seams.rows.items()}
        near = 1.0 if component == "seam" else 0.3
        pairs = [(rows["tail"], rows["head"], 1.0), (rows["tail"], rows["other"], 1.0), (rows["head"], rows["other"], 0.5),
                 (rows["tail"], rows["next"], near), (seams.ends[tracks][:, part], seams.starts[tracks][:, part], 0.5)]
        if use_joins.any():
            pairs += [(joins.tail[use_joins][:, part], head[use_joins][:, part], 0.5) for head in (joins.next, joins.head)]
        out[component] = fit_tower(pairs, min(DIMENSIONS, part.stop - part.start), SHRINK)
    return out


def cosines(towers, parts, tails, heads):
    """[tails, heads, components]"""
    return np.stack([embed(tails[:, parts[c]], towers[c], 0) @ embed(heads[:, parts[c]], towers[c], 1).T for c in COMPONENTS], -1)


def lists_of(seams, joins, towers, parts, use, use_joins, rnd):
    """Ranked lists for the re-ranker from rows that the towers never saw: cosines, the true head first."""
    out = dict(head=[], other=[], within=[], ends=[], joins=[])
    queries = np.where(use)[0]
    for kind in ("head", "other"):
        every = cosines(towers, parts, seams.rows["tail"][queries], seams.rows[kind][queries])
        for i, q in enumerate(queries):
            rivals = np.where(seams.track[queries] != seams.track[q])[0]
            rivals = rnd.choice(rivals, NEGATIVES, replace=len(rivals) < NEGATIVES)
            out[kind].append(every[i][np.r_[i, rivals]])
    every = cosines(towers, parts, seams.rows["tail"][queries], seams.rows["next"][queries])
    for i, q in enumerate(queries):
        rivals = np.where((seams.track[queries] == seams.track[q]) & (queries != q))[0]
        if len(rivals) >= 5:
            out["within"].append(every[i][np.r_[i, rivals[:5]]])
    tracks = np.where(np.isin(np.arange(len(seams.ends)), np.unique(seams.track[use])) & seams.whole)[0]
    every = cosines(towers, parts, seams.ends[tracks], seams.starts[tracks])
    for i in range(len(tracks)):
        rivals = rnd.choice(np.delete(np.arange(len(tracks)), i), 20, replace=len(tracks) < 21)
        out["ends"].append(every[i][np.r_[i, rivals]])
    chosen = np.where(use_joins)[0]
    if len(chosen) > 5:
        for heads in (joins.next, joins.head):
            every = cosines(towers, parts, joins.tail[chosen], heads[chosen])
            for i in range(len(chosen)):
                rivals = rnd.choice(np.delete(np.arange(len(chosen)), i), 20, replace=len(chosen) < 21)
                out["joins"].append(every[i][np.r_[i, rivals]])
    return out


def fold_of(names):
    return np.array([zlib.crc32(name.encode()) % FOLDS for name in names])


def train(seams, joins, use, use_joins, parts, weights):
    """Towers from all that may be used, re-ranker from folds; returns both and the mean cosines of unrelated pairs."""
    rnd = np.random.default_rng(0)
    fold, join_fold = fold_of(seams.package), fold_of(joins.first)
    gathered = dict(head=[], other=[], within=[], ends=[], joins=[])
    for k in range(FOLDS):
        towers = towers_of(seams, joins, use & (fold != k), use_joins & (join_fold != k), parts)
        for kind, found in lists_of(seams, joins, towers, parts, use & (fold == k), use_joins & (join_fold == k), rnd).items():
            gathered[kind] += found
    lists = []
    for kind, found in gathered.items():
        if found:
            chosen = rnd.permutation(len(found))[:LISTS]
            lists.append((np.array(found)[chosen], weights[kind]))
    good = np.concatenate([np.array(gathered[kind])[:, 0] for kind in ("head", "other", "joins") if gathered[kind]])
    bad = np.concatenate([np.array(gathered[kind])[:, 1:3].reshape(-1, len(COMPONENTS)) for kind in ("head", "other")])
    net = reranker.train(lists, good, bad)
    scores = {kind: reranker.logits(net, np.array(found)) for kind, found in gathered.items() if found}
    return towers_of(seams, joins, use, use_joins, parts), net, bad.mean(0), scores


def whitened(rows, columns, keep):
    mean, spread = rows[:, columns].mean(0), rows[:, columns].std(0) + 1e-6
    _, singular, axes = np.linalg.svd((rows[:, columns] - mean) / spread, full_matrices=False)
    projection = axes[:keep].T / (singular[:keep] / np.sqrt(len(rows)))
    return lambda x: unit(((x[:, columns] - mean) / spread) @ projection)


def camelot(rows):
    """Place on the circle of fifths (relative keys share one) by Krumhansl profiles."""
    from make_joins import MAJOR, MINOR
    profiles = np.array([np.roll(p, t) for p in (MAJOR, MINOR) for t in range(12)])
    profiles = (profiles - profiles.mean(1, keepdims=True)) / profiles.std(1, keepdims=True)
    key = np.argmax(rows[:, baselines.CHROMA] @ profiles.T, 1)
    return np.where(key < 12, 7 * key, 7 * (key - 12 + 3)) % 12


def rule(tails, heads):
    tempo = np.abs(np.log2(heads[None, :, baselines.TEMPO] / tails[:, None, baselines.TEMPO]))
    tempo = np.minimum(tempo, np.abs(tempo - 1))
    steps = np.abs(camelot(tails)[:, None] - camelot(heads)[None])
    return -8 * tempo - 0.5 * np.minimum(steps, 12 - steps)


def rivals_by(use_rows):
    """Scorers of the baselines: name -> f(tails, heads) from rows of baselines.py, fitted on `use_rows`."""
    pca, blind = whitened(use_rows, baselines.ALL, 64), whitened(use_rows, baselines.TEMPO_BLIND, 48)
    chroma = lambda x: unit(x[:, baselines.CHROMA])  # noqa: E731
    return {
        "random": lambda a, b: np.random.default_rng(2).random((len(a), len(b))),
        "loudness": lambda a, b: -np.abs(a[:, None, baselines.LOUDNESS] - b[None, :, baselines.LOUDNESS]),
        "tempo + Camelot rule": rule,
        "chroma": lambda a, b: chroma(a) @ chroma(b).T,
        "whitened PCA": lambda a, b: pca(a) @ pca(b).T,
        "whitened PCA without exact rhythm": lambda a, b: blind(a) @ blind(b).T,
    }


def slices(seams, base, joins, base_joins, test):
    """name -> (tails, heads of features, tails, heads of baselines, true head, allowed heads, groups)"""
    queries = np.where(test)[0]
    other_tracks = seams.track[queries][:, None] != seams.track[None]
    same = (seams.track[queries][:, None] == seams.track[None]) & (queries[:, None] != np.arange(len(seams.track))[None])
    groups = seams.track[queries]
    out = {}
    for name, kind, allowed in (("gap 4 s", "head", other_tracks), ("one side stretched", "other", other_tracks), ("inside one track", "next", same)):
        out[name] = (seams.rows["tail"][queries], seams.rows[kind], base.rows["tail"][queries], base.rows[kind], queries, allowed, groups)
    tracks = np.where((seams.track_split == "test") & seams.whole)[0]
    whole = np.where(seams.whole)[0]
    out["song end to song start"] = (seams.ends[tracks], seams.starts[whole], base.ends[tracks], base.starts[whole],
                                     np.searchsorted(whole, tracks), tracks[:, None] != whole[None], tracks)
    mine = np.where(joins.split == "test")[0]
    out["different songs, joined MIDI"] = (joins.tail[mine], joins.head[mine], base_joins.tail[mine], base_joins.head[mine],
                                           np.arange(len(mine)), ~np.eye(len(mine), dtype=bool), joins.first[mine])
    albums = {}
    for n, entry in enumerate(seams.entries):
        albums.setdefault(entry["path"].rsplit("/", 1)[0], []).append(n)
    return out


def report(seams, base, joins, base_joins, towers, net, parts, known):
    rnd = np.random.default_rng(0)
    rivals = rivals_by(np.concatenate([base.rows["tail"][known], base.rows["head"][known]]))
    found = {}
    for name, (tails, heads, base_tails, base_heads, truth, allowed, groups) in slices(
            seams, base, joins, base_joins, seams.split == "test").items():
        every = cosines(towers, parts, tails, heads)
        search = every @ np.array([SEARCH[c] for c in COMPONENTS])
        scorers = {rival: score(base_tails, base_heads) for rival, score in rivals.items()}
        scorers |= {"two towers": search, "two towers + re-ranker": reranker.logits(net, every)}
        ranks = {label: pool_ranks(scores, truth, allowed, np.random.default_rng(1), POOL) for label, scores in scorers.items()}
        pool = int(min(POOL, allowed.sum(1).max() + 1))
        print(f"\n{name}: {len(truth)} queries of {len(np.unique(groups))} tracks, {pool} heads")
        rows = {}
        for label, r in ranks.items():
            mean, low, high = interval(1 / r, groups, rnd)
            rows[label] = dict(r1=float((r == 1).mean()), r10=float((r <= 10).mean()), mrr=float(mean), low=float(low), high=float(high))
            print(f"  {label:36s} R@1 {rows[label]['r1']:.3f}  R@10 {rows[label]['r10']:.3f}  MRR {mean:.3f} [{low:.3f}, {high:.3f}]")
        best = max((label for label in rivals), key=lambda label: rows[label]["mrr"])
        gain = interval(1 / ranks["two towers + re-ranker"] - 1 / ranks[best], groups, rnd)
        print(f"  gain over {best}: {gain[0]:+.3f} [{gain[1]:+.3f}, {gain[2]:+.3f}]")
        found[name] = dict(queries=len(truth), tracks=len(np.unique(groups)), heads=pool, rows=rows, rival=best, gain=list(map(float, gain)))
    return found


def write(path, version, towers, net, null, parts, least_score):
    spec = dict(id="earmark-transition", version=version,
                towers=[dict(component=c, dimensions=towers[c][1].shape[1], weight=SEARCH[c], nullCosine=round(float(null[i]), 6))
                        for i, c in enumerate(COMPONENTS)],
                reranker=net, leastScore=least_score)
    data = np.concatenate([np.concatenate([towers[c][0].ravel(), towers[c][1].ravel()]) for c in COMPONENTS]).astype("<f4").tobytes()
    with open(path, "w", encoding="utf-8") as out:
        out.write("import type { TransitionModelSpec } from './transition-model.js';\n\n")
        out.write(f"/** Made by training/transition/fit.py. */\nexport const modelSpec: TransitionModelSpec = {json.dumps(spec)};\n")
        out.write("/** Means and projections of the towers; float32 in base64. */\n")
        out.write(f"export const modelWeights =\n  '{base64.b64encode(data).decode()}';\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seams")
    parser.add_argument("joins")
    parser.add_argument("--report")
    parser.add_argument("--out")
    parser.add_argument("--version", default="2.0.0")
    args = parser.parse_args()
    parts = layout(args.seams)
    seams, joins = Seams(args.seams), Joins(args.joins)
    weights = dict(head=1.0, other=1.0, within=0.7, ends=0.3, joins=0.5)
    if args.report:
        base, base_joins = Seams(args.seams, ".base"), Joins(args.joins, ".base")
        known, known_joins = seams.split != "test", joins.split == "train"
        towers, net, _, _ = train(seams, joins, known, known_joins, parts, weights)
        found = report(seams, base, joins, base_joins, towers, net, parts, known)
        with open(args.report, "w", encoding="utf-8") as out:
            json.dump(found, out, indent=1)
    if args.out:
        every = np.ones(len(seams.track), bool)
        towers, net, null, scores = train(seams, joins, every, np.ones(len(joins.split), bool), parts, weights)
        good = np.concatenate([scores[kind][:, 0] for kind in ("head", "other", "joins") if kind in scores])
        write(args.out, args.version, towers, net, null, parts, round(float(1 / (1 + np.exp(-np.quantile(good, 0.1)))), 4))


if __name__ == "__main__":
    main()
