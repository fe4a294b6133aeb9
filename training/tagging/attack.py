#!/usr/bin/env python3
"""How many decisions flip when noise is added that the gradient has shaped: projected gradient steps on the waveform.

  attack.py AUDIO_FOLDER OUT.json NAME=RUN/final.pt [NAME=...] [--ratios 40 30 20] [--threshold 1.0] [--files 60]

One 5 s window (the middle) of every file. The noise has an energy of `ratio` dB under the window's. A decision is "logit of a
tag over the threshold" (z-score, one threshold for all runs). Flip rate: changed decisions over decisions that said a tag
before or after. "white": the same energy as white noise, no gradient. Intervals: bootstrap over files.
"""
import argparse
import json
import os

import numpy as np
import torch

import front_end as fe
import labels
from export import load
from predict import KINDS, decode

STEPS = 6


def log_mel(samples):
    """front_end.log_mel in PyTorch, differentiable: [n, CLIP_SAMPLES] -> [n, FRAMES, MEL_BANDS]."""
    frames = samples.unfold(1, fe.WINDOW_SAMPLES, fe.HOP_SAMPLES) * torch.from_numpy(fe.hann(fe.WINDOW_SAMPLES))
    power = torch.fft.rfft(frames, fe.FFT_SIZE).abs().square()
    return torch.log(power @ torch.from_numpy(fe.FILTERS.T.copy()) + fe.LOG_OFFSET)


def scaled(noise, samples, ratio_db):
    """Noise brought to `ratio_db` under the energy of each row of samples."""
    energy = samples.square().sum(1, keepdim=True) * 10 ** (-ratio_db / 10)
    return noise * (energy / noise.square().sum(1, keepdim=True).clamp_min(1e-20)).sqrt()


def attacked(model, samples, ratio_db, threshold, taught):
    """Samples with the noise that pulls every decision towards its other side."""
    with torch.no_grad():
        side = torch.where(model(log_mel(samples))[0][:, taught] > threshold, 1.0, -1.0)
    noise = scaled(torch.randn_like(samples), samples, ratio_db)
    for _ in range(STEPS):
        noise.requires_grad_(True)
        margin = (model(log_mel(samples + noise))[0][:, taught] - threshold) * side
        gradient = torch.autograd.grad(margin.clamp(-0.3, 2).sum(), noise)[0]
        with torch.no_grad():
            noise = scaled(noise - 0.5 * scaled(gradient, samples, ratio_db), samples, ratio_db)
    return (samples + noise).detach()


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("audio")
    a.add_argument("out")
    a.add_argument("runs", nargs="+")
    a.add_argument("--ratios", type=float, nargs="+", default=[40, 30, 20])
    a.add_argument("--threshold", type=float, default=1.0)
    a.add_argument("--files", type=int, default=60)
    o = a.parse_args()
    torch.set_num_threads(1)
    names = sorted(f for f in os.listdir(o.audio) if f.endswith(KINDS))[: o.files]
    clips = []
    for name in names:
        x = decode(os.path.join(o.audio, name), 60)
        at = max(0, (len(x) - fe.CLIP_SAMPLES) // 2)
        clips.append(np.resize(x[at:at + fe.CLIP_SAMPLES], fe.CLIP_SAMPLES))
    samples = torch.from_numpy(np.stack(clips).astype("float32"))
    taught = [i for i in range(len(labels.TAGS)) if i not in labels.NOT_TEACHER]
    draw = np.random.default_rng(0).integers(0, len(names), (1000, len(names)))
    report = {}
    for item in o.runs:
        name, path = item.split("=", 1)
        model, rows = load(path)[0], {}
        model.requires_grad_(False)
        for ratio in o.ratios:
            for kind in ("gradient", "white"):
                torch.manual_seed(0)
                changed, said = [], []
                for part in samples.split(20):
                    other = attacked(model, part, ratio, o.threshold, taught) if kind == "gradient" else part + scaled(torch.randn_like(part), part, ratio)
                    with torch.no_grad():
                        before, after = (model(log_mel(x))[0][:, taught] > o.threshold for x in (part, other))
                    changed.append((before ^ after).sum(1)), said.append((before | after).sum(1))
                changed, said = torch.cat(changed).numpy(), torch.cat(said).numpy()
                boot = changed[draw].sum(1) / np.maximum(1, said[draw].sum(1))
                rows[f"{kind} {ratio:g} dB"] = [round(float(v), 3) for v in (changed.sum() / max(1, said.sum()), *np.percentile(boot, [2.5, 97.5]))]
        report[name] = rows
        print(name, json.dumps(rows), flush=True)
    with open(o.out, "w") as f:
        json.dump(report, f, indent=1)


if __name__ == "__main__":
    main()
