"""Reads what test/quality/analysis/export-features.ts writes, and the clips' truth."""
import json
import os

import numpy as np

PATTERN = 52
SPECTRUM_CYCLES = (2, 3, 4, 8)
BLOCK = 24
# Tempos of the siblings of a train against its own; one more is the train of the same tempo that shares the fewest beats.
SIBLING_RATIOS = (2, 1 / 2, 3 / 2, 2 / 3, 3, 1 / 3)
SIBLINGS = len(SIBLING_RATIOS) + 1
TOLERANCE_S = 0.07


def spectrum(pattern):
    """What a pattern repeats: mean row, then for each cycle of beats the mean magnitude of its DFT in blocks of 24 beats.

    patternSpectrum in libs/analysis gives the same.
    """
    n = len(pattern)
    block = min(BLOCK, n)
    blocks = pattern[: n // block * block].reshape(-1, block, PATTERN)
    out = [pattern.mean(0)]
    for cycle in SPECTRUM_CYCLES:
        wave = np.exp(-2j * np.pi * np.arange(block) / cycle)
        out.append(np.abs(np.einsum("kbp,b->kp", blocks, wave) / block).mean(0))
    return np.concatenate(out).astype(np.float32)


def overlaps(trains):
    """[trains, trains]: share of the beats of both that have a beat of the other within 70 ms, at most 1."""
    lengths, every = np.array([len(t) for t in trains]), np.concatenate(trains)
    owner, shared = np.repeat(np.arange(len(trains)), lengths), np.zeros((len(trains), len(trains)))
    for i, beats in enumerate(trains):
        after = np.searchsorted(beats, every)
        distance = np.minimum(np.abs(every - beats[np.clip(after, 0, len(beats) - 1)]), np.abs(every - beats[np.clip(after - 1, 0, len(beats) - 1)]))
        shared[i] = np.bincount(owner, distance <= TOLERANCE_S, len(trains))
    return np.minimum((shared + shared.T) / (lengths[:, None] + lengths[None]), 1)


def siblings(bpm, shared):
    """[trains, SIBLINGS]: of each ratio the train that shares the most beats, then the off-beat; the number of trains where there is none.

    beatSiblings in libs/analysis gives the same.
    """
    octaves, out = np.log2(bpm[None] / bpm[:, None]), []
    for ratio in SIBLING_RATIOS:
        near = np.abs(octaves - np.log2(ratio)) < 0.05
        out.append(np.where(near.any(1), np.where(near, shared, -1).argmax(1), len(bpm)))
    out.append(np.where(np.abs(octaves) < 0.03, shared, 2).argmin(1))
    return np.stack(out, 1)


def load(clips, folder):
    """[{id, group, source, bpm, n, f1, acc1, x (features and spectra), patterns, beats, siblings, truth}]"""
    with open(clips, encoding="utf-8") as f:
        truth = {row["id"]: row for row in map(json.loads, f)}
    read = lambda name, kind: np.memmap(os.path.join(folder, name), kind, "r")
    features, patterns, beats, chroma = (read("features.f32", "<f4"), read("patterns.u8", "u1"), read("beats.f32", "<f4"), read("chroma.f32", "<f4"))
    out, at, row_at, chroma_at = [], 0, 0, 0
    with open(os.path.join(folder, "clips.jsonl"), encoding="utf-8") as f:
        lines = f.read().split("\n")[:-1]
    for line in lines:
        clip = json.loads(line)
        size = clip["features"]
        one = dict(truth[clip["id"]], trains=[], patterns=[], x=[],
                   chroma=np.array(chroma[chroma_at:chroma_at + clip["chromaFrames"] * 24]).reshape(-1, 24))
        chroma_at += clip["chromaFrames"] * 24
        for train in clip["rows"]:
            n = train["n"]
            pattern = np.array(patterns[row_at * PATTERN:(row_at + n) * PATTERN]).reshape(n, PATTERN)
            one["patterns"].append(pattern)
            one["trains"].append(np.array(beats[row_at:row_at + n]))
            one["x"].append(np.concatenate([features[at:at + size], spectrum(pattern.astype(np.float32) / 255)]))
            at, row_at = at + size, row_at + n
        for name in ("bpm", "f1", "acc1"):
            one[name] = np.array([train[name] for train in clip["rows"]], np.float32)
        if one["x"]:
            one["x"] = np.array(one["x"], np.float32)
            one["siblings"] = siblings(one["bpm"], overlaps(one["trains"]))
            out.append(one)
    return out


def folds(clips, count=5):
    """Fold of every group, the same for every run."""
    groups = sorted({clip["group"] for clip in clips})
    order = np.random.default_rng(1).permutation(len(groups))
    return {groups[g]: int(k % count) for k, g in enumerate(order)}
