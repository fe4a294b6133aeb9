"""Trains the network that chooses among beat hypotheses.

    fit_beat_net.py --data CLIPS.jsonl=FOLDER ... --test CLIPS.jsonl=FOLDER [--folds | --out FOLDER] [--unseen FONT]

A hypothesis is a train of beats; the network sees its features and what its pattern repeats, and gives a score. The loss is the
cross entropy between the softmax of the scores of a clip and the softmax of F1 + 0.3 acc1 (temperature 0.1), so that a train
that is nearly right is nearly as good. The groups (pieces) of --test are split into folds; clips of other groups, and clips of --data
of the training groups, are learnt from. --unseen leaves a sound font out of the training.
"""
import argparse
import json
import os
import time

import numpy as np
import torch

import beat_data

TEMPO_CENTRES = 45 * 2 ** (np.arange(10) * 0.3)
TEMPO_AT = 59  # first of the tempo features


def tempo_features(bpm):
    return np.exp(-((np.log2(bpm[:, None] / TEMPO_CENTRES) / 0.25) ** 2)).astype(np.float32)


class Scorer(torch.nn.Module):
    def __init__(self, mean, spread, hidden=48, drop=0.3):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("spread", torch.tensor(spread))
        size = len(mean)
        self.linear = torch.nn.Linear(size, 1)
        self.net = torch.nn.Sequential(torch.nn.Dropout(0.1), torch.nn.Linear(size, hidden), torch.nn.ReLU(), torch.nn.Dropout(drop),
                                       torch.nn.Linear(hidden, 16), torch.nn.ReLU(), torch.nn.Dropout(drop), torch.nn.Linear(16, 1))

    def forward(self, x):
        z = ((x - self.mean) / self.spread).clamp(-5, 5)
        return (self.linear(z) + self.net(z))[:, 0]


def batches(clips, rng, size, most):
    order = rng.permutation(len(clips))
    for k in range(0, len(order), size):
        xs, ts, owners, weights = [], [], [], []
        for j, c in enumerate(order[k:k + size]):
            clip = clips[c]
            use = clip["f1"] + 0.3 * clip["acc1"]
            pick = np.arange(len(use))
            if len(use) > most:
                best = int(use.argmax())
                pick = np.r_[best, rng.choice(np.delete(pick, best), most - 1, replace=False)]
            x = clip["x"][pick].copy()
            x[:, TEMPO_AT:TEMPO_AT + 10] = tempo_features(clip["bpm"][pick] * 2 ** rng.uniform(-0.12, 0.12))
            target = np.exp((use[pick] - use[pick].max()) / 0.1)
            xs.append(x)
            ts.append(target / target.sum())
            owners.append(np.full(len(pick), j))
            weights.append(clip.get("weight", 1.0))
        yield (torch.tensor(np.concatenate(xs)), torch.tensor(np.concatenate(ts).astype(np.float32)), torch.tensor(np.concatenate(owners)),
               torch.tensor(weights, dtype=torch.float32))


def fit(clips, epochs, seed=0, hidden=48, decay=0.02, rate=2e-3, most=24):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    rows = np.concatenate([clip["x"] for clip in clips])
    model = Scorer(rows.mean(0), rows.std(0) + 1e-3, hidden)
    optimiser = torch.optim.AdamW(model.parameters(), rate, weight_decay=decay)
    steps = epochs * -(-len(clips) // 16)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    model.train()
    for _ in range(epochs):
        for x, target, owner, weight in batches(clips, rng, 16, most):
            scores = model(x)
            count = len(weight)
            top = torch.full((count,), -1e9).scatter_reduce(0, owner, scores, "amax")
            total = torch.zeros(count).index_add(0, owner, torch.exp(scores - top[owner])).log() + top
            loss = torch.zeros(count).index_add(0, owner, target * (total[owner] - scores))
            loss = (loss * weight).sum() / weight.sum()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    return model.eval()


def choose(models, clip):
    with torch.no_grad():
        x = torch.tensor(clip["x"])
        return int(sum(torch.log_softmax(model(x), 0) for model in models).argmax())


def report(name, rows):
    f1, acc1, acc2 = (np.mean([row[k] for row in rows]) for k in (0, 1, 2))
    print(f"{name}: beat F1 {f1:.3f} tempo acc1 {acc1:.3f} acc2 {acc2:.3f} ({len(rows)} clips)", flush=True)


def outcome(clip, i):
    ratio = clip["bpm"][i] / clip["tempo"]
    return clip["f1"][i], clip["acc1"][i], float(any(abs(ratio / m - 1) <= 0.04 for m in (1, 2, 0.5)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="*", default=[])
    parser.add_argument("--test", required=True)
    parser.add_argument("--folds", action="store_true")
    parser.add_argument("--unseen")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--hidden", type=int, default=48)
    parser.add_argument("--decay", type=float, default=0.02)
    parser.add_argument("--columns", type=int, default=0, help="learn from the first so many features only")
    parser.add_argument("--out")
    args = parser.parse_args()
    torch.set_num_threads(1)
    began = time.process_time()
    test = beat_data.load(*args.test.split("="))
    data = [clip for pair in args.data for clip in beat_data.load(*pair.split("="))]
    if args.columns:
        for clip in test + data:
            clip["x"] = clip["x"][:, : args.columns]
    print(f"{len(test)} + {len(data)} clips, best possible F1 {np.mean([c['f1'].max() for c in test]):.3f}, {time.process_time() - began:.0f} s", flush=True)
    fold = beat_data.folds(test)
    make = lambda clips: [fit(clips, args.epochs, seed, args.hidden, args.decay) for seed in range(args.seeds)]
    usable = lambda clip: clip["f1"].max() > 0.8 and clip.get("font") != args.unseen
    if args.folds:
        rows, others = [], []
        for k in range(5):
            learn = [c for c in test + data if fold.get(c["group"]) != k and usable(c) and not (c["source"] == "composed" and hash_fold(c["group"]) == k)]
            models = make(learn)
            mine = [(c, outcome(c, choose(models, c))) for c in test if fold[c["group"]] == k]
            rows += mine
            others += [(c, outcome(c, choose(models, c))) for c in data if (c["source"] == "composed" and hash_fold(c["group"]) == k) or fold.get(c["group"]) == k]
            report(f"fold {k}", [r for _, r in mine])
        report("5-fold", [r for _, r in rows])
        for font in sorted({c["font"] for c, _ in rows}):
            report("  " + font, [r for c, r in rows if c["font"] == font])
        for source in sorted({c["source"] for c, _ in others}):
            report("  other clips, " + source, [r for c, r in others if c["source"] == source])
        for style in sorted({c["group"].split("-")[0] for c, _ in others if c["source"] == "composed"}):
            report("    " + style, [r for c, r in others if c["group"].startswith(style + "-") and c["source"] == "composed"])
    if args.out:
        models = make([c for c in test + data if usable(c)])
        os.makedirs(args.out, exist_ok=True)
        torch.save([model.state_dict() for model in models], os.path.join(args.out, "scorer.pt"))
        report("seen in training", [outcome(c, choose(models, c)) for c in test])
        with open(os.path.join(args.out, "training.json"), "w", encoding="utf-8") as f:
            json.dump({"clips": len(test) + len(data), "epochs": args.epochs, "seeds": args.seeds, "hidden": args.hidden}, f)
    print(f"{time.process_time() - began:.0f} s of processor time")


def hash_fold(group):
    return int(group.rsplit("-", 1)[1]) % 5


if __name__ == "__main__":
    main()
