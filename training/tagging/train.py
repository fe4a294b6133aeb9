#!/usr/bin/env python3
"""Teaches the student: tag targets, the teachers' raw outputs and mn04's embedding, exact labels, weak words by track.

  train.py POOL RUN --tracks TRACKS.jsonl --teachers DIR (--minutes 25 | --end UNIX_SECONDS | --max-examples N) [--seed 1]
           [--pretrained RUN/pretrained.pt] and the choices that ablate.py compares

The learning rate follows a cosine over wall-clock time (or examples), so that a run ends when it should on a busy machine.
The first part of a run hears clean windows, the rest clean ones and mixes (--clean-first, --clean-share). RUN/last.pt is written every two
minutes and picked up again; RUN/final.pt holds the averaged weights. Two runs may be peers: they train on their own
samples and move half way to each other every 45 s (local SGD), which uses two cores without barriers.
"""
import argparse
import json
import os
import pickle
import signal
import time

import numpy as np
import torch
from torch.nn import functional as F

import front_end as fe
import labels
from net import student
from pool import SAMPLING, Pool, load_words
from robust import worst
from teachers import output_names

ACTIVITY = [labels.SPEECH, labels.MUSIC]
HALF = 125
BAND_WIDTH = np.log(fe.FILTERS.sum(1) / fe.FILTERS.sum(1).mean()).astype("float32")


def augment(mel, rng):
    """Cheap changes of log-mel that leave the targets true: level, time order, masks."""
    n = len(mel)
    mel = mel + rng.uniform(-0.7, 0.7, (n, 1, 1)).astype("float32")
    for x in mel:
        if rng.random() < 0.5:
            x[:] = np.roll(x, rng.integers(0, len(x)), 0)
        if rng.random() < 0.25:
            at, size = rng.integers(0, 72), rng.integers(1, 9)
            x[:, at:at + size] = x[:, at:at + size].mean()
        if rng.random() < 0.25:
            at, size = rng.integers(0, len(x) - 25), rng.integers(1, 26)
            x[at:at + size] = x.min()
    return mel


def hiss(mel, rng, share=0.3):
    """Adds white or tilted noise, 20 to 60 dB under the clip's own power, to a share of the clips: the targets stay."""
    for x in (mel[i] for i in np.flatnonzero(rng.random(len(mel)) < share)):
        power = np.exp(x)
        floor = np.log(power.mean()) + BAND_WIDTH + np.linspace(0, rng.uniform(-4, 2), x.shape[1]) - rng.uniform(20, 60) * np.log(10) / 10
        power += np.exp(floor, dtype="float32") * (0.25 + 1.5 * rng.random(x.shape, "float32"))
        np.log(power, out=x)
    return mel


def bend(mel, rng, share):
    """Another take of the same music for a share of the clips: tempo within 10 %, a smooth equaliser, all bands one up or down.

    The teachers are not asked again: what they say hardly depends on such small changes. It keeps the network from knowing
    recordings by their exact spectrum."""
    n, frames, bands = mel.shape
    for k in np.flatnonzero(rng.random(n) < share):
        taken = (rng.integers(frames) + np.arange(frames) * rng.uniform(0.9, 1.1)).astype(int) % frames
        moved = np.clip(np.arange(bands) + rng.integers(-1, 2), 0, bands - 1)
        curve = np.interp(np.arange(bands), np.linspace(0, bands - 1, 5), rng.normal(0, 0.4, 5)).astype("float32")
        mel[k] = mel[k][taken][:, moved] + curve
    return mel


def mix(mel, z, auxiliary, exact, rng, share):
    """Mixup in the power domain for a share of the batch; targets and power use the same ratio."""
    for i in np.flatnonzero(rng.random(len(mel)) < share):
        j, r = rng.integers(len(mel)), rng.beta(0.4, 0.4)
        mel[i] = np.log(np.exp(mel[i]) * np.float32(max(r, 1e-3)) + np.exp(mel[j]) * np.float32(max(1 - r, 1e-3)))
        z[i], auxiliary[i] = r * z[i] + (1 - r) * z[j], r * auxiliary[i] + (1 - r) * auxiliary[j]
        exact[i] = np.where(exact[i] == exact[j], exact[i], -1)


class Loss:
    """Loss of a batch: smooth L1 on z-scores, more for strong tags, cross entropy of speech and music, raw outputs.

    Negatives may be drawn (`keep_negatives`) or lose weight as training goes on, the more frequent the tag (`decay`)."""

    def __init__(self, o, frequency):
        self.o = o
        self.taught = torch.ones(len(labels.TAGS), dtype=torch.bool)
        self.taught[ACTIVITY] = False
        self.frequent = torch.from_numpy((frequency / np.percentile(frequency, 90)).clip(0, 1).astype("float32"))

    def __call__(self, outputs, z, auxiliary, exact, progress):
        logits, _, raw = outputs
        weight = (1 + z.clamp(0, 4)) * (1 + (exact >= 0))
        negative = z < 0
        if self.o.keep_negatives < 1:
            weight = weight * torch.where(negative & (torch.rand_like(z) > self.o.keep_negatives), 0.0, 1.0)
        if self.o.decay:
            weight = weight * torch.where(negative, 1 - self.o.decay * progress * self.frequent, 1.0)
        distance = F.smooth_l1_loss(logits, z, reduction="none", beta=0.5) * weight
        loss = distance[:, self.taught].mean()
        known = exact[:, ACTIVITY] >= 0
        sound = F.binary_cross_entropy_with_logits(logits[:, ACTIVITY], exact[:, ACTIVITY].clamp(0, 1), reduction="none")
        loss = loss + self.o.activity * (sound * known).sum() / known.sum().clamp(1)
        return loss if self.o.no_auxiliary else loss + F.smooth_l1_loss(raw, auxiliary, beta=0.5)


def weak_loss(model, pool, words, rng, tracks=5, windows=5):
    """Pooled over the windows of a track: a word's tags must reach z 1, tags of words it lacks should stay under 0.8."""
    chosen = rng.choice(len(pool.weak_tracks), tracks, replace=False)
    index = np.concatenate([rng.choice(pool.by_track[pool.weak_tracks[t]], windows) for t in chosen])
    logits = model(torch.from_numpy(augment(pool.gather(pool.mel, index, int(rng.integers(0, HALF + 1)), HALF), rng)))[0].view(tracks, windows, -1).mean(1)
    every = sorted({int(t) for tags in words.values() for t in tags})
    positive = torch.zeros(tracks, len(labels.TAGS), dtype=torch.bool)
    for row, t in enumerate(chosen):
        positive[row, words[pool.weak_tracks[t]]] = True
    up = (F.relu(1.0 - logits) ** 2 * positive).sum() / positive.sum()
    down = (F.relu(logits - 0.8) ** 2)[:, every][~positive[:, every]].mean()
    return 0.15 * up + 0.05 * down


def meet(model, own, peer, seen):
    """Leaves our weights for the peer and moves half way to those it left last; returns the time of the peer's file."""
    path = os.path.join(own, "weights.pt")
    torch.save(model.state_dict(), path + ".part")
    os.replace(path + ".part", path)
    other = os.path.join(peer, "weights.pt")
    if not os.path.exists(other) or os.path.getmtime(other) == seen or time.time() - os.path.getmtime(other) > 300:
        return seen
    seen, theirs = os.path.getmtime(other), torch.load(other)
    with torch.no_grad():
        for k, v in model.state_dict().items():
            if v.dtype.is_floating_point:
                v.lerp_(theirs[k], 0.5)
    return seen


def options():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("pool")
    a.add_argument("run")
    a.add_argument("--tracks", required=True, help="tracks.jsonl of the decoded music, for the weak words")
    a.add_argument("--teachers", required=True, help="folder of the teachers (for the names of their outputs)")
    a.add_argument("--minutes", type=float, default=25)
    a.add_argument("--end", type=float, default=0)
    a.add_argument("--max-examples", type=int, default=0, help="stop and follow the cosine by examples instead of by time")
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--batch", type=int, default=48)
    a.add_argument("--rate", type=float, default=2.5e-3)
    a.add_argument("--threads", type=int, default=1)
    a.add_argument("--pretrained", help="weights of pretrain.py: everything but the heads")
    a.add_argument("--init", help="start from the averaged weights of another run (its final.pt or last.pt)")
    a.add_argument("--statistics", help="file of target statistics; fitted on the pool and written where it is missing")
    a.add_argument("--peer", help="folder of another run with the same statistics: average weights with it every 45 s")
    a.add_argument("--clean-first", type=float, default=0.2, help="part of the run that hears clean windows alone")
    a.add_argument("--clean-share", type=float, default=0.5, help="share of clean windows after that")
    a.add_argument("--short-until", type=float, default=0.75, help="until this part of the run the student hears half of each clip: twice the examples")
    a.add_argument("--sampling", choices=sorted(SAMPLING), default="natural", help="how much rare tags are favoured")
    a.add_argument("--balance", type=float, default=0.5, help="share of the draws that follows --sampling")
    a.add_argument("--keep-negatives", type=float, default=1.0, help="share of the negatives that is kept")
    a.add_argument("--decay", type=float, default=0.0, help="part of their weight that negatives of the most frequent tags lose over the run")
    a.add_argument("--mixup", type=float, default=0.0, help="share of the clips that are mixed with another one")
    a.add_argument("--bend", type=float, default=0.0, help="share of the clips with another tempo, equaliser and pitch, all slight")
    a.add_argument("--robust", type=float, default=0.0, help="share of the steps that train against a gradient attack at 20-45 dB; more than 0 adds noise to a part of all clips")
    a.add_argument("--activity", type=float, default=0.8, help="weight of the exact speech and music labels")
    a.add_argument("--label-share", type=float, default=1.0, help="share of the tracks whose labels are used")
    a.add_argument("--only-clean", action="store_true", help="leave out augmented mixes of music")
    a.add_argument("--narrow", action="store_true", help="a smaller network, for comparisons")
    a.add_argument("--no-weak", action="store_true")
    a.add_argument("--no-auxiliary", action="store_true")
    return a.parse_args()


def open_pool(o, words, state):
    """The pool with its statistics: those of the run that goes on, of the file, or fitted now."""
    pool = Pool(o.pool, words, o.balance, o.sampling, o.label_share, o.only_clean)
    if state:
        pool.statistics = pickle.loads(state["statistics"])
    elif o.statistics and os.path.exists(o.statistics):
        with open(o.statistics, "rb") as f:
            pool.statistics = pickle.load(f)
    else:
        pool.fit(output_names(o.teachers))
        if o.statistics:
            with open(o.statistics, "wb") as f:
                pickle.dump(pool.statistics, f)
    return pool


def new_model(o, pool):
    """A student at random weights, or with those that --pretrained or --init name."""
    model = student(len(labels.TAGS), len(pool.statistics.centre), o.narrow)
    if o.pretrained:
        body = torch.load(o.pretrained, weights_only=False)["model"]
        model.load_state_dict({k: v for k, v in body.items() if not k.startswith(("tag_head", "auxiliary"))}, strict=False)
    if o.init:
        model.load_state_dict(torch.load(o.init, weights_only=False)["average"])
    model.mean.copy_(torch.from_numpy(pool.statistics.mel_mean))
    model.scale.copy_(torch.from_numpy(pool.statistics.mel_scale))
    return model.to(memory_format=torch.channels_last)


def main():
    o = options()
    torch.set_num_threads(o.threads)
    torch.manual_seed(o.seed)
    rng = np.random.default_rng(o.seed)
    os.makedirs(o.run, exist_ok=True)
    words = {} if o.no_weak else load_words(o.tracks)
    last = os.path.join(o.run, "last.pt")
    state = torch.load(last, weights_only=False) if os.path.exists(last) else None
    pool = open_pool(o, words, state)
    size = pool.refresh()
    model = new_model(o, pool)
    average = {k: v.clone() for k, v in model.state_dict().items()}
    decay = [p for p in model.parameters() if p.ndim > 1]
    optimiser = torch.optim.AdamW([{"params": decay, "weight_decay": 0.02}, {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0}], lr=o.rate)
    start, end, step = time.time(), o.end or time.time() + o.minutes * 60, 0
    if state:
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average, start, step = state["average"], state["start"], state["step"]
        rng = np.random.default_rng([o.seed, step])
    print(f"{size} examples, {len(words)} tracks with words, {sum(p.numel() for p in model.parameters())} weights", flush=True)
    model.train()
    loss_of = Loss(o, pool.frequency)
    shown, saved, total, before = time.time(), time.time(), 0.0, step
    met, seen = time.time(), 0.0

    def save(path):
        torch.save({"model": model.state_dict(), "average": average, "optimiser": optimiser.state_dict(), "start": start, "step": step,
                    "examples": step * o.batch, "seed": o.seed, "statistics": pickle.dumps(pool.statistics), "options": vars(o)}, path + ".part")
        os.replace(path + ".part", path)

    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    while True:
        if stop:
            save(last)
            return
        now = time.time()
        progress = step * o.batch / o.max_examples if o.max_examples else (now - start) / (end - start)
        if progress >= 1:
            break
        rate = o.rate * min(1, progress / 0.04 + 0.02) * (0.5 + 0.5 * np.cos(np.pi * progress)) + 1e-6
        for group in optimiser.param_groups:
            group["lr"] = rate
        index = pool.sample(rng, o.batch, 0.87 if progress < o.clean_first else o.clean_share)
        at, frames = (int(rng.integers(0, HALF + 1)), HALF) if progress < o.short_until else (0, None)
        mel = pool.gather(pool.mel, index, at, frames)
        z, auxiliary, exact = (pool.gather(s, index) for s in (pool.z, pool.auxiliary, pool.exact))
        mix(mel, z, auxiliary, exact, rng, o.mixup)
        bend(mel, rng, o.bend)
        if o.robust:
            hiss(mel, rng)
        mel, z, auxiliary, exact = (torch.from_numpy(x) for x in (augment(mel, rng), z, auxiliary, exact))
        if rng.random() < o.robust:
            ratio = torch.from_numpy(rng.uniform(20, 45, len(mel)).astype("float32"))
            mel = worst(lambda x: loss_of(model(x), z, auxiliary, exact, progress), mel, ratio)
        loss = loss_of(model(mel), z, auxiliary, exact, progress)
        if words and step % 4 == 0 and len(pool.weak_tracks) >= 5:
            loss = loss + weak_loss(model, pool, words, rng)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimiser.step()
        step += 1
        total += float(loss.detach())
        keep = min(0.999, 1 - 10 / (step + 10))
        with torch.no_grad():
            for k, v in model.state_dict().items():
                if v.dtype.is_floating_point:
                    average[k].lerp_(v, 1 - keep)
                else:
                    average[k].copy_(v)
        if now - shown > 30:
            size = pool.refresh()
            print(json.dumps({"step": step, "examples": step * o.batch, "progress": round(progress, 4), "loss": round(total / (step - before), 4),
                              "pool": size, "perSecond": round((step - before) * o.batch / (now - shown), 1)}), flush=True)
            shown, total, before = now, 0.0, step
        if o.peer and now - met > 45:
            met, seen = now, meet(model, o.run, o.peer, seen)
        if now - saved > 120:
            save(last)
            saved = now
    save(last)
    save(os.path.join(o.run, "final.pt"))
    print("done", flush=True)


if __name__ == "__main__":
    main()
