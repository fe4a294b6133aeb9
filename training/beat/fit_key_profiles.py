"""Fits the two key profiles (major, minor) over the chroma of all notes and of the bass.

    fit_key_profiles.py KEYS.jsonl... --out key-profiles.generated.ts [--folds]

Input: lines with `id`, `group` (the piece), `histogram` (24 values of keyHistogram), `key` ("F# minor"),
`keyConfidence`. All 24 keys share the two profiles by rotation; the loss is cross entropy plus a pull towards
Krumhansl and Kessler's profiles.
"""
import argparse
import json
import random

import numpy as np
import torch

NAMES = "C C# D Eb E F F# G Ab A Bb B".split()
MAJOR = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88]
MINOR = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17]


def load(paths):
    pieces = []
    for path in paths:
        for line in open(path, encoding="utf-8"):
            piece = json.loads(line)
            if piece.get("histogram") and piece["key"] != "none":
                tonic, mode = piece["key"].split()
                piece["label"] = NAMES.index(tonic) + (12 if mode == "minor" else 0)
                pieces.append(piece)
    return pieces


def logits(x, profiles, bias):
    out = []
    for mode in range(2):
        for tonic in range(12):
            rotated = torch.cat([torch.roll(profiles[mode, :12], tonic), torch.roll(profiles[mode, 12:], tonic)])
            out.append(x @ rotated + bias[mode])
    return torch.stack(out, 1)


def fit(pieces, l2=0.06):
    x = torch.tensor([piece["histogram"] for piece in pieces], dtype=torch.float32)
    y = torch.tensor([piece["label"] for piece in pieces])
    start = torch.zeros(2, 24)
    for mode, profile in enumerate((MAJOR, MINOR)):
        centred = torch.tensor(profile) - float(np.mean(profile))
        start[mode, :12] = 0.5 * centred / float(np.std(profile))
    profiles = start.clone().requires_grad_()
    bias = torch.zeros(2, requires_grad=True)
    optimiser = torch.optim.LBFGS([profiles, bias], max_iter=300)

    def closure():
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(logits(x, profiles, bias), y) + l2 * ((profiles - start) ** 2).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return profiles.detach(), bias.detach()


def mirex(guess, truth):
    tonic, same = (guess - truth) % 12, (guess < 12) == (truth < 12)
    relative = (truth % 12 + (9 if truth < 12 else 3)) % 12
    if guess == truth:
        return 1.0
    if same and tonic in (5, 7):
        return 0.5
    if not same and guess % 12 == relative:
        return 0.3
    return 0.2 if not same and tonic == 0 else 0.0


def evaluate(pieces, profiles, bias):
    pieces = [piece for piece in pieces if piece["keyConfidence"] >= 0.05]
    x = torch.tensor([piece["histogram"] for piece in pieces], dtype=torch.float32)
    guesses = logits(x, profiles, bias).argmax(1).tolist()
    scores = [mirex(g, piece["label"]) for g, piece in zip(guesses, pieces)]
    return f"key exact {np.mean([s == 1 for s in scores]):.3f} MIREX {np.mean(scores):.3f} ({len(pieces)} renders)"


def cross_validate(pieces):
    ids = sorted({piece["group"] for piece in pieces})
    random.Random(1).shuffle(ids)
    fold = {name: i % 5 for i, name in enumerate(ids)}
    for name, group in (("5-fold", lambda p: fold[p["group"]]), ("by source", lambda p: p["group"].split("-")[0])):
        for value in sorted({group(piece) for piece in pieces}):
            model = fit([piece for piece in pieces if group(piece) != value])
            print(name, value, evaluate([piece for piece in pieces if group(piece) == value], *model))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keys", nargs="+")
    parser.add_argument("--out")
    parser.add_argument("--folds", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    pieces = load(args.keys)
    if args.folds:
        cross_validate(pieces)
    if args.out:
        profiles, bias = fit(pieces)
        print("all, seen in training:", evaluate(pieces, profiles, bias))
        with open(args.out, "w", encoding="utf-8") as out:
            out.write("/**\n * Profiles of major and minor from the tonic: 12 weights of all notes, 12 of the bass;\n")
            out.write(" * made by training/beat/fit_key_profiles.py.\n */\n")
            out.write("export const keyProfiles: readonly (readonly number[])[] = [\n")
            for profile in profiles.tolist():
                out.write("  [" + ", ".join(f"{w:.4f}" for w in profile) + "],\n")
            out.write("];\n/** Bias of major and of minor. */\n")
            out.write("export const keyBias: readonly number[] = [" + ", ".join(f"{b:.4f}" for b in bias.tolist()) + "];\n")


if __name__ == "__main__":
    main()
