#!/usr/bin/env python3
"""Golden vectors that tie the product's front end and session to training.

  golden.py MODEL_FOLDER GOLDEN_FOLDER
"""
import argparse
import base64
import json
import os

import numpy as np

import front_end as fe
from predict import open_model

FORMULA = ("for n = 0 .. samples - 1, t = n / 16000: x[n] = 0.3 sin(2 pi (110 t + 300 t^2)) + 0.2 sin(2 pi 1234.5 t) (0.5 + 0.5 sin(2 pi 3 t)) "
           "+ 0.05 u[n], rounded to float32; u[n] = s[n] / 2147483648 - 1 with the generator s[n] = (1664525 s[n-1] + 1013904223) mod 2^32, "
           "s[-1] = 12345 (s[0] is already one step on); everything in float64 before the rounding")


def signal(samples):
    """The signal of FORMULA, float32 [samples]."""
    state, noise = 12345, np.empty(samples)
    for n in range(samples):
        state = (1664525 * state + 1013904223) % (1 << 32)
        noise[n] = state / 2147483648 - 1
    t = np.arange(samples) / 16000
    x = 0.3 * np.sin(2 * np.pi * (110 * t + 300 * t ** 2)) + 0.2 * np.sin(2 * np.pi * 1234.5 * t) * (0.5 + 0.5 * np.sin(2 * np.pi * 3 * t))
    return (x + 0.05 * noise).astype("float32")


def packed(x):
    return {"shape": list(x.shape), "dtype": "float32", "base64": base64.b64encode(np.ascontiguousarray(x, "<f4").tobytes()).decode()}


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("model")
    a.add_argument("golden")
    o = a.parse_args()
    os.makedirs(o.golden, exist_ok=True)
    manifest, session = open_model(o.model)
    x = signal(32000)
    with open(os.path.join(o.golden, "front-end.json"), "w") as f:
        json.dump({"formula": FORMULA, "samples": 32000, "firstSamples": [float(v) for v in x[:8]], "frontEnd": fe.MANIFEST,
                   "tolerance": 1e-3, "logMel": packed(fe.log_mel(x))}, f, indent=1)
    long = signal(fe.CLIP_SAMPLES)
    logits, embedding = session.run(None, {"log_mel": fe.log_mel(long)[None]})
    with open(os.path.join(o.golden, "tagger-1.json"), "w") as f:
        json.dump({"formula": FORMULA, "samples": fe.CLIP_SAMPLES, "sha256": manifest["sha256"], "tolerance": 1e-3,
                   "logits": packed(logits[0]), "embedding": packed(embedding[0])}, f, indent=1)
    print("written")


if __name__ == "__main__":
    main()
