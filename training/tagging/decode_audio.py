#!/usr/bin/env python3
"""Decodes every track of an index once to 16 kHz mono int16 (raw little endian) and lists the results.

  decode_audio.py INDEX.tsv AUDIO_FOLDER CACHE_FOLDER [--max-seconds 300] [--every 1]

INDEX.tsv needs the columns path (below AUDIO_FOLDER) and package or source; group, kind and weak_words are passed on.
Resumable: what is there is not decoded again. CACHE_FOLDER/tracks.jsonl: one object a track.
"""
import argparse
import csv
import hashlib
import json
import os
import subprocess
import time


def decode(path, out, max_seconds):
    """Decodes with ffmpeg; returns the number of samples, 0 when nothing came out."""
    part = out + ".part"
    run = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", "-threads", "1", "-t", str(max_seconds), "-i", path,
                          "-map", "0:a:0", "-ac", "1", "-ar", "16000", "-f", "s16le", part],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if run.returncode or not os.path.exists(part) or os.path.getsize(part) < 3 * 32000:
        return 0
    os.replace(part, out)
    return os.path.getsize(out) // 2


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("index")
    a.add_argument("audio")
    a.add_argument("cache")
    a.add_argument("--max-seconds", type=float, default=300)
    a.add_argument("--every", type=int, default=1, help="take every n-th row: a small sample over all packages")
    a.add_argument("--wait-until", type=float, default=0, help="seconds to keep looking for new rows of the index")
    o = a.parse_args()
    os.makedirs(os.path.join(o.cache, "pcm"), exist_ok=True)
    listing = os.path.join(o.cache, "tracks.jsonl")
    done = set()
    if os.path.exists(listing):
        with open(listing) as f:
            done = {json.loads(line)["path"] for line in f}
    start = time.time()
    while True:
        with open(o.index, newline="", encoding="utf-8") as f:
            rows = [r for r in list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))[::o.every] if r["path"] not in done]
        for row in rows:
            done.add(row["path"])
            source = row.get("package") or row.get("source")
            name = hashlib.sha256((source + "/" + row["path"]).encode()).hexdigest()[:16]
            out = os.path.join(o.cache, "pcm", name + ".s16")
            samples = os.path.getsize(out) // 2 if os.path.exists(out) else decode(os.path.join(o.audio, row["path"]), out, o.max_seconds)
            if not samples:
                print("failed", row["path"], flush=True)
                continue
            track = {"id": name, "source": source, "path": row["path"], "samples": samples, "group": row.get("group", ""),
                     "kind": row.get("kind", "music"), "words": row.get("weak_words", "")}
            with open(listing, "a") as f:
                f.write(json.dumps(track) + "\n")
        if time.time() - start > o.wait_until:
            break
        time.sleep(10)
    print("tracks:", len(done))


if __name__ == "__main__":
    main()
