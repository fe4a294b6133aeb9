"""Trains the network that finds the first beats of bars, given the beats.

    fit_downbeat_net.py --data CLIPS.jsonl=FOLDER ... --test CLIPS.jsonl=FOLDER [--folds | --out FOLDER]

It sees, beat by beat, the pattern of the hypothesis that is right (F1 over 0.85; others are left out) and the tempo. --folds prints
F1 of the downbeats within 70 ms after a decoder that knows bars of 2 to 7 beats, over folds of pieces.
"""
import argparse
import os
import time

import numpy as np
import torch

import beat_data

METRES = [(4, 0.0), (3, 0.02), (2, 0.05), (5, 0.1), (6, 0.1), (7, 0.1)]
JUMP = 9.0


class Bars(torch.nn.Module):
    def __init__(self, size=53, width=24, drop=0.25):
        super().__init__()
        self.first = torch.nn.Conv1d(size, width, 1)
        self.blocks = torch.nn.ModuleList(torch.nn.Conv1d(width, width, 3, dilation=d, padding=d) for d in (1, 2, 4, 8, 16))
        self.mix = torch.nn.ModuleList(torch.nn.Conv1d(width, width, 1) for _ in range(5))
        self.last = torch.nn.Conv1d(width, 1, 1)
        self.drop = torch.nn.Dropout(drop)

    def forward(self, rows):
        z = torch.relu(self.first(self.drop(rows.transpose(1, 2))))
        for block, mix in zip(self.blocks, self.mix):
            z = z + mix(self.drop(torch.relu(block(z))))
        return self.last(self.drop(torch.relu(z)))[:, 0]


class OneTrain(torch.nn.Module):
    """Graph for the product: [beats, columns] -> [beats], the mean of several networks."""

    def __init__(self, models):
        super().__init__()
        self.models = torch.nn.ModuleList(models)

    def forward(self, rows):
        return sum(model(rows[None])[0] for model in self.models) / len(self.models)


def examples(clips):
    """[(clip, rows [n, 53], labels [n])] of the hypotheses that are right."""
    out = []
    for clip in clips:
        best = int(clip["f1"].argmax())
        if clip["f1"][best] < 0.85 or not clip["acc1"][best] or clip["perBar"] < 2:
            continue
        at = clip["trains"][best]
        downs = np.array([t for t, number in zip(clip["beats"], clip["numbers"]) if number == 1])
        if len(downs) < 2:
            continue
        labels = (np.abs(at[:, None] - downs).min(1) < 0.1).astype(np.float32)
        rows = np.c_[clip["patterns"][best].astype(np.float32) / 255, np.full(len(at), np.log2(clip["bpm"][best] / 120), np.float32)]
        keep = (at > clip["beats"][0] - 0.1) & (at < clip["beats"][-1] + 0.1)
        out.append((clip, rows, labels, keep.astype(np.float32), at, downs))
    return out


def fit(data, epochs, seed=0, rate=4e-3):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = Bars()
    optimiser = torch.optim.AdamW(model.parameters(), rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=epochs * -(-len(data) // 16))
    model.train()
    for _ in range(epochs):
        order = rng.permutation(len(data))
        for k in range(0, len(order), 16):
            part = [data[i] for i in order[k:k + 16]]
            length = max(len(p[1]) for p in part)
            x, y, m = (torch.zeros(len(part), length, 53), torch.zeros(len(part), length), torch.zeros(len(part), length))
            for j, (_, rows, labels, keep, _, _) in enumerate(part):
                n = len(rows)
                x[j, :n], y[j, :n], m[j, :n] = torch.tensor(rows), torch.tensor(labels), torch.tensor(keep)
                x[j, :n, 52] += float(rng.uniform(-0.15, 0.15))
            loss = torch.nn.functional.binary_cross_entropy_with_logits(model(x), y, reduction="none")
            loss = (loss * m).sum() / m.sum()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    return model.eval()


def decode(logits):
    """Indices of the beats that begin a bar: barStarts in libs/analysis does the same."""
    states = [(beats, cost, place) for beats, cost in METRES for place in range(beats)]
    following = [next(t for t, to in enumerate(states) if to[0] == s[0] and to[2] == (s[2] + 1) % s[0]) for s in states]
    score, back = np.zeros(len(states)), []
    first = np.array([s[2] == 0 for s in states])
    cost = np.array([s[1] for s in states])
    for i, logit in enumerate(np.clip(logits, -6, 6)):
        best = int(score.argmax())
        now, source = np.full(len(states), score[best] - JUMP), np.full(len(states), best)
        for s in range(len(states)):
            to = s if i == 0 else following[s]
            if score[s] >= now[to]:
                now[to], source[to] = score[s], s
        score = now + first * logit - cost
        back.append(source)
    at, found = int(score.argmax()), []
    for i in range(len(logits) - 1, -1, -1):
        if first[at]:
            found.append(i)
        at = back[i][at]
    return found[::-1]


def downbeat_f1(want, got):
    want, got = [t for t in want if t >= 5], [t for t in got if 5 <= t <= want[-1] + 0.5] if len(want) else []
    hit = sum(any(abs(t - g) <= 0.07 for g in got) for t in want)
    return 2 * hit / (len(want) + len(got)) if len(want) + len(got) else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="*", default=[])
    parser.add_argument("--test", required=True)
    parser.add_argument("--folds", action="store_true")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out")
    args = parser.parse_args()
    torch.set_num_threads(1)
    began = time.process_time()
    clips = beat_data.load(*args.test.split("="))
    fold = beat_data.folds(clips)
    test = examples(clips)
    data = [e for pair in args.data for e in examples(beat_data.load(*pair.split("=")))]
    print(f"{len(test)} + {len(data)} clips", flush=True)
    if args.folds:
        scores = []
        for k in range(5):
            models = [fit([e for e in test + data if fold.get(e[0]["group"]) != k], args.epochs, seed) for seed in range(args.seeds)]
            for clip, rows, labels, _, at, downs in test:
                if fold[clip["group"]] == k:
                    with torch.no_grad():
                        logits = OneTrain(models)(torch.tensor(rows)).numpy()
                    scores.append(downbeat_f1(downs, at[decode(logits)]))
            print(f"fold {k}: downbeat F1 {np.mean(scores):.3f} so far ({len(scores)} clips)", flush=True)
    if args.out:
        models = [fit(test + data, args.epochs, seed) for seed in range(args.seeds)]
        os.makedirs(args.out, exist_ok=True)
        torch.save([model.state_dict() for model in models], os.path.join(args.out, "downbeats.pt"))
    print(f"{time.process_time() - began:.0f} s of processor time")


if __name__ == "__main__":
    main()
