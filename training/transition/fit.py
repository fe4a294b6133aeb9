"""Fits the transition model and measures it on packages that it never saw.

    fit.py SEAMS JOINS [--report REPORT.json] [--out MODEL.npz] [--version 2.3.0]

SEAMS and JOINS hold windows (make_seams.py, make_joins.py), their feature rows (test/quality/transition/export-features.ts)
and, for the figures, the rows of baselines.py. One linear tower a component (towers.py) is fitted on pairs that belong
together: continuations, plain and stretched, song ends and song starts, joins of different MIDI files. The re-ranker
(reranker.py) learns from cosines of towers that were fitted on other packages (three folds). Figures: towers and re-ranker
from the training and development packages, ranks in the test packages, candidates from all tracks but the query's own.
The model that is written is fitted on everything (export.py makes files of it).
"""
import argparse
import json
import zlib

import numpy as np

import baselines
import reranker
from towers import RERANKED, TOWERS, Joins, Seams, embed, fit_tower, interval, layout, meeting, pool_ranks, unit

DIMENSIONS, SHRINK, FOLDS, POOL, NEGATIVES, LISTS = 48, 0.1, 3, 1000, 120, 800
# Heads of the rows that have fewer than POOL.
POOLS = {"song end": 86, "joined MIDI": 60}
# Weights of the lists that the re-ranker learns from.
KINDS_OF_LISTS = dict(head=1.0, other=1.0, within=0.7, ends=0.3, joins=1.0, album=0.3)
JOIN_WEIGHT = 0.5
NULLS = (np.arange(9) + 0.5) / 9
# Share of unrelated pairs that may be mixed: good joins of different songs are as rare among high scores as these.
UNRELATED_MIXED = 0.13
# Weights of the search vector: what a first look by one dot product goes by.
SEARCH = dict(timbre=0.24, dynamics=0.24, harmony=0.24, rhythm=0.2, seam=0.08)
SEARCH_WEIGHTS = np.array([SEARCH.get(c, 0) for c in (*RERANKED, "continuity")])
# What continuity adds to the log-odds: the gain for each unit above the threshold, as far as the mean cosine of all towers but the
# seam's lies between the bounds: sounds of unrelated music meet by chance too often.
CONTINUITY = dict(gain=12.0, threshold=0.3, agreement=(0.2, 0.5))


def towers_of(seams, joins, use, use_joins, parts):
    """A tower a component from the seams where `use` and the joins where `use_joins` is true."""
    tracks = np.isin(np.arange(len(seams.ends)), np.unique(seams.track[use])) & seams.whole
    out = {}
    for component in TOWERS:
        part = parts[component]
        rows = {kind: values[use][:, part] for kind, values in seams.rows.items()}
        near = 1.0 if component == "seam" else 0.3
        pairs = [(rows["tail"], rows["head"], 1.0), (rows["tail"], rows["other"], 1.0), (rows["head"], rows["other"], 0.5),
                 (rows["tail"], rows["next"], near), (seams.ends[tracks][:, part], seams.starts[tracks][:, part], 0.5)]
        if use_joins.any():
            pairs += [(joins.tail[use_joins][:, part], head[use_joins][:, part], JOIN_WEIGHT) for head in (joins.next, joins.head)]
        out[component] = fit_tower(pairs, min(DIMENSIONS, part.stop - part.start), SHRINK)
    return out


def compared(towers, parts, tails, heads, product):
    """Cosines of towers, key, pulse and continuity, on the last axis."""
    plain = [product(embed(tails[:, parts[c]], towers[c], 0), embed(heads[:, parts[c]], towers[c], 1)) for c in TOWERS]
    plain.append(product(tails[:, parts["key"]], heads[:, parts["key"]]))
    pulse = meeting(tails[:, parts["pulse"]], heads[:, parts["pulse"]], product)
    return np.stack([*plain, pulse, product(tails[:, parts["continuity"]], heads[:, parts["continuity"]])], -1)


def cosines(towers, parts, tails, heads):
    """[tails, heads, components]"""
    return compared(towers, parts, tails, heads, lambda a, b: a @ b.T)


def pair_cosines(towers, parts, tails, heads):
    """[pairs, components]"""
    return compared(towers, parts, tails, heads, lambda a, b: (a * b).sum(1))


def log_odds(net, found):
    """Of cosines [..., components]: the re-ranker on all but continuity's, and what continuity adds."""
    low, high = CONTINUITY["agreement"]
    agreement = np.clip((found[..., :TOWERS.index("seam")].mean(-1) - low) / (high - low), 0, 1)
    bonus = CONTINUITY["gain"] * np.maximum(0, found[..., -1] - CONTINUITY["threshold"]) * agreement
    return reranker.logits(net, found[..., :-1]) + bonus


def neighbours(seams, queries, rnd):
    """For each query that has any: (its place, the place of a seam of another track in the same folder)."""
    for i, q in enumerate(queries):
        others = np.where((seams.folder[queries] == seams.folder[q]) & (seams.track[queries] != seams.track[q]))[0]
        if len(others):
            yield i, rnd.choice(others)


def lists_of(seams, joins, towers, parts, use, use_joins, rnd):
    """Ranked lists for the re-ranker from rows that the towers never saw: cosines, the true head first, half of the rest hard."""
    out = {kind: [] for kind in KINDS_OF_LISTS}
    queries = np.where(use)[0]
    for kind in ("head", "other"):
        every = cosines(towers, parts, seams.rows["tail"][queries], seams.rows[kind][queries])
        for i, q in enumerate(queries):
            rivals = np.where(seams.track[queries] != seams.track[q])[0]
            hard = rivals[np.argsort(-(every[i][rivals] @ SEARCH_WEIGHTS))[:NEGATIVES // 2]]
            out[kind].append(every[i][np.r_[i, hard, rnd.choice(rivals, NEGATIVES - len(hard), replace=len(rivals) < NEGATIVES)]])
    for i, other in neighbours(seams, queries, rnd):
        rivals = rnd.choice(np.where(seams.package[queries] != seams.package[queries[i]])[0], 20)
        out["album"].append(every[i][np.r_[other, rivals]])
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


def train(seams, joins, use, use_joins, parts):
    """Towers from all that may be used, re-ranker from folds; returns both, quantiles of the cosines of unrelated pairs, and the
    log-odds under which pairs should not be mixed."""
    rnd = np.random.default_rng(0)
    fold, join_fold = fold_of(seams.package), fold_of(joins.first)
    gathered = {kind: [] for kind in KINDS_OF_LISTS}
    for k in range(FOLDS):
        towers = towers_of(seams, joins, use & (fold != k), use_joins & (join_fold != k), parts)
        for kind, found in lists_of(seams, joins, towers, parts, use & (fold == k), use_joins & (join_fold == k), rnd).items():
            gathered[kind] += found
    lists = []
    for kind, found in gathered.items():
        if found:
            chosen = rnd.permutation(len(found))[:LISTS]
            lists.append((np.array(found)[chosen][..., :-1], KINDS_OF_LISTS[kind]))
    good = np.concatenate([np.array(gathered[kind])[:, 0] for kind in ("head", "other", "joins") if gathered[kind]])
    bad = np.concatenate([np.array(gathered[kind])[:, -2:].reshape(-1, len(RERANKED) + 1) for kind in ("head", "other")])
    net = reranker.train(lists, good[:, :-1], bad[:, :-1])
    least = float(np.quantile(log_odds(net, bad), 1 - UNRELATED_MIXED))
    return towers_of(seams, joins, use, use_joins, parts), net, np.quantile(bad, NULLS, axis=0), least


def decisions(seams, joins, towers, net, parts, threshold):
    """How many pairs of the test packages the threshold lets through: good kinds, then pairs of different packages."""
    mine = np.where(seams.split == "test")[0]
    one = lambda tails, heads: log_odds(net, pair_cosines(towers, parts, tails, heads))  # noqa: E731
    rnd = np.random.default_rng(4)
    rows, tested = seams.rows, joins.split == "test"
    tracks = np.where((seams.track_split == "test") & seams.whole)[0]
    pairs = [(a, b) for a, b in zip(rnd.choice(mine, 4000), rnd.choice(mine, 4000)) if seams.package[a] != seams.package[b]][:1000]
    a, b = np.array(pairs).T
    kinds = {"continuation after 4 s": one(rows["tail"][mine], rows["head"][mine]),
             "continuation, stretched": one(rows["tail"][mine], rows["other"][mine]),
             "continuation at once": one(rows["tail"][mine], rows["next"][mine]),
             "song end to song start": one(seams.ends[tracks], seams.starts[tracks]),
             "joined MIDI": one(joins.tail[tested], joins.next[tested]),
             "joined MIDI, 4 s later": one(joins.tail[tested], joins.head[tested]),
             "different packages": one(rows["tail"][a], rows["head"][b])}
    passed = {kind: float((values >= threshold).mean()) for kind, values in kinds.items()}
    for kind, share in passed.items():
        print(f"  {kind}: {share:.3f} of {len(kinds[kind])} are mixed")
    one_song = ("continuation after 4 s", "continuation, stretched", "continuation at once", "song end to song start")
    found = dict(passed=passed)
    for name, good_kinds, each in (("one recording", one_song, 25), ("with joins of two songs", [k for k in kinds if k != "different packages"], 17)):
        good = np.concatenate([rnd.choice(kinds[kind], each, replace=False) for kind in good_kinds])[:100]
        bad = rnd.choice(kinds["different packages"], 100, replace=False)
        right, wrong = int((bad < threshold).sum()), int((good < threshold).sum())
        found[name] = dict(precision=right / max(1, right + wrong), recall=right / 100)
        print(f"  do not mix, 100 good ({name}) and 100 bad: precision {found[name]['precision']:.3f} recall {found[name]['recall']:.3f}")
    return found


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
    lent = np.abs(base.rows["head"]).sum(1) > 0
    other_tracks = lent[None] & (seams.track[queries][:, None] != seams.track[None])
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
    # Heads at the border and heads 4 s later, each among its like; heads of the same two songs elsewhere would fit as well.
    both = lambda rows: np.concatenate([rows.next[mine], rows.head[mine]])  # noqa: E731
    kind = np.repeat([0, 1], len(mine))
    strange = np.array([[b not in (joins.first[i], joins.second[i]) for b in joins.second[mine]] for i in mine])
    out["different songs, joined MIDI, one side slower"] = (
        np.tile(joins.tail[mine], (2, 1)), both(joins), np.tile(base_joins.tail[mine], (2, 1)), both(base_joins), np.arange(2 * len(mine)),
        (kind[:, None] == kind[None]) & np.tile(strange, (2, 2)), np.tile(joins.first[mine], 2))
    found = [(i, queries[other]) for i, other in neighbours(seams, queries, np.random.default_rng(6))]
    places, others = np.array(found).T
    apart = lent[None] & (seams.package[queries[places]][:, None] != seams.package[None])
    out["different songs, same album, one side stretched"] = (
        seams.rows["tail"][queries[places]], seams.rows["other"], base.rows["tail"][queries[places]], base.rows["other"], others, apart,
        groups[places])
    return out


def report(seams, base, joins, base_joins, towers, net, parts, known):
    rnd = np.random.default_rng(0)
    fitted = np.concatenate([base.rows["tail"][known], base.rows["head"][known]])
    rivals = rivals_by(fitted[np.abs(fitted).sum(1) > 0])
    found = {}
    for name, (tails, heads, base_tails, base_heads, truth, allowed, groups) in slices(
            seams, base, joins, base_joins, seams.split == "test").items():
        every = cosines(towers, parts, tails, heads)
        search = every @ SEARCH_WEIGHTS
        scorers = {rival: score(base_tails, base_heads) for rival, score in rivals.items()}
        scorers |= {"two towers": search, "two towers + re-ranker": log_odds(net, every)}
        pool = int(min(next((size for kind, size in POOLS.items() if kind in name), POOL), allowed.sum(1).max() + 1))
        ranks = {label: pool_ranks(scores, truth, allowed, np.random.default_rng(1), pool) for label, scores in scorers.items()}
        print(f"\n{name}: {len(truth)} queries of {len(np.unique(groups))} tracks, {pool} heads")
        rows = {}
        for label, r in ranks.items():
            mean, low, high = interval(1 / r, groups, rnd)
            rows[label] = dict(r1=float((r == 1).mean()), r10=float((r <= 10).mean()), mrr=float(mean), low=float(low), high=float(high))
            print(f"  {label:36s} R@1 {rows[label]['r1']:.3f}  R@10 {rows[label]['r10']:.3f}  MRR {mean:.3f} [{low:.3f}, {high:.3f}]")
        best = max((label for label in rivals if label.startswith("whitened")), key=lambda label: rows[label]["mrr"])
        gain = interval(1 / ranks["two towers + re-ranker"] - 1 / ranks[best], groups, rnd)
        print(f"  gain over {best}: {gain[0]:+.3f} [{gain[1]:+.3f}, {gain[2]:+.3f}]")
        found[name] = dict(queries=len(truth), tracks=len(np.unique(groups)), heads=pool, rows=rows, rival=best, gain=list(map(float, gain)))
    return found


def save(path, version, towers, net, null, parts, least_score):
    """What export.py needs: spec (JSON), weights (means of tails and heads, projection, tower by tower), layout (JSON)."""
    spec = dict(id="earmark-transition", version=version,
                towers=[dict(component=c, dimensions=towers[c][1].shape[1], weight=SEARCH[c], nullCosines=np.round(null[:, i], 5).tolist())
                        for i, c in enumerate(TOWERS)],
                **{c: dict(nullCosines=np.round(null[:, RERANKED.index(c)], 5).tolist()) for c in ("key", "pulse")},
                continuity=dict(CONTINUITY, nullCosines=np.round(null[:, -1], 5).tolist()),
                reranker=net, leastScore=least_score)
    weights = np.concatenate([np.concatenate([towers[c][0].ravel(), towers[c][1].ravel()]) for c in TOWERS]).astype("<f4")
    places = {name: [part.start, part.stop - part.start] for name, part in parts.items()}
    np.savez(path, spec=json.dumps(spec), weights=weights, layout=json.dumps(places))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seams")
    parser.add_argument("joins")
    parser.add_argument("--report")
    parser.add_argument("--out")
    parser.add_argument("--version", default="2.3.0")
    args = parser.parse_args()
    parts = layout(args.seams)
    seams, joins = Seams(args.seams), Joins(args.joins)
    if args.report:
        base, base_joins = Seams(args.seams, ".base"), Joins(args.joins, ".base")
        known, known_joins = seams.split != "test", joins.split == "train"
        towers, net, _, least = train(seams, joins, known, known_joins, parts)
        found = report(seams, base, joins, base_joins, towers, net, parts, known)
        found["decisions"] = decisions(seams, joins, towers, net, parts, least)
        with open(args.report, "w", encoding="utf-8") as out:
            json.dump(found, out, indent=1)
    if args.out:
        every = np.ones(len(seams.track), bool)
        towers, net, null, least = train(seams, joins, every, np.ones(len(joins.split), bool), parts)
        save(args.out, args.version, towers, net, null, parts, round(1 / (1 + np.exp(-least)), 4))


if __name__ == "__main__":
    main()
