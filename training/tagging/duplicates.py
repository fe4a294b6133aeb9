#!/usr/bin/env python3
"""Finds recordings that occur twice: between the training music and a development folder, and inside the training music.

  duplicates.py MUSIC_CACHE DEVELOPMENT_FOLDER REPORT.tsv

Landmarks (pairs of spectral peaks, 32 ms hop) are hashed; two tracks are the same recording when one time offset collects
far more equal hashes than chance. Tracks of the training music that match a development track are to be left out.
"""
import argparse
import json
import os

import numpy as np
import scipy.ndimage

import front_end as fe
from predict import KINDS, decode

HOP = 512
PAIRS = 3


def landmarks(samples):
    """Hashes (uint32) and frame numbers of the pairs of peaks of 16 kHz samples."""
    power = fe.power_spectrum(samples, fe.hann(512), HOP)
    level = np.log(power[:, 4:200] + 1e-6)
    peak = (level == scipy.ndimage.maximum_filter(level, (15, 21))) & (level > level.mean() + 0.5)
    t, f = np.nonzero(peak)
    hashes, frames = [], []
    for k in range(1, PAIRS + 1):
        dt = t[k:] - t[:-k]
        near = (dt >= 1) & (dt < 32)
        hashes.append((f[:-k][near].astype(np.uint32) << 16 | f[k:][near].astype(np.uint32) << 8 | dt[near].astype(np.uint32)))
        frames.append(t[:-k][near])
    return np.concatenate(hashes), np.concatenate(frames)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("music")
    a.add_argument("development")
    a.add_argument("report")
    a.add_argument("--votes", type=int, default=40)
    o = a.parse_args()
    with open(os.path.join(o.music, "tracks.jsonl")) as f:
        tracks = [json.loads(line) for line in f]
    sounds = [(t["source"] + "/" + os.path.basename(t["path"]), "train", t) for t in tracks]
    sounds += [(f, "development", None) for f in sorted(os.listdir(o.development)) if f.endswith(KINDS)]
    every, owner, when = [], [], []
    for i, (name, side, track) in enumerate(sounds):
        if track:
            x = np.fromfile(os.path.join(o.music, "pcm", track["id"] + ".s16"), "<i2")[: 60 * 16000].astype("float32") / 32768
        else:
            x = decode(os.path.join(o.development, name), 60)
        h, t = landmarks(x)
        every.append(h), owner.append(np.full(len(h), i)), when.append(t)
    every, owner, when = np.concatenate(every), np.concatenate(owner), np.concatenate(when)
    order = np.argsort(every, kind="stable")
    every, owner, when = every[order], owner[order], when[order]
    votes = {}
    starts = np.flatnonzero(np.r_[True, every[1:] != every[:-1]])
    ends = np.r_[starts[1:], len(every)]
    for s, e in zip(starts, ends):
        if not 2 <= e - s <= 12:
            continue
        own, at = owner[s:e], when[s:e]
        for i in range(e - s):
            for j in range(i + 1, e - s):
                if own[i] != own[j]:
                    key = (int(own[i]), int(own[j]), int(at[j] - at[i]))
                    votes[key] = votes.get(key, 0) + 1
    best = {}
    for (i, j, offset), count in votes.items():
        if count > best.get((i, j), (0, 0))[0]:
            best[(i, j)] = (count, offset)
    found = sorted(((c, i, j, d) for (i, j), (c, d) in best.items() if c >= o.votes), reverse=True)
    with open(o.report, "w") as f:
        f.write("votes\tfirst\tsecond\tsides\toffset_s\n")
        for c, i, j, d in found:
            f.write(f"{c}\t{sounds[i][0]}\t{sounds[j][0]}\t{sounds[i][1]}-{sounds[j][1]}\t{d * HOP / 16000:.2f}\n")
    cross = sum(sounds[i][1] != sounds[j][1] for _, i, j, _ in found)
    print(f"{len(sounds)} recordings, {len(found)} pairs with the same audio, {cross} of them between training and development")


if __name__ == "__main__":
    main()
