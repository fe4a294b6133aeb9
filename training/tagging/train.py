#!/usr/bin/env python3
"""Teaches the student from random weights: tag targets, the teachers' raw outputs and mn04's embedding, weak words by track.

  train.py POOL RUN --tracks TRACKS.jsonl --teachers DIR (--minutes 25 | --end UNIX_SECONDS) [--seed 1]
           [--no-weak] [--no-auxiliary] [--balance 0.5] [--max-examples N]

The learning rate follows a cosine over wall-clock time, so that a run ends when it should on a busy machine. RUN/last.pt is
written every two minutes and picked up again; RUN/final.pt holds the averaged weights. Two runs may be peers: they train
on their own samples and move half way to each other every 45 s (local SGD), which uses two cores without barriers.
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

import labels
from net import Student
from pool import Pool, load_words
from teachers import output_names


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


def mix(mel, z, auxiliary, exact, rng, share):
    """Mixup in the power domain for a share of the batch; targets and power use the same ratio."""
    for i in np.flatnonzero(rng.random(len(mel)) < share):
        j, r = rng.integers(len(mel)), rng.beta(0.4, 0.4)
        mel[i] = np.logaddexp(mel[i] + np.log(max(r, 1e-3)), mel[j] + np.log(max(1 - r, 1e-3)))
        z[i], auxiliary[i] = r * z[i] + (1 - r) * z[j], r * auxiliary[i] + (1 - r) * auxiliary[j]
        exact[i] = np.where(exact[i] == exact[j], exact[i], -1)


def losses(model, mel, z, auxiliary, exact, use_auxiliary, activity_weight):
    logits, _, raw = model(torch.from_numpy(mel))
    z, exact = torch.from_numpy(z), torch.from_numpy(exact)
    distance = F.smooth_l1_loss(logits, z, reduction="none", beta=0.5) * (1 + z.clamp(0, 4))
    distance = distance * (1 + (exact >= 0))
    activity = [labels.SPEECH, labels.MUSIC]
    taught = torch.ones(len(labels.TAGS), dtype=torch.bool)
    taught[activity] = False
    loss = distance[:, taught].mean()
    known = exact[:, activity] >= 0
    sound = F.binary_cross_entropy_with_logits(logits[:, activity], exact[:, activity].clamp(0, 1), reduction="none")
    loss = loss + activity_weight * (sound * known).sum() / known.sum().clamp(1)
    if use_auxiliary:
        loss = loss + F.smooth_l1_loss(raw, torch.from_numpy(auxiliary), beta=0.5)
    return loss


def weak_loss(model, pool, words, rng, tracks=5, windows=5):
    """Pooled over the windows of a track: a word's tags must reach z 1, tags of words it lacks should stay under 0.8."""
    chosen = rng.choice(len(pool.weak_tracks), tracks, replace=False)
    index = np.concatenate([rng.choice(pool.by_track[pool.weak_tracks[t]], windows) for t in chosen])
    logits = model(torch.from_numpy(augment(pool.gather(pool.mel, index), rng)))[0].view(tracks, windows, -1).mean(1)
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
    if not os.path.exists(other) or os.path.getmtime(other) == seen:
        return seen
    seen, theirs = os.path.getmtime(other), torch.load(other)
    with torch.no_grad():
        for k, v in model.state_dict().items():
            if v.dtype.is_floating_point:
                v.lerp_(theirs[k], 0.5)
    return seen


def main():
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
    a.add_argument("--balance", type=float, default=0.5)
    a.add_argument("--mixup", type=float, default=0.25)
    a.add_argument("--activity", type=float, default=0.8, help="weight of the exact speech and music labels")
    a.add_argument("--no-weak", action="store_true")
    a.add_argument("--no-auxiliary", action="store_true")
    a.add_argument("--threads", type=int, default=1)
    a.add_argument("--init", help="start from the weights of another run (its final.pt or last.pt)")
    a.add_argument("--short-until", type=float, default=0.55, help="until this part of the run the student hears half of each clip: twice the examples")
    a.add_argument("--keep-statistics", action="store_true", help="with --init: take over its target statistics as well")
    a.add_argument("--peer", help="folder of another run with the same statistics: average weights with it every 45 s")
    o = a.parse_args()
    torch.set_num_threads(o.threads)
    torch.manual_seed(o.seed)
    rng = np.random.default_rng(o.seed)
    os.makedirs(o.run, exist_ok=True)
    words = {} if o.no_weak else load_words(o.tracks)
    pool = Pool(o.pool, words, o.balance)
    last = os.path.join(o.run, "last.pt")
    state = torch.load(last, weights_only=False) if os.path.exists(last) else None
    begin = torch.load(o.init, weights_only=False) if o.init and not state else None
    if state or (begin and o.keep_statistics):
        pool.statistics = pickle.loads((state or begin)["statistics"])
    else:
        pool.fit(output_names(o.teachers))
    size = pool.refresh()
    model = Student(len(labels.TAGS), len(pool.statistics.centre))
    model.mean.copy_(torch.from_numpy(pool.statistics.mel_mean))
    model.scale.copy_(torch.from_numpy(pool.statistics.mel_scale))
    if begin:
        model.load_state_dict(begin["average"])
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
        index = pool.sample(rng, o.batch)
        mel, z, auxiliary, exact = (pool.gather(s, index) for s in (pool.mel, pool.z, pool.auxiliary, pool.exact))
        if progress < o.short_until:
            at = rng.integers(0, 126)
            mel = np.ascontiguousarray(mel[:, at:at + 125])
        mix(mel, z, auxiliary, exact, rng, o.mixup)
        loss = losses(model, augment(mel, rng), z, auxiliary, exact, not o.no_auxiliary, o.activity)
        if words and step % 4 == 0 and len(pool.weak_tracks) >= 5:
            loss = loss + weak_loss(model, pool, words, rng)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimiser.step()
        step += 1
        total += float(loss.detach())
        keep = min(0.998, 1 - 10 / (step + 10))
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
