"""Trains the note filter: which notes sound, given a semitone spectrum, and the key model on top of it.

    fit_note_net.py --midi FOLDER --plain CLIPS.jsonl=FOLDER --composed CLIPS.jsonl=FOLDER [--folds | --out FILE.generated.ts]

The filter sees the spectrum of one frame around each note (three octaves either way, the same weights for every note) and where the
note lies, and learns from rendered scores which notes sound. The key is read from the summed probabilities: the fit to Krumhansl
and Kessler's profiles and a learnt correction, the same for all tonics. Folds keep the renders of a piece together.
"""
import argparse
import json
import os
import time

import numpy as np
import torch

import beat_data
import compose
import render
import scores

NOTES, LOWEST, REACH, HIDDEN, BASS_TOP = 80, 28, 36, 8, 55
midi_file = scores.midi_file


def roll(division, events, frames):
    """[frames, NOTES]: 1 where a note sounds within 50 ms of the frame."""
    out = np.zeros((frames, NOTES), np.uint8)
    for channel, pitch, _, _, start, end in midi_file.notes(division, events):
        if channel != 9 and LOWEST <= pitch < LOWEST + NOTES:
            out[max(0, round(10 * start - 0.5)):max(1, round(10 * end + 0.5)), pitch - LOWEST] = 1
    return out


def load(pair, midi, fonts):
    clips, folder = pair.split("=")
    with open(clips, encoding="utf-8") as f:
        truth = {row["id"]: row for row in map(json.loads, f)}
    values = np.memmap(os.path.join(folder, "semitones.u8"), "u1", "r")
    out, at = [], 0
    with open(os.path.join(folder, "semitones.jsonl"), encoding="utf-8") as f:
        for line in f.read().split("\n")[:-1]:
            row = json.loads(line)
            clip, frames = truth[row["id"]], row["frames"]
            x = np.array(values[at:at + frames * NOTES]).reshape(frames, NOTES)
            at += frames * NOTES
            if clip["source"] == "composed":
                seed = int(clip["group"].rsplit("-", 1)[1])
                piece = render.arrange(clip["id"], "composed", False, fonts, lambda: compose.compose(seed)[1])
                division, events = piece[2], piece[6]
            else:
                division, events = midi_file.read(os.path.join(midi, clip["group"] + ".mid"))
            out.append(dict(clip, x=x, y=roll(division, events, frames)))
    return out


class NoteFilter(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.spread = torch.nn.Conv1d(1, HIDDEN, 2 * REACH + 1, padding=REACH)
        self.join = torch.nn.Conv1d(HIDDEN, 1, 1)
        self.place = torch.nn.Parameter(torch.zeros(NOTES))
        with torch.no_grad():
            self.join.bias.fill_(-2.0)

    def forward(self, x):
        return self.join(torch.relu(self.spread(x[:, None])))[:, 0] + self.place


def fit_filter(clips, epochs, step=3):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    x = np.concatenate([clip["x"][i % step::step] for i, clip in enumerate(clips)])
    y = np.concatenate([clip["y"][i % step::step] for i, clip in enumerate(clips)])
    keep = x.any(1)
    x, y = x[keep], y[keep]
    model = NoteFilter()
    optimiser = torch.optim.Adam(model.parameters(), 6e-3)
    size = 128
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, total_steps=epochs * -(-len(x) // size))
    for epoch in range(epochs):
        order, total = rng.permutation(len(x)), 0.0
        for k in range(0, len(order), size):
            pick = np.sort(order[k:k + size])
            rows = torch.tensor(x[pick].astype(np.float32) / 255)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(model(rows), torch.tensor(y[pick].astype(np.float32)))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(pick)
        print(f"  epoch {epoch}: loss {total / len(x):.4f}", flush=True)
    return model.eval()


def histogram(model, clip):
    """24 values: summed note probabilities by pitch class, all notes and bass, each dozen relative to its mean."""
    with torch.no_grad():
        p = torch.sigmoid(model(torch.tensor(clip["x"][clip["x"].any(1)].astype(np.float32) / 255))).numpy().sum(0)
    out = np.zeros(24)
    for n in range(NOTES):
        out[(n + LOWEST) % 12] += p[n]
        if n + LOWEST < BASS_TOP:
            out[12 + (n + LOWEST) % 12] += p[n]
    for half in (slice(0, 12), slice(12, 24)):
        mean = out[half].mean()
        out[half] = out[half] / mean - 1 if mean > 1e-6 else 0
    return out


PROFILES = np.array([(np.array(p) - np.mean(p)) / np.linalg.norm(np.array(p) - np.mean(p)) for p in (scores.MAJOR, scores.MINOR)])


def fit_key(rows, l2):
    x = torch.tensor(np.array([h for h, _, _ in rows]), dtype=torch.float32)
    y = torch.tensor([key for _, key, _ in rows])
    start = torch.zeros(2, 24)
    start[:, :12] = torch.tensor(PROFILES * 6, dtype=torch.float32)
    profiles, bias = start.clone().requires_grad_(), torch.zeros(2, requires_grad=True)
    optimiser = torch.optim.LBFGS([profiles, bias], max_iter=200)

    def closure():
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(logits(x, profiles, bias), y) + l2 * ((profiles - start) ** 2).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return profiles.detach(), bias.detach()


def logits(x, profiles, bias):
    rotated = [torch.cat([torch.roll(profiles[m, :12], t), torch.roll(profiles[m, 12:], t)]) for m in range(2) for t in range(12)]
    return x @ torch.stack(rotated).T + bias.repeat_interleave(12)


def mirex(guess, truth):
    if guess == truth:
        return 1.0
    tonic, same = (guess - truth) % 12, (guess < 12) == (truth < 12)
    relative = (truth % 12 + (9 if truth < 12 else 3)) % 12
    return 0.5 if same and tonic in (5, 7) else 0.3 if not same and guess % 12 == relative else 0.2 if not same and tonic == 0 else 0.0


def score(rows, model, name):
    guesses = logits(torch.tensor(np.array([h for h, _, _ in rows]), dtype=torch.float32), *model).argmax(1).tolist()
    marks = [mirex(g, key) for g, (_, key, _) in zip(guesses, rows)]
    print(f"{name}: key exact {np.mean([m == 1 for m in marks]):.3f} MIREX {np.mean(marks):.3f} ({len(rows)} clips)", flush=True)
    return marks


def labelled(model, clips, lead=0.05, whole=False):
    key, sure = ("wholeKey", "wholeKeyLead") if whole else ("key", "keyLead")
    return [(histogram(model, c), c[key], c) for c in clips if c.get(key) is not None and c[sure] >= lead and c["x"].any()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--midi", required=True)
    parser.add_argument("--plain", required=True)
    parser.add_argument("--composed")
    parser.add_argument("--fonts", nargs="*", default=["a", "b", "c"], help="as many as the composed clips were rendered with")
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--l2", type=float, nargs="*", default=[0.02])
    parser.add_argument("--out")
    args = parser.parse_args()
    torch.set_num_threads(1)
    began = time.process_time()
    plain = load(args.plain, args.midi, args.fonts)
    more = load(args.composed, args.midi, args.fonts) if args.composed else []
    print(f"{len(plain)} + {len(more)} clips, {time.process_time() - began:.0f} s", flush=True)
    if args.folds:
        fold = beat_data.folds(plain, args.folds)
        marks = {l2: ([], []) for l2 in args.l2}
        for k in range(args.folds):
            learn = [c for c in plain if fold[c["group"]] != k]
            model = fit_filter(learn + more, args.epochs)
            seen, rest = labelled(model, learn + more, 0.02), [c for c in plain if fold[c["group"]] == k]
            for l2 in args.l2:
                key = fit_key(seen, l2)
                marks[l2][0].extend(score(labelled(model, rest), key, f"fold {k} l2 {l2}"))
                marks[l2][1].extend(score(labelled(model, rest, whole=True), key, "   against the whole piece"))
        for l2, found in marks.items():
            print(f"l2 {l2}: " + "; ".join(f"exact {np.mean([m == 1 for m in v]):.3f} MIREX {np.mean(v):.3f} ({len(v)})" for v in found))
    if args.out:
        model = fit_filter(plain + more, args.epochs)
        profiles, bias = fit_key(labelled(model, plain + more, 0.02), args.l2[0])
        number = lambda v: f"{v:.4g}"
        rows = lambda m: "".join("  [" + ", ".join(map(number, row)) + "],\n" for row in m)
        with open(args.out, "w", encoding="utf-8") as f:
            f.write("/** Note filter and key profiles, made by training/beat/fit_note_net.py. */\n\n")
            f.write("/** Weights of each filter from 36 semitones below to 36 above. */\nexport const filterWeights: readonly (readonly number[])[] = [\n")
            f.write(rows(model.spread.weight[:, 0].tolist()) + "];\n")
            for name, value, what in (("filterBias", model.spread.bias.tolist(), "Bias of each filter."), ("joinWeights", model.join.weight[0, :, 0].tolist(), "Weight of each filter in the logit of a note."),
                                      ("placeBias", (model.place + model.join.bias).tolist(), "Bias of each note of a semitone spectrum.")):
                f.write(f"/** {what} */\nexport const {name}: readonly number[] = [" + ", ".join(map(number, value)) + "];\n")
            f.write("/** Profiles of major and of minor from the tonic: 12 weights of all notes, 12 of the bass. */\nexport const keyProfiles: readonly (readonly number[])[] = [\n" + rows(profiles.tolist()) + "];\n")
            f.write("/** Bias of major and of minor. */\nexport const keyBias: readonly number[] = [" + ", ".join(map(number, bias.tolist())) + "];\n")
    print(f"{time.process_time() - began:.0f} s of processor time")


if __name__ == "__main__":
    main()
