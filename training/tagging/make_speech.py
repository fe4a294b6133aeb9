#!/usr/bin/env python3
"""Speaks sentences with espeak-ng voices: more speakers for the speech label than the recorded voices give.

  make_speech.py CACHE_FOLDER [--count 60] [--seed 1]     (adds pcm/ID.s16 and lines of tracks.jsonl, source "espeak")
"""
import argparse
import json
import os
import random
import subprocess

import numpy as np
import scipy.signal

LANGUAGES = ["en", "en-us", "en-gb-scotland", "de", "fr-fr", "es", "it", "pt", "nl", "pl", "sv", "cs", "tr", "ru", "el", "hu", "fi", "cmn", "hi", "id"]
VARIANTS = ["", "+m1", "+m3", "+m5", "+m7", "+f1", "+f2", "+f3", "+f4", "+f5", "+croak", "+whisper"]
WORDS = ("the music starts after a short pause and we will talk about weather trains houses gardens people who walk along "
         "rivers numbers one two three eleven forty nine hundred please leave your message after the tone today tomorrow "
         "never always maybe because however between mountain window station paper coffee report market doctor answer "
         "question open close begin finish carry listen remember simple careful yellow green silver heavy quiet evening").split()


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("cache")
    a.add_argument("--count", type=int, default=60)
    a.add_argument("--seed", type=int, default=1)
    o = a.parse_args()
    rng = random.Random(o.seed)
    os.makedirs(os.path.join(o.cache, "pcm"), exist_ok=True)
    with open(os.path.join(o.cache, "tracks.jsonl"), "a") as listing:
        for k in range(o.count):
            voice = rng.choice(LANGUAGES) + rng.choice(VARIANTS)
            text = ". ".join(" ".join(rng.choice(WORDS) for _ in range(rng.randint(4, 14))) for _ in range(9))
            run = subprocess.run(["espeak-ng", "-v", voice, "-s", str(rng.randint(120, 210)), "-p", str(rng.randint(15, 85)),
                                  "--stdout", text], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            wave = np.frombuffer(run.stdout[44:len(run.stdout) // 2 * 2], "<i2").astype("float32")
            if len(wave) < 22050 * 8:
                continue
            wave = scipy.signal.resample_poly(wave, 320, 441)
            ident = f"espeak-{o.seed}-{k}"
            (wave * (0.5 * 32767 / np.abs(wave).max())).astype("<i2").tofile(os.path.join(o.cache, "pcm", ident + ".s16"))
            listing.write(json.dumps({"id": ident, "source": "espeak", "path": voice, "samples": len(wave), "group": "",
                                      "kind": "speech", "words": ""}) + "\n")


if __name__ == "__main__":
    main()
