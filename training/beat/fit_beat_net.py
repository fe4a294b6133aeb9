"""Trains the network that chooses among beat hypotheses.

    fit_beat_net.py --data CLIPS.jsonl=FOLDER ... --test CLIPS.jsonl=FOLDER [--folds | --out FOLDER] [--unseen FONT]

A hypothesis is a train of beats; the network sees its features and what its pattern repeats, as they are and against the mean of
the clip, beside what it made of the train's siblings (half, double and other tempos, the off-beat), and gives a score. The use of a train is F1 + 0.3 acc1. The loss is for the most part the use to be expected when trains
are drawn by the softmax of the scores, for the rest the cross entropy against the softmax of the use (temperature 0.1). The groups (pieces) of --test are split into folds; clips of other groups, and clips of --data
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
    """Several networks in one, learnt side by side: each gives a row a score from the row, how it differs from the mean row, and its siblings."""

    def __init__(self, mean, spread, count=3, hidden=48, narrow=16, drops=(0.3, 0.4)):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("spread", torch.tensor(spread))
        self.drops = drops
        start = lambda *shape: torch.nn.Parameter((torch.rand(*shape) * 2 - 1) / shape[1] ** 0.5)
        zeros = lambda *shape: torch.nn.Parameter(torch.zeros(*shape))
        size = 2 * len(mean)
        self.linear = zeros(count, size, 1)
        self.first, self.first_bias = start(count, size, hidden), zeros(count, 1, hidden)
        self.second, self.second_bias = start(count, hidden * (1 + beat_data.SIBLINGS), narrow), zeros(count, 1, narrow)
        self.last = start(count, narrow, 1)

    def every(self, x, siblings, mean_row):
        """Scores [networks, rows]; siblings [rows, SIBLINGS], the number of rows for none; mean_row gives, from all rows, the mean of the clip that each belongs to."""
        z = ((x - self.mean) / self.spread).clamp(-5, 5)
        z = torch.cat([z, z - mean_row(z)], 1)
        drop = lambda v, share: torch.nn.functional.dropout(v, share, self.training)
        many = lambda v: v[None].expand(len(self.linear), -1, -1)
        y = torch.relu(torch.bmm(many(drop(z, self.drops[0])), self.first) + self.first_bias)
        padded = torch.cat([y, torch.zeros_like(y[:, :1])], 1)
        y = torch.cat([y] + [padded[:, siblings[:, k]] for k in range(beat_data.SIBLINGS)], 2)
        y = torch.relu(torch.bmm(drop(y, self.drops[1]), self.second) + self.second_bias)
        return (torch.bmm(many(z), self.linear) + torch.bmm(drop(y, self.drops[1]), self.last))[:, :, 0]

    def forward(self, x, siblings):
        """Scores of the rows of one clip, the mean of the networks."""
        return self.every(x, siblings.long(), lambda z: z.mean(0, keepdim=True)).mean(0)


def batches(clips, rng, size):
    order = rng.permutation(len(clips))
    for k in range(0, len(order), size):
        xs, us, ts, owners, siblings, at = [], [], [], [], [], 0
        rows = sum(len(clips[c]["bpm"]) for c in order[k:k + size])
        for j, c in enumerate(order[k:k + size]):
            clip = clips[c]
            use = clip["f1"] + 0.3 * clip["acc1"]
            x = clip["x"].copy()
            x[:, TEMPO_AT:TEMPO_AT + 10] = tempo_features(clip["bpm"] * 2 ** rng.uniform(-0.12, 0.12))
            target = np.exp((use - use.max()) / 0.1)
            xs.append(x)
            us.append(use)
            ts.append(target / target.sum())
            owners.append(np.full(len(use), j))
            siblings.append(np.where(clip["siblings"] == len(use), rows, clip["siblings"] + at))
            at += len(use)
        join = lambda parts: torch.tensor(np.concatenate(parts))
        yield join(xs), join(siblings), join(us), join(ts).float(), join(owners)


def fit(clips, epochs, count, hidden=48, decay=0.02, risk=0.85, rate=2e-3, size=16):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    rows = np.concatenate([clip["x"] for clip in clips])
    model = Scorer(rows.mean(0), rows.std(0) + 1e-3, count, hidden)
    optimiser = torch.optim.AdamW(model.parameters(), rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=epochs * -(-len(clips) // size))
    model.train()
    for _ in range(epochs):
        for x, siblings, use, target, owner in batches(clips, rng, size):
            clip_count = int(owner[-1]) + 1
            sizes = torch.bincount(owner)[:, None]
            scores = model.every(x, siblings, lambda z: (torch.zeros(clip_count, z.shape[1]).index_add(0, owner, z) / sizes)[owner])
            top = torch.full((count, clip_count), -1e9).scatter_reduce(1, owner.expand(count, -1), scores, "amax").detach()
            total = torch.zeros(count, clip_count).index_add(1, owner, torch.exp(scores - top[:, owner])).log() + top
            likelihood = scores - total[:, owner]
            likeness = (target * likelihood).sum() / clip_count
            expected = (torch.exp(likelihood) * use).sum() / clip_count
            loss = -(1 - risk) * likeness - 3 * risk * expected
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return model.eval()


def choose(model, clip):
    with torch.no_grad():
        return int(model(torch.tensor(clip["x"]), torch.tensor(clip["siblings"])).argmax())


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
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--networks", type=int, default=3)
    parser.add_argument("--hidden", type=int, default=48)
    parser.add_argument("--decay", type=float, default=0.02)
    parser.add_argument("--risk", type=float, default=0.85, help="share of the expected use in the loss")
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
    make = lambda clips: fit(clips, args.epochs, args.networks, args.hidden, args.decay, args.risk)
    usable = lambda clip: clip["f1"].max() > 0.8 and clip.get("font") != args.unseen
    if args.folds:
        rows, others = [], []
        for k in range(5):
            learn = [c for c in test + data if fold.get(c["group"]) != k and usable(c) and not (c["source"] == "composed" and hash_fold(c["group"]) == k)]
            model = make(learn)
            mine = [(c, outcome(c, choose(model, c))) for c in test if fold[c["group"]] == k]
            rows += mine
            others += [(c, outcome(c, choose(model, c))) for c in data if (c["source"] == "composed" and hash_fold(c["group"]) == k) or fold.get(c["group"]) == k]
            report(f"fold {k}", [r for _, r in mine])
        report("5-fold", [r for _, r in rows])
        for font in sorted({c["font"] for c, _ in rows}):
            report("  " + font, [r for c, r in rows if c["font"] == font])
        for source in sorted({c["source"] for c, _ in others}):
            report("  other clips, " + source, [r for c, r in others if c["source"] == source])
        for style in sorted({c["group"].split("-")[0] for c, _ in others if c["source"] == "composed"}):
            report("    " + style, [r for c, r in others if c["group"].startswith(style + "-") and c["source"] == "composed"])
    if args.out:
        model = make([c for c in test + data if usable(c)])
        os.makedirs(args.out, exist_ok=True)
        torch.save(model.state_dict(), os.path.join(args.out, "scorer.pt"))
        report("seen in training", [outcome(c, choose(model, c)) for c in test])
        with open(os.path.join(args.out, "training.json"), "w", encoding="utf-8") as f:
            json.dump({"clips": len(test) + len(data), "epochs": args.epochs, "networks": args.networks, "hidden": args.hidden, "risk": args.risk}, f)
    print(f"{time.process_time() - began:.0f} s of processor time")


def hash_fold(group):
    return int(group.rsplit("-", 1)[1]) % 5


if __name__ == "__main__":
    main()
