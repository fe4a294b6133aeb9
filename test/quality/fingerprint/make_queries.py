#!/usr/bin/env python3
"""Builds clip query sets with ground truth: the 52 kinds of the peers' comparison and recorded rooms and noise.

  make_queries.py MUSIC SOUND OUT [--seed 1] [--catalog 60 | --held FOLDER] [--excerpts 20] [--per-excerpt 0] [--sets REGEX]
                  [--full 20 --then REGEX] [--negatives 60] [--sounds 0] [--jobs 2]

MUSIC is searched for pieces of 45 s or more; a part becomes the catalog, the rest is held out for negatives. With `--held` all
of MUSIC is the catalog and the negatives come from that folder. SOUND holds
speech/, noise/ and rooms/. OUT gets catalog.json, truth.json and the clips. Every excerpt goes through every set, or
through `--per-excerpt` sets drawn for it (for calibration); `--sets` leaves only sets whose name matches, and `--then` those for the
excerpts after the first `--full`. `--sounds` adds negatives without music: speech, noise, a cafe. Split by source: give folders of different packages.
"""
import argparse
import os
import re
from functools import lru_cache
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from audio import SR, Sounds, db, dump, find_music, load, mix_at, pink, reverb, rms, rng_for, save, sox, telephone

MP3 = lambda kbps: ("mp3", ("-ac", "1", "-c:a", "libmp3lame", "-b:a", f"{kbps}k"))
AAC = lambda kbps: ("m4a", ("-ac", "1", "-c:a", "aac", "-b:a", f"{kbps}k"))
CENTS = lambda pct: f"{1200 * np.log2(1 + pct / 100):.3f}"
SPEED = lambda x, factor: sox(x, "speed", factor, "rate", "-h", SR)
seconds = lambda x: len(x) / SR

# name -> (clip seconds, tempo factor of the query, effect(x, rng, sounds) or None, (ending, codec options) or None)
SETS = {f"clean_{s}s": (s, 1, None, None) for s in (1, 2, 3, 5, 10)}
for snr in (10, 0, -5, -10):
    SETS[f"cafe_{snr:+d}dB"] = (10, 1, lambda x, r, s, snr=snr: mix_at(x, s.cafe(r, seconds(x)), snr), None)
SETS["pink_+0dB"] = (10, 1, lambda x, r, s: mix_at(x, pink(r, len(x)), 0), None)
SETS["noise_+0dB"] = (10, 1, lambda x, r, s: mix_at(x, s.noise(r, seconds(x)), 0), None)
SETS["cafe_+0dB_5s"] = (5, 1, lambda x, r, s: mix_at(x, s.cafe(r, seconds(x)), 0), None)
for snr in (0, -6, -12, -18):
    SETS[f"speech_{snr:+d}dB"] = (10, 1, lambda x, r, s, snr=snr: mix_at(x, s.speech(r, seconds(x)), snr), None)
SETS["mp3_32k"] = (10, 1, None, MP3(32))
SETS["mp3_64k"] = (10, 1, None, MP3(64))
SETS["aac_48k"] = (10, 1, None, AAC(48))
SETS["telephone"] = (10, 1, lambda x, r, s: telephone(x), None)
SETS["reverb_0.5s"] = (10, 1, lambda x, r, s: reverb(r, x, 0.5), None)
SETS["reverb_1.5s"] = (10, 1, lambda x, r, s: reverb(r, x, 1.5, -3), None)
SETS["recorded_room"] = (10, 1, lambda x, r, s: s.recorded_room(r, x), None)
SETS["room_mic"] = (10, 1, lambda x, r, s: mix_at(reverb(r, x, 0.6), s.cafe(r, seconds(x)), 3), MP3(64))
SETS["quiet_-50dB"] = (10, 1, lambda x, r, s: x / rms(x) * db(-50), None)
for p in (1, -1, 2, -2, 4, -4, 6, -6, 12, -11):
    SETS[f"pitch_{p:+d}%"] = (10, 1, lambda x, r, s, p=p: sox(x, "pitch", CENTS(p)), None)
for p in (2, -2, 5, -5, 10, -10, 20, -20):
    SETS[f"tempo_{p:+d}%"] = (10, 1 + p / 100, lambda x, r, s, p=p: sox(x, "tempo", "-m", 1 + p / 100), None)
for p in (2, -2, 5, -5, 10, -10, 20, -20):
    SETS[f"speed_{p:+d}%"] = (10, 1 + p / 100, lambda x, r, s, p=p: SPEED(x, 1 + p / 100), None)
SETS["speed_+4%_cafe_+5dB"] = (10, 1.04, lambda x, r, s: mix_at(y := SPEED(x, 1.04), s.cafe(r, seconds(y)), 5), None)
SETS["pitch_+2%_speech_+0dB"] = (10, 1, lambda x, r, s: mix_at(y := sox(x, "pitch", CENTS(2)), s.speech(r, seconds(y)), 0), None)
SETS["pitch_-3%_tempo_+6%"] = (10, 1.06, lambda x, r, s: sox(sox(x, "pitch", CENTS(-3)), "tempo", "-m", 1.06), None)

SOUNDS = {
    "speech": lambda r, s: s.speech(r, 10),
    "noise": lambda r, s: s.noise(r, 10),
    "cafe": lambda r, s: s.cafe(r, 10),
}
NEGATIVES = ["clean_10s", "cafe_+0dB", "speech_-6dB", "clean_5s", "clean_2s", "mp3_32k", "speed_+5%", "reverb_1.5s"]


def pick_excerpt(rng, path, length, longest=12.5):
    """A start with audible music after it."""
    for _ in range(20):
        start = float(rng.uniform(2, length - longest - 2))
        x = load(path, start, longest)
        if len(x) > SR * (longest - 0.2) and min(rms(c) for c in np.array_split(x, 6)) > 0.004:
            return start, x
    return None, None


@lru_cache(maxsize=1)
def sounds_of(folder):
    """Decoded once a process."""
    return Sounds(folder)


def render(job):
    """The distorted versions of one excerpt."""
    seed, out, folder, i, track, path, length, names, prefix = job
    sounds = sounds_of(folder)
    start, x = pick_excerpt(rng_for(seed, "excerpt", prefix, path, i), path, length)
    if x is None:
        return []
    rows = []
    for name in names:
        clip, factor, effect, encoding = SETS[name]
        y = x[: int(round(clip * factor * SR))]
        if effect:
            y = effect(y, rng_for(seed, prefix, name, i), sounds)
        file = os.path.join(prefix + name, f"{i:04d}.{encoding[0] if encoding else 'wav'}")
        save(os.path.join(out, file), y, encoding[1] if encoding else ())
        rows.append(dict(id=file, set=prefix + name, seconds=clip, track=track, source=path,
                         ref_start=round(start, 3) if track else None, tempo=factor))
    return rows


def render_sound(job):
    """A clip that holds no music."""
    seed, out, folder, i = job
    name = list(SOUNDS)[i % len(SOUNDS)]
    y = SOUNDS[name](rng_for(seed, "sound", i), sounds_of(folder))
    file = f"neg_{name}_alone/{i:04d}.wav"
    save(os.path.join(out, file), y * (0.5 / np.abs(y).max()))
    return dict(id=file, set=f"neg_{name}_alone", seconds=10, track=None, source=None, ref_start=None, tempo=1)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("music", "sound", "out"):
        ap.add_argument(name)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--catalog", type=int, default=60)
    ap.add_argument("--excerpts", type=int, default=20)
    ap.add_argument("--per-excerpt", type=int, default=0, help="sets drawn for each excerpt; 0 = all")
    ap.add_argument("--sets", default="")
    ap.add_argument("--full", type=int, default=20)
    ap.add_argument("--then", default="")
    ap.add_argument("--held", help="folder with the pieces of the negatives")
    ap.add_argument("--negatives", type=int, default=60)
    ap.add_argument("--sounds", type=int, default=0)
    ap.add_argument("--jobs", type=int, default=2)
    a = ap.parse_args()
    music = find_music(a.music)
    size = len(music) if a.held else a.catalog
    if len(music) <= a.catalog and not a.held:
        ap.error(f"{a.music} holds {len(music)} pieces; --catalog must leave some for the negatives")
    order = rng_for(a.seed, "split").permutation(len(music))
    catalog = [music[i] for i in order[:size]]
    held = find_music(a.held) if a.held else [music[i] for i in order[size:]]
    name = lambda p: os.path.relpath(p, a.music)
    os.makedirs(a.out, exist_ok=True)
    dump(os.path.join(a.out, "catalog.json"), dict(
        seed=a.seed, hours=round(sum(s for _, s in catalog) / 3600, 3),
        catalog=[dict(track=name(p), seconds=round(s, 2)) for p, s in catalog],
        held_out=[dict(track=name(p), seconds=round(s, 2)) for p, s in held]))
    jobs = []
    for i in range(a.excerpts):
        path, length = catalog[i % len(catalog)]
        names = [n for n in SETS if re.search(a.sets, n) and (i < a.full or re.search(a.then, n))]
        if a.per_excerpt:
            names = sorted(rng_for(a.seed, "sets", i).choice(names, a.per_excerpt, replace=False))
        jobs.append((a.seed, a.out, a.sound, i, name(path), path, length, names, ""))
    for i in range(a.negatives):
        jobs.append((a.seed, a.out, a.sound, i, None, *held[i % len(held)], [NEGATIVES[i % len(NEGATIVES)]], "neg_"))
    with ProcessPoolExecutor(a.jobs) as pool:
        rows = [r for rs in pool.map(render, jobs, chunksize=8) for r in rs]
        rows += pool.map(render_sound, [(a.seed, a.out, a.sound, i) for i in range(a.sounds)], chunksize=8)
    for row in rows:
        row["source"] = row["source"] and name(row["source"])
    dump(os.path.join(a.out, "truth.json"), rows)
    print(f"{len(catalog)} catalog tracks, {sum(s for _, s in catalog) / 3600:.2f} h; {len(held)} held out; {len(rows)} queries")


if __name__ == "__main__":
    main()
