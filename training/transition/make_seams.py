"""Cuts seams out of decoded music and changes both sides as a player or a master could.

    make_seams.py MUSIC SEAMS [--duplicates ../data/duplicates.tsv] [--seams 6] [--seed 5]

MUSIC is the folder of training/tagging/decode_audio.py (tracks.jsonl, pcm/*.s16: 16 kHz mono). Of each track (one of a
group, none that --duplicates lists as second) an excerpt of up to 120 s gives a few borders, and each border four windows of 8 s:

    tail    the 8 s before the border, side a
    next    the 8 s after it, side b                      (order inside a track, continuity)
    head    the 8 s that start 4 s after it, side b       (continuation)
    other   as head, side t: played 3 to 6 % faster or slower; pitch kept, but for one training track in three, where it
            moves by up to 3 %

and the track two more: `end` (the last 8 s that sound, side a) and `start` (the first 8 s, side b). Every side of a track
has its own gain (-12 to -3 dB) and three-band EQ (+-5 dB, as ffmpeg's `equalizer`). Split by package, for ever the same.
Writes SEAMS/<track>.s16 (windows one after the other) and SEAMS/index.jsonl. Resumable, in
an order that mixes the packages. Needs ffmpeg, numpy.
"""
import argparse
import csv
import hashlib
import json
import os
import subprocess
import zlib

import numpy as np

RATE = 16000
WINDOW = 8 * RATE
GAP_S = 4.0
MARGIN_S = 0.5
EQ_HZ = (120, 700, 3500)
EQ_OCTAVES = 1.5
KINDS = ("tail", "next", "head", "other")


SPLITS = ("train",) * 6 + ("dev",) * 2 + ("test",) * 2


def split_of(package):
    """Of ten packages about six train, two develop, two test."""
    return SPLITS[hashlib.sha256(b"transition-2 2" + package.encode()).digest()[0] % 10]


def colour(rnd):
    """Gain over frequency (of the spectrum of a window) of a random level and three peaking filters."""
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(WINDOW))
    total = np.full(len(z), 10 ** (rnd.uniform(-12, -3) / 20), complex)
    for hz in EQ_HZ:
        a = 10 ** (rnd.uniform(-5, 5) / 40)
        w = 2 * np.pi * hz / RATE
        alpha = np.sin(w) * np.sinh(np.log(2) / 2 * EQ_OCTAVES * w / np.sin(w))
        total *= ((1 + alpha * a - 2 * np.cos(w) * z + (1 - alpha * a) * z ** 2)
                  / (1 + alpha / a - 2 * np.cos(w) * z + (1 - alpha / a) * z ** 2))
    return np.abs(total).astype(np.float32)


def window(sound, at_s, gains):
    start = max(0, int(round(at_s * RATE)))
    piece = sound[start:start + WINDOW].astype(np.float32)
    piece = np.pad(piece, (0, WINDOW - len(piece)))
    out = np.fft.irfft(np.fft.rfft(piece) * gains, WINDOW)
    return np.clip(np.round(out), -32768, 32767).astype("<i2")


def played(sound, tempo, pitch):
    """The same played `tempo` times as fast with its pitch `pitch` times as high."""
    chain = f"asetrate={RATE * pitch:.1f},aresample={RATE}," if pitch != 1 else ""
    done = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-threads", "1", "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "-",
                           "-af", f"{chain}atempo={tempo / pitch:.5f}", "-f", "s16le", "-ar", str(RATE), "-"],
                          input=sound.tobytes(), capture_output=True, check=True)
    return np.frombuffer(done.stdout, "<i2")


def sounding(sound):
    """First and last second that is not silence."""
    blocks = np.abs(sound[:len(sound) // 1600 * 1600].astype(np.int32)).reshape(-1, 1600).max(1)
    loud = np.where(blocks > 100)[0]
    return (loud[0] / 10, (loud[-1] + 1) / 10) if len(loud) else (0, 0)


def cut(track, folder, seams, seed):
    rnd = np.random.default_rng([seed, zlib.crc32(track["id"].encode())])
    sound = np.fromfile(os.path.join(folder, "pcm", track["id"] + ".s16"), "<i2")
    first, last = sounding(sound)
    split = split_of(track["source"])
    if last - first < 45:
        return None
    length = min(120.0, last - first)
    at = first + rnd.uniform(0, last - first - length)
    excerpt = sound[int(at * RATE):int((at + length) * RATE)]
    tempo = 1 + rnd.choice((-1, 1)) * rnd.uniform(0.03, 0.06)
    pitch = 2 ** rnd.uniform(-0.5 / 12, 0.5 / 12) if split == "train" and rnd.random() < 1 / 3 else 1.0
    a, b, t = colour(rnd), colour(rnd), colour(rnd)
    room = length - 2 * 8 - GAP_S - 1
    n = max(1, min(seams, int(room // 5)))
    borders = [8.5 + room * (i + rnd.random()) / n for i in range(n)]
    # Only what the windows need is stretched, each piece with a margin before and behind.
    piece = int((8 * tempo + 2 * MARGIN_S) * RATE)
    starts = [int((border + GAP_S - MARGIN_S) * RATE) for border in borders]
    changed = played(np.concatenate([np.resize(excerpt[at:at + piece], piece) for at in starts]), tempo, pitch)
    windows = []
    for i, border in enumerate(borders):
        windows += [window(excerpt, border - 8, a), window(excerpt, border, b), window(excerpt, border + GAP_S, b),
                    window(changed, (i * piece / RATE + MARGIN_S) / tempo, t)]
    windows += [window(sound, last - 8, a), window(sound, first, b)]
    whole = len(sound) < 299 * RATE
    return np.concatenate(windows), dict(id=track["id"], package=track["source"], path=track["path"], split=split, seams=n,
                                         tempo=tempo, pitch=pitch, whole=whole)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("music")
    parser.add_argument("out")
    parser.add_argument("--duplicates")
    parser.add_argument("--seams", type=int, default=6)
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    listing = os.path.join(args.out, "index.jsonl")
    done = {json.loads(line)["id"] for line in open(listing)} if os.path.exists(listing) else set()
    groups, twice = set(), set()
    if args.duplicates:
        twice = {row["second"] for row in csv.DictReader(open(args.duplicates, encoding="utf-8"), delimiter="\t")}
    tracks = [json.loads(line) for line in open(os.path.join(args.music, "tracks.jsonl"), encoding="utf-8")]
    for track in sorted(tracks, key=lambda t: hashlib.sha256(t["id"].encode()).digest()):
        known = track["group"] and track["group"] in groups
        if track["kind"] != "music" or known or f"{track['source']}/{os.path.basename(track['path'])}" in twice:
            continue
        groups.add(track["group"])
        if track["id"] in done:
            continue
        made = cut(track, args.music, args.seams, args.seed)
        if made is None:
            continue
        made[0].tofile(os.path.join(args.out, track["id"] + ".s16"))
        with open(listing, "a", encoding="utf-8") as index:
            index.write(json.dumps(made[1]) + "\n")


if __name__ == "__main__":
    main()
