"""Cuts and augments training windows for the transition model.

    make_windows.py AUDIO_FOLDER OUT_FOLDER [--tracks 160] [--per-package 6] [--seed 5]

AUDIO_FOLDER holds index.tsv (training/data/fetch_debian_music.py). Of each track taken (one of a group, at most a few a
package) up to 75 s are decoded to 16 kHz mono and rendered three times, as a player or a master could change them:
side a (tails) and side b (heads), each with its own gain and three-band EQ, and side t: as b, but stretched by 3 to 6 %
with the pitch kept. Writes OUT/<n>.<side>.s16 and OUT/index.jsonl: package, split (by package), ratio, seconds.
Needs ffmpeg.
"""
import argparse
import csv
import hashlib
import json
import os
import random
import subprocess

RATE = 16000


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", "-threads", "1", *arguments], check=True)


def colour(rnd):
    bands = ",".join(f"equalizer=f={f}:t=o:w=1.5:g={rnd.uniform(-5, 5):.2f}" for f in (120, 700, 3500))
    return f"volume={rnd.uniform(-12, -3):.2f}dB,{bands}"


def split_of(package):
    """Test for about three packages in ten, for ever the same ones."""
    return "test" if hashlib.sha256(package.encode()).digest()[0] % 10 < 3 else "train"


def choose(folder, tracks, per_package, rnd):
    rows = [r for r in csv.DictReader(open(os.path.join(folder, "index.tsv"), encoding="utf-8"), delimiter="\t")]
    rows = [r for r in rows if r["kind"] == "music" and float(r["seconds"]) >= 45]
    rnd.shuffle(rows)
    taken, packages, groups = [], {}, set()
    for row in rows:
        if row["group"] and row["group"] in groups or packages.get(row["package"], 0) >= per_package:
            continue
        groups.add(row["group"])
        packages[row["package"]] = packages.get(row["package"], 0) + 1
        taken.append(row)
    return taken[:tracks]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio")
    parser.add_argument("out")
    parser.add_argument("--tracks", type=int, default=160)
    parser.add_argument("--per-package", type=int, default=6)
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    rnd = random.Random(args.seed)
    os.makedirs(args.out, exist_ok=True)
    with open(os.path.join(args.out, "index.jsonl"), "w", encoding="utf-8") as index:
        for n, row in enumerate(choose(args.audio, args.tracks, args.per_package, rnd)):
            base = os.path.join(args.out, str(n))
            length = min(75.0, float(row["seconds"]) - 2)
            start = rnd.uniform(0, float(row["seconds"]) - 1 - length)
            ratio = 1 + rnd.choice((-1, 1)) * rnd.uniform(0.03, 0.06)
            source = os.path.join(args.audio, row["path"])
            raw = ["-f", "s16le", "-ar", str(RATE), "-ac", "1"]
            try:
                ffmpeg("-ss", f"{start:.2f}", "-t", f"{length:.2f}", "-i", source, *raw, base + ".raw")
                for side, stretch in (("a", ""), ("b", ""), ("t", f",atempo={ratio:.4f}")):
                    ffmpeg(*raw, "-i", base + ".raw", "-af", colour(rnd) + stretch, *raw, f"{base}.{side}.s16")
                os.remove(base + ".raw")
            except subprocess.CalledProcessError:
                continue
            seconds = os.path.getsize(base + ".a.s16") / 2 / RATE
            index.write(json.dumps(dict(id=str(n), package=row["package"], split=split_of(row["package"]), path=row["path"],
                                        seconds=seconds, ratio=ratio)) + "\n")
            index.flush()


if __name__ == "__main__":
    main()
