#!/usr/bin/env python3
"""Compares choices of the training at a small, equal number of examples and with a narrow network: one run a variant, one after another, resumable.

  ablate.py POOL OUT --heldout POOL --audio DEV --labels LABELS.tsv --map label_map.tsv --harness DIR --tracks TRACKS.jsonl
            --teachers DIR --pretrained NARROW_RUN/pretrained.pt [--examples 30000] [--only NAME ...] [--report-only]

Measured: agreement with the teachers on unseen recordings (AUC against their top decile, mean over tags), average precision
of strong tags (z > 1.5) there for the rare, middle and frequent third of the tags, and on the development set macro AUC and
AP of tracks and AP of single segments. Intervals: paired bootstrap over recordings (300 draws). OUT/report.md holds them.
"""
import argparse
import os
import pickle
import subprocess
import sys

import numpy as np
import torch

import front_end as fe
import labels
from export import load
from pool import pick, read_shard
from predict import decode

# what 1.1.0 was trained with; a variant's own options come after and win
BASE = ["--sampling", "root", "--mixup", "0.25"]
VARIANTS = {
    "base": [], "weak-off": ["--no-weak"], "natural": ["--sampling", "natural"], "uniform": ["--sampling", "uniform"],
    "negatives-half": ["--keep-negatives", "0.5"], "decay": ["--decay", "0.7"], "mixup-off": ["--mixup", "0"], "clean-only": ["--only-clean"],
    "robust": ["--robust", "0.25"], "pretrained": ["PRETRAINED"],
    "random-5": ["--label-share", "0.05"], "pretrained-5": ["--label-share", "0.05", "PRETRAINED"],
    "random-20": ["--label-share", "0.2"], "pretrained-20": ["--label-share", "0.2", "PRETRAINED"],
}
# (variant, compared with)
PAIRS = [("pretrained-5", "random-5"), ("pretrained-20", "random-20"), ("pretrained", "base"), ("base", "weak-off"), ("base", "natural"), ("uniform", "base"),
         ("negatives-half", "base"), ("decay", "base"), ("base", "mixup-off"), ("base", "clean-only"), ("robust", "base")]
MEASURES = ["agreement AUC", "AP rare", "AP middle", "AP frequent", "track AUC", "track AP", "segment AP"]
DRAWS = 300


class Truth:
    """Held-out windows and development set, with bootstrap weights over recordings."""

    def __init__(self, o, statistics, frequency):
        sys.path.insert(0, o.harness)
        import score
        self.score = score
        shards = [read_shard(os.path.join(o.heldout, f)) for f in sorted(os.listdir(o.heldout)) if f.endswith(".npz")]
        self.mel = np.concatenate([s["mel"][pick(s)] for s in shards]).astype("float32")
        self.z = np.concatenate([statistics(s)[0][pick(s)] for s in shards])
        self.window_weights = self.draws(np.concatenate([s["track"][pick(s)] for s in shards]))
        self.taught = [i for i in range(len(labels.TAGS)) if i not in labels.NOT_TEACHER]
        order = [i for i in np.argsort(frequency) if i in set(self.taught)]
        self.thirds = np.array_split(order, 3)
        rows = score.read_tsv(o.labels)
        self.files, targets = score.build_targets(rows, score.read_tsv(o.map), "macleod", "fair")
        self.targets = {labels.INDEX[k]: v for k, v in targets.items()
                        if k in labels.INDEX and min((v[0] & v[1]).sum(), (~v[0] & v[1]).sum()) >= 5}
        if not os.path.exists(o.cache):
            np.savez(o.cache, **{f: fe.segments(decode(os.path.join(o.audio, f), 60)).astype("float16") for f in self.files})
        with np.load(o.cache) as f:
            self.segments = [f[name][::2].astype("float32") for name in self.files]
        self.owner = np.repeat(np.arange(len(self.files)), [len(s) for s in self.segments])
        self.track_weights = self.draws(np.arange(len(self.files)))

    @staticmethod
    def draws(groups):
        """[DRAWS + 1, n]: all ones, then how often each row's recording was drawn."""
        names, place = np.unique(groups, return_inverse=True)
        count = np.random.default_rng(5).multinomial(len(names), np.full(len(names), 1 / len(names)), size=DRAWS)
        return np.vstack([np.ones(len(groups)), count[:, place]])

    def measure(self, path):
        """{measure: values [DRAWS + 1]} of a run."""
        model = load(path)[0]

        def answer(mel):
            with torch.no_grad():
                return torch.cat([model(torch.from_numpy(m))[0] for m in np.array_split(mel, -(-len(mel) // 64))]).numpy()
        heard, out = answer(self.mel), {}
        top = self.z >= np.quantile(self.z, 0.9, axis=0)
        out["agreement AUC"] = np.nanmean([self.score.rank_metrics(heard[:, i], top[:, i], self.window_weights)[0] for i in self.taught], 0)
        for name, third in zip(("AP rare", "AP middle", "AP frequent"), self.thirds):
            aps = [self.score.rank_metrics(heard[:, i], self.z[:, i] > 1.5, self.window_weights)[1] for i in third if (self.z[:, i] > 1.5).sum() >= 5]
            out[name] = np.nanmean(aps, 0)
        every = answer(np.concatenate(self.segments))
        track = np.stack([every[self.owner == k].mean(0) for k in range(len(self.files))])
        scores = [self.score.rank_metrics(track[used, i], positive[used], self.track_weights[:, used]) for i, (positive, used) in self.targets.items()]
        out["track AUC"], out["track AP"] = (np.nanmean([s[k] for s in scores], 0) for k in (0, 1))
        aps = []
        for i, (positive, used) in self.targets.items():
            here = used[self.owner]
            aps.append(self.score.rank_metrics(every[here, i], positive[self.owner][here], self.track_weights[:, self.owner][:, here])[1])
        out["segment AP"] = np.nanmean(aps, 0)
        return out


def cell(values, signed=False):
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return f"{values[0]:+.3f} [{low:+.3f}, {high:+.3f}]" if signed else f"{values[0]:.3f} [{low:.3f}, {high:.3f}]"


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("pool")
    a.add_argument("out")
    for name in ("heldout", "audio", "labels", "map", "harness", "tracks", "teachers", "pretrained"):
        a.add_argument("--" + name, required=True)
    a.add_argument("--examples", type=int, default=30000)
    a.add_argument("--only", nargs="+", default=list(VARIANTS))
    a.add_argument("--report-only", action="store_true")
    o = a.parse_args()
    torch.set_num_threads(1)
    os.makedirs(o.out, exist_ok=True)
    o.cache = os.path.join(o.out, "development-mel.npz")
    here, statistics = os.path.dirname(os.path.abspath(__file__)), os.path.join(o.out, "statistics.pickle")
    for name in [] if o.report_only else o.only:
        run = os.path.join(o.out, name)
        if os.path.exists(os.path.join(run, "final.pt")):
            continue
        arguments = [x for v in VARIANTS[name] for x in (["--pretrained", o.pretrained] if v == "PRETRAINED" else [v])]
        subprocess.run([sys.executable, os.path.join(here, "train.py"), o.pool, run, "--tracks", o.tracks, "--teachers", o.teachers, "--statistics", statistics,
                        "--max-examples", str(o.examples), "--clean-first", "0.2", "--short-until", "1", "--narrow", *BASE, *arguments], check=True)
    with open(statistics, "rb") as f:
        fitted = pickle.load(f)
    truth = Truth(o, fitted, np.mean([(fitted(read_shard(os.path.join(o.pool, f)))[0] > 1.5).mean(0) for f in sorted(os.listdir(o.pool))[::3] if f.endswith(".npz")], 0))
    results = {}
    for name in VARIANTS:
        run, stored = os.path.join(o.out, name, "final.pt"), os.path.join(o.out, name, "measured.npz")
        if os.path.exists(run) and not os.path.exists(stored):
            np.savez(stored, **truth.measure(run))
        if os.path.exists(stored):
            with np.load(stored) as f:
                results[name] = dict(f)
    lines = ["| run | " + " | ".join(MEASURES) + " |", "| --- |" + " --- |" * len(MEASURES)]
    lines += [f"| {n} | " + " | ".join(cell(r[m]) for m in MEASURES) + " |" for n, r in results.items()]
    lines += ["", "| difference | " + " | ".join(MEASURES) + " |", "| --- |" + " --- |" * len(MEASURES)]
    lines += [f"| {x} - {y} | " + " | ".join(cell(results[x][m] - results[y][m], True) for m in MEASURES) + " |" for x, y in PAIRS if x in results and y in results]
    with open(os.path.join(o.out, "report.md"), "w") as f:
        f.write("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
