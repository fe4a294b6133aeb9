#!/usr/bin/env python3
"""Builds long soundtracks that hold catalog excerpts, with the list of them as ground truth.

  make_soundtracks.py MUSIC SOUND OUT [--seed 1] [--videos 3] [--minutes 11] [--changed 0]

OUT is the folder that make_queries.py filled. Adds OUT/videos/*.m4a|opus and OUT/videos.json. A soundtrack alternates
talk with excerpts of 5-60 s; an excerpt is alone, under speech at 0/-6/-12 dB or in cafe noise at 0 dB; a fifth of the
music is in no catalog; a share of `--changed` is 2-6 % faster or slower.
"""
import argparse
import json
import os

import numpy as np

from audio import SR, Sounds, active_rms, db, dump, fade, load, pink, rms, rng_for, save, sox

MODES = ["alone", "speech_+0dB", "speech_-6dB", "speech_-12dB", "cafe_+0dB"]
ROLES = {"alone": "foreground", "speech_+0dB": "under-speech", "speech_-6dB": "under-speech", "speech_-12dB": "under-speech", "cafe_+0dB": "background"}
LEVEL = 0.08  # active RMS of speech and of music alone


def scene(rng, sounds, music, catalog, held, mode, changed):
    """One excerpt: samples and truth without query times."""
    trap = bool(held) and rng.random() < 0.2
    entry = (held if trap else catalog)[rng.integers(len(held if trap else catalog))]
    length = min(float(np.exp(rng.uniform(np.log(5), np.log(60)))), entry["seconds"] - 4)
    start = float(rng.uniform(1, entry["seconds"] - length - 1))
    x = load(os.path.join(music, entry["track"]), start, length)
    if rms(x) < 0.002:
        return None
    speed = 1.0
    if rng.random() < changed:
        speed = float(1 + rng.choice([-1, 1]) * rng.uniform(0.02, 0.06))
        x = sox(x, "speed", speed, "rate", "-h", SR)
    x = fade(x / active_rms(x) * LEVEL, rng.uniform(0.1, 2.0))
    if mode.startswith("speech"):
        s = sounds.speech(rng, len(x) / SR)[: len(x)]
        x = x * db(int(mode[7:-2])) + np.resize(s, len(x)) / active_rms(s) * LEVEL
    elif mode.startswith("cafe"):
        c = sounds.cafe(rng, len(x) / SR)
        x = x + np.resize(c, len(x)) / active_rms(c) * LEVEL
    return x, dict(track=None if trap else entry["track"], ref_start=start, ref_end=start + len(x) / SR * speed, speed=speed, mode=mode, role=ROLES[mode])


def build(a, meta, sounds, i):
    rng = rng_for(a.seed, "video", i)
    parts, truth, at, k = [], [], 0.0, int(rng.integers(len(MODES)))
    while at < a.minutes * 60:
        talk = sounds.speech(rng, rng.uniform(4, 30))
        parts.append(talk / active_rms(talk) * LEVEL)
        at += len(parts[-1]) / SR
        made = scene(rng, sounds, a.music, meta["catalog"], meta["held_out"], MODES[k % len(MODES)], a.changed)
        k += 1
        if made is None:
            continue
        x, row = made
        truth.append({**row, "q_start": round(at, 3), "q_end": round(at + len(x) / SR, 3)})
        parts.append(x)
        at += len(x) / SR
    y = np.concatenate(parts).astype(np.float32)
    y += pink(rng, len(y)) * db(-55)
    ending, codec = (("m4a", ("-c:a", "aac", "-b:a", "96k")), ("opus", ("-c:a", "libopus", "-b:a", "64k")))[i % 2]
    name = os.path.join("videos", f"video{i:02d}.{ending}")
    save(os.path.join(a.out, name), y, codec)
    return dict(id=name, seconds=round(len(y) / SR, 3), excerpts=truth)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("music", "sound", "out"):
        ap.add_argument(name)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--videos", type=int, default=3)
    ap.add_argument("--minutes", type=float, default=11)
    ap.add_argument("--changed", type=float, default=0)
    a = ap.parse_args()
    with open(os.path.join(a.out, "catalog.json")) as f:
        meta = json.load(f)
    sounds = Sounds(a.sound)
    rows = [build(a, meta, sounds, i) for i in range(a.videos)]
    dump(os.path.join(a.out, "videos.json"), rows)
    print(f"{len(rows)} soundtracks, {sum(len(r['excerpts']) for r in rows)} excerpts, {sum(r['seconds'] for r in rows) / 60:.0f} min")


if __name__ == "__main__":
    main()
