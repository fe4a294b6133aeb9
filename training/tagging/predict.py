#!/usr/bin/env python3
"""Runs an exported model over a folder: predictions for the scorer and, with --npz, logits and embeddings a segment
(and the mean and deviation of 20 MFCCs, as a trivial baseline for probe.py).

  predict.py MODEL_FOLDER AUDIO_FOLDER OUT.jsonl [--seconds 60] [--npz OUT.npz] [--from HELD_OUT.npz]

--from takes the logits from a file of teach_labels.py instead of from the network.
OUT.jsonl holds per file the calibrated probability of the mean logit over its segments, {"file", "scores": {facet: {tag: p}}}.
"""
import argparse
import json
import os
import subprocess
import time

import numpy as np
import onnxruntime
import scipy.fft

import front_end as fe

KINDS = (".opus", ".mp3", ".ogg", ".flac", ".wav")


def decode(path, seconds):
    run = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-t", str(seconds), "-i", path, "-map", "0:a:0", "-ac", "1", "-ar", "16000",
                          "-f", "f32le", "-"], check=True, stdout=subprocess.PIPE)
    return np.frombuffer(run.stdout, "<f4")


def open_model(folder):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    with open(os.path.join(folder, "manifest.json")) as f:
        manifest = json.load(f)
    session = onnxruntime.InferenceSession(os.path.join(folder, manifest["file"]), options, providers=["CPUExecutionProvider"])
    return manifest, session


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("model")
    a.add_argument("audio")
    a.add_argument("out")
    a.add_argument("--seconds", type=float, default=60)
    a.add_argument("--npz")
    a.add_argument("--from", dest="source")
    a.add_argument("--one-window", action="store_true", help="score the middle segment alone instead of the whole track")
    o = a.parse_args()
    manifest, session = open_model(o.model)
    slope = np.array([t["calibration"]["a"] for t in manifest["tags"]])
    offset = np.array([t["calibration"]["b"] for t in manifest["tags"]])

    def answer(logits):
        """One line of OUT.jsonl's scores."""
        mean = logits[len(logits) // 2] if o.one_window else logits.mean(0)
        scores = {}
        for tag, value in zip(manifest["tags"], 1 / (1 + np.exp(-(slope * mean + offset)))):
            scores.setdefault(tag["facet"], {})[tag["tag"]] = round(float(value), 6)
        return scores

    names = sorted(f for f in os.listdir(o.audio) if f.endswith(KINDS))
    if o.source:
        with np.load(o.source) as f, open(o.out, "w") as out:
            for name in names:
                out.write(json.dumps({"file": name, "scores": answer(f[name + "/logits"])}) + "\n")
        return
    stored, heard, net = {}, 0.0, 0.0
    with open(o.out, "w") as out:
        for name in names:
            mel = fe.segments(decode(os.path.join(o.audio, name), o.seconds))
            start = time.process_time()
            parts = [session.run(None, {"log_mel": mel[i:i + 8]}) for i in range(0, len(mel), 8)]
            net += time.process_time() - start
            heard += 5 * len(mel)
            logits, embedding = (np.concatenate([p[k] for p in parts]) for k in (0, 1))
            out.write(json.dumps({"file": name, "scores": answer(logits)}) + "\n")
            cepstrum = scipy.fft.dct(mel, axis=2, norm="ortho")[:, :, :20]
            stored[name + "/mfcc"] = np.concatenate([cepstrum.mean(1), cepstrum.std(1)], 1)
            stored[name + "/logits"], stored[name + "/embedding"] = logits, embedding
    if o.npz:
        np.savez_compressed(o.npz, **stored)
    print(f"net alone, one thread: {heard / net:.0f} x real time (CPU seconds; windows overlap by half)")


if __name__ == "__main__":
    main()
