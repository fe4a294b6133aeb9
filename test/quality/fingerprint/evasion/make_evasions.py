#!/usr/bin/env python3
"""Builds clips that hide catalog music the way uploaders do, in three strengths each, from a seed.

  make_evasions.py MUSIC SETS OUT [--seed 1] [--excerpts 12]

SETS is a folder that make_queries.py filled: its catalog is attacked. OUT gets catalog.json, truth.json and the clips, for
evaluate.ts. Every excerpt draws its own parameters (curves, bands, places, tones) for every attack and strength.
"""
import argparse
import json
import os
import sys

import numpy as np
from scipy.signal import butter, istft, sosfilt, stft
from scipy.ndimage import maximum_filter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from audio import SR, db, dump, load, rms, rng_for, save, sox  # noqa: E402
from make_queries import pick_excerpt  # noqa: E402

SECONDS = 10
STRENGTHS = ("mild", "medium", "strong")


def eq(rng, x, s):
    """Five bands raised or lowered by up to 6, 12, 20 dB."""
    gain = (6, 12, 20)[s]
    y = np.zeros_like(x)
    edges = [60, 250, 700, 1800, 4000, 9000]
    for low, high in zip(edges, edges[1:]):
        y += sosfilt(butter(2, [low, high], btype="band", fs=SR, output="sos"), x).astype(np.float32) * db(rng.uniform(-gain, gain))
    return y


def warp(x, shift):
    """Plays x at places n + shift(n)."""
    n = np.arange(len(x))
    return np.interp(n + shift, n, x).astype(np.float32)


def speed_drift(rng, x, s):
    """Speed that swings by 1, 2, 4 % every 4 to 8 seconds, like a finger on the reel."""
    depth = (0.01, 0.02, 0.04)[s]
    period = rng.uniform(4, 8) * SR
    n = np.arange(len(x))
    return warp(x, depth * period / (2 * np.pi) * np.sin(2 * np.pi * n / period + rng.uniform(0, 6)))


def pitch_drift(rng, x, s):
    """Pitch that moves by up to 30, 60, 120 cents at kept tempo, in half-second pieces."""
    cents = (30, 60, 120)[s]
    bends = [f"{rng.uniform(0.1, 0.3):.2f},{rng.uniform(-cents, cents):.1f},{rng.uniform(0.6, 1.2):.2f}" for _ in range(6)]
    return sox(x, "bend", "-o", "16", *bends)


def decoys(rng, x, s):
    """40, 120, 300 tone bursts, each as loud as the music."""
    y = x.copy()
    level = rms(x) * 1.4
    for _ in range((40, 120, 300)[s]):
        n = int(rng.uniform(0.08, 0.4) * SR)
        at = int(rng.integers(len(x) - n))
        y[at : at + n] += (level * np.hanning(n) * np.sin(2 * np.pi * rng.uniform(250, 5000) * np.arange(n) / SR)).astype(np.float32)
    return y


def cuts(rng, x, s):
    """0.15 s taken out or played twice every 2, 1, 0.5 seconds."""
    piece = int((2, 1, 0.5)[s] * SR)
    short = int(0.15 * SR)
    parts = []
    for at in range(0, len(x), piece):
        p = x[at : at + piece]
        parts += [p[:-short]] if rng.random() < 0.5 else [p, p[-short:]]
    return np.concatenate(parts)


def reversals(rng, x, s):
    """A fifth, two fifths, three fifths of the half seconds backwards."""
    y = x.copy()
    n = SR // 2
    for at in range(0, len(x) - n, n):
        if rng.random() < (0.2, 0.4, 0.6)[s]:
            y[at : at + n] = y[at : at + n][::-1]
    return y


def crush(rng, x, s):
    """A limiter driven by 12, 24, 36 dB."""
    return np.tanh(x / rms(x) * db((0, 12, 24)[s])).astype(np.float32) * 0.5


def dent_peaks(rng, x, s):
    """The spectrogram's local maxima pressed down by 6, 12, 24 dB: aimed at the peak picker."""
    _, _, z = stft(x, SR, nperseg=2048, noverlap=1536)
    magnitude = np.abs(z)
    top = (magnitude == maximum_filter(magnitude, (7, 7))) & (magnitude > np.median(magnitude))
    near = maximum_filter(top, (3, 3))
    _, y = istft(np.where(near, z * db(-(6, 12, 24)[s]), z), SR, nperseg=2048, noverlap=1536)
    return y[: len(x)].astype(np.float32)


def jitter(rng, x, s):
    """Time that jumps by up to 4, 10, 25 ms ten times a second."""
    points = np.arange(0, len(x), SR // 10)
    return warp(x, np.interp(np.arange(len(x)), points, rng.uniform(-1, 1, len(points)) * (0.004, 0.01, 0.025)[s] * SR))


def tremolo(rng, x, s):
    """Loudness swinging by 6, 14, 30 dB, four to nine times a second, apart in two bands."""
    low = sosfilt(butter(4, 1000, fs=SR, output="sos"), x)
    t = np.arange(len(x)) / SR
    swing = lambda: db((6, 14, 30)[s] * (np.sin(2 * np.pi * rng.uniform(4, 9) * t + rng.uniform(0, 6)) - 1) / 2)
    return (low * swing() + (x - low) * swing()).astype(np.float32)


def mono_trick(rng, x, s):
    """What is left in mono of stereo with the right channel inverted: nothing but the width, here a tenth; plus noise."""
    return (x * db((-20, -30, -40)[s])).astype(np.float32) + (db(-60) * rng.standard_normal(len(x))).astype(np.float32)


def chain(rng, x, s):
    """Three attacks of the same strength one after the other."""
    for f in rng.choice([eq, speed_drift, decoys, crush, tremolo, jitter], 3, replace=False):
        x = f(rng, x, s)
    return x


ATTACKS = [eq, speed_drift, pitch_drift, decoys, cuts, reversals, crush, dent_peaks, jitter, tremolo, mono_trick, chain]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("music", "sets", "out"):
        ap.add_argument(name)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--excerpts", type=int, default=12)
    a = ap.parse_args()
    with open(os.path.join(a.sets, "catalog.json")) as f:
        meta = json.load(f)
    os.makedirs(a.out, exist_ok=True)
    dump(os.path.join(a.out, "catalog.json"), meta)
    rows = []
    order = rng_for(a.seed, "evasion").permutation(len(meta["catalog"]))
    for i in range(a.excerpts):
        entry = meta["catalog"][order[i % len(order)]]
        start, x = pick_excerpt(rng_for(a.seed, "evasion", i), os.path.join(a.music, entry["track"]), entry["seconds"])
        if x is None:
            continue
        x = x[: SECONDS * SR]
        for attack in ATTACKS:
            for s, strength in enumerate(STRENGTHS):
                y = attack(rng_for(a.seed, attack.__name__, s, i), x, s)
                name = f"{attack.__name__}_{strength}"
                file = os.path.join(name, f"{i:04d}.wav")
                save(os.path.join(a.out, file), y / max(1e-9, np.abs(y).max()) * 0.8 if attack is not mono_trick else y)
                rows.append(dict(id=file, set=name, seconds=SECONDS, track=entry["track"], source=entry["track"],
                                 ref_start=round(start, 3), tempo=1, slack=2 if attack in (cuts, speed_drift, chain) else 0.2))
    dump(os.path.join(a.out, "truth.json"), rows)
    print(f"{len(rows)} clips")


if __name__ == "__main__":
    main()
