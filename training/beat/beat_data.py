"""Reads what test/quality/analysis/export-features.ts writes, and the clips' truth."""
import json
import os

import numpy as np

PATTERN = 52
SPECTRUM_CYCLES = (2, 3, 4, 8)
BLOCK = 24


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


def load(clips, folder):
    """[{id, group, source, bpm, n, f1, acc1, x (features and spectra), patterns, beats, truth}]"""
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
        one = dict(truth[clip["id"]], histogram=clip["histogram"], trains=[], patterns=[], x=[],
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
            out.append(one)
    return out


def folds(clips, count=5):
    """Fold of every group, the same for every run."""
    groups = sorted({clip["group"] for clip in clips})
    order = np.random.default_rng(1).permutation(len(groups))
    return {groups[g]: int(k % count) for k, g in enumerate(order)}
