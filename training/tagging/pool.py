"""Shards of the pool in memory: inputs, targets and labels, growing while workers add shards."""
import csv
import glob
import json
import os
import re
import zlib

import numpy as np

import labels

HERE = os.path.dirname(os.path.abspath(__file__))
TEACHERS = ("mn04", "jamendo", "msd", "mtat")
# AudioSet outputs worth regressing: speech, singing, music (137 "Music" to 282 "Scary music"), crowd
AUDIOSET = [*range(0, 7), *range(24, 38), *range(61, 68), *range(137, 283)]
POSITIVE_Z, NEGATIVE_Z = 2.0, -0.4


def load_words(listing):
    """Weak labels of tracks: {track id: array of tag indices} from words.tsv and the listing's word column."""
    meaning = {}
    with open(os.path.join(HERE, "words.tsv"), newline="") as f:
        for row in csv.DictReader(f, delimiter="\t"):
            meaning.setdefault(row["word"], []).append(labels.INDEX[(row["facet"], row["tag"])])
    out = {}
    with open(listing) as f:
        for line in f:
            track = json.loads(line)
            tags = sorted({t for w in re.split(r"[ ,;]+", track["words"] or "") for t in meaning.get(w, [])})
            if tags and track["kind"] == "music":
                out[track["id"]] = np.array(tags)
    return out


class Statistics:
    """Everything that turns raw teacher outputs into regression targets; fitted once on clean music and then kept."""

    def __init__(self, shards, names):
        raw = {t: np.concatenate([s[t][pick(s)] for s in shards]).astype("float32") for t in TEACHERS}
        embedding = np.concatenate([s["embedding"][pick(s)] for s in shards]).astype("float32")
        mel = np.concatenate([s["mel"][pick(s)][::4] for s in shards]).astype("float32").reshape(-1, 80)
        self.targets = labels.Targets(names).fit(raw)
        auxiliary = self.raw(raw, embedding)
        self.centre, self.scale = auxiliary.mean(0), auxiliary.std(0) + 1e-3
        self.mel_mean, self.mel_scale = mel.mean(0), 1 / mel.std(0)
        self.count = len(embedding)

    @staticmethod
    def raw(logits, embedding):
        return np.concatenate([logits["mn04"][:, AUDIOSET], logits["jamendo"], logits["msd"], logits["mtat"], embedding], 1)

    def __call__(self, shard):
        """(tag targets with exact labels put in, auxiliary targets), float32"""
        logits = {t: shard[t].astype("float32") for t in TEACHERS}
        z = self.targets(logits)
        exact = shard["exact"]
        z = np.where(exact == 1, np.maximum(z, POSITIVE_Z), np.where(exact == 0, np.minimum(z, NEGATIVE_Z), z))
        return z.clip(-4, 6), ((self.raw(logits, shard["embedding"].astype("float32")) - self.centre) / self.scale).clip(-5, 8)


def pick(shard):
    return shard["clean"] & (shard["kind"] == "music")


def read_shard(path):
    with np.load(path) as f:
        return {k: f[k] for k in f.files}


SAMPLING = {"natural": 0.0, "root": 0.5, "uniform": 1.0}


class Pool:
    """Growing set of examples with sampling weights: clean ones and all others are drawn from two urns.

    `sampling` names the exponent of 1 / frequency of an example's rarest strong tag; `balance` is the share of draws that
    follows it, the rest is drawn evenly. `share` keeps that part of the tracks (few labels), `only_clean` drops mixes."""

    def __init__(self, folder, words=None, balance=0.5, sampling="root", share=1.0, only_clean=False):
        self.folder, self.words, self.balance, self.exponent = folder, words or {}, balance, SAMPLING[sampling]
        self.share, self.only_clean = share, only_clean
        self.paths, self.mel, self.z, self.auxiliary, self.exact, self.track, self.clean = [], [], [], [], [], [], []
        self.statistics = None

    def paths_waiting(self):
        return sorted(set(glob.glob(os.path.join(self.folder, "*.npz"))) - set(self.paths))

    def fit(self, names, shards=60):
        paths = self.paths_waiting()
        chosen = [paths[i] for i in np.random.default_rng(0).permutation(len(paths))[:shards]]
        self.statistics = Statistics([read_shard(p) for p in chosen], names)

    def kept(self, shard):
        """Which examples of a shard are used: whole tracks, chosen by their id."""
        keep = np.ones(len(shard["track"]), bool)
        if self.share < 1:
            keep = np.array([zlib.crc32((t or str(i)).encode()) % 1000 < 1000 * self.share for i, t in enumerate(shard["track"])])
        return keep & (shard["clean"] | (shard["kind"] != "music")) if self.only_clean else keep

    def refresh(self):
        """Takes in new shards; returns the number of examples."""
        waiting = self.paths_waiting()
        for path in waiting:
            shard = read_shard(path)
            keep = self.kept(shard)
            shard = {k: v[keep] for k, v in shard.items()}
            z, auxiliary = self.statistics(shard)
            self.paths.append(path)
            for store, value in ((self.mel, shard["mel"]), (self.z, z.astype("float16")), (self.auxiliary, auxiliary.astype("float16")),
                                 (self.exact, shard["exact"]), (self.track, shard["track"]), (self.clean, shard["clean"])):
                store.append(value)
        if waiting:
            self.sizes = np.cumsum([0] + [len(m) for m in self.mel])
            strong = np.concatenate(self.z) > 1.5
            self.frequency = strong.mean(0)
            rare = np.where(strong, (self.frequency + 1e-3) ** -self.exponent, 0).max(1)
            rare = np.maximum(rare, np.median(rare[rare > 0]) * 0.5)
            weight = (1 - self.balance) / len(rare) + self.balance * rare / rare.sum()
            clean = np.concatenate(self.clean)
            self.urns = [(np.flatnonzero(clean == c), np.cumsum(weight[clean == c])) for c in (True, False)]
            self.by_track = {}
            for i, t in enumerate(np.concatenate(self.track)):
                if t in self.words:
                    self.by_track.setdefault(t, []).append(i)
            self.weak_tracks = [t for t, where in self.by_track.items() if len(where) >= 2]
        return int(self.sizes[-1])

    def gather(self, store, index, start=0, frames=None):
        """Rows of a store; of log-mel only `frames` frames from `start`."""
        part = np.searchsorted(self.sizes, index, side="right") - 1
        return np.stack([store[p][i - self.sizes[p]][start:start + frames if frames else None] for p, i in zip(part, index)]).astype("float32")

    def sample(self, rng, count, clean_share):
        """Indices of `count` examples, a share of them clean."""
        n = int((rng.random(count) < clean_share).sum())
        drawn = []
        for (index, cumulative), k in zip(self.urns, (n, count - n)):
            if len(index):
                drawn.append(index[np.minimum(np.searchsorted(cumulative, rng.random(k) * cumulative[-1]), len(index) - 1)])
        return np.concatenate(drawn)
