#!/usr/bin/env python3
"""What the training targets themselves score on a labelled folder: the ceiling of distillation, and a check of the recipe.

  teacher_answers.py AUDIO_FOLDER OUT.jsonl --teachers DIR --run RUN/last.pt --cache CACHE.npz [--seconds 60] [--mixed]
"""
import argparse
import json
import os
import pickle

import numpy as np
import torch

import front_end as fe
import labels
from predict import KINDS, decode
from teachers import NAMES, Teachers


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("audio")
    a.add_argument("out")
    a.add_argument("--teachers", required=True)
    a.add_argument("--run", required=True)
    a.add_argument("--seconds", type=float, default=60)
    a.add_argument("--cache", required=True)
    a.add_argument("--mixed", action="store_true", help="with the tags of mixtures.tsv replaced, as export.py does for the student")
    o = a.parse_args()
    if not os.path.exists(o.cache):
        teachers, stored = Teachers(o.teachers), {}
        for name in sorted(f for f in os.listdir(o.audio) if f.endswith(KINDS)):
            x = decode(os.path.join(o.audio, name), o.seconds)
            x = np.pad(x, (0, max(0, fe.CLIP_SAMPLES - len(x))))
            clips = np.stack([x[i:i + fe.CLIP_SAMPLES] for i in range(0, len(x) - fe.CLIP_SAMPLES + 1, 80000)])
            parts = [teachers.label(clips[i:i + 4]) for i in range(0, len(clips), 4)]
            for t in NAMES:
                stored[f"{name}/{t}"] = np.concatenate([p[1][t] for p in parts]).astype("float16")
            stored[f"{name}/embedding"] = np.concatenate([p[2] for p in parts]).astype("float16")
        np.savez_compressed(o.cache, **stored)
    statistics = pickle.loads(torch.load(o.run, weights_only=False)["statistics"])
    with np.load(o.cache) as f, open(o.out, "w") as out:
        for name in sorted({k.split("/")[0] for k in f.files}):
            z = statistics.targets({t: f[f"{name}/{t}"].astype("float32") for t in NAMES})
            z = (labels.mix_targets(z) if o.mixed else z).mean(0)
            scores = {}
            for (facet, tag), value in zip(labels.TAGS, z):
                scores.setdefault(facet, {})[tag] = round(float(value), 5)
            out.write(json.dumps({"file": name, "scores": scores}) + "\n")


if __name__ == "__main__":
    main()
