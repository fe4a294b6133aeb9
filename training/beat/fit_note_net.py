"""Trains the key model: which notes sound, given a semitone spectrum, and which key they make.

    fit_note_net.py --midi FOLDER --plain CLIPS.jsonl=FOLDER --composed CLIPS.jsonl=FOLDER [--folds 3 | --out FILE.generated.ts]
                    [--moved CLIPS.jsonl=FOLDER] [--others CLIPS.jsonl=FOLDER]

A network sees the spectrum of one frame around each note (three octaves either way) through the same weights for every note, so that
it knows no absolute pitch; notes near the ends of the spectrum count less, so that what a transposition moves out of it or into it
counts little. Notes are summed by pitch class over the clip, and one profile a mode, the same for all tonics, gives the 24 keys.
Learnt in one: the notes of rendered scores, the share of each pitch class in the score, and its key, while clips are transposed,
tilted and thinned at random. The networks are averaged as probabilities of keys. Folds keep the renders of a piece together.
--moved are clips of --plain (`base`) played `shift` semitones higher; --others are unlabelled ones likewise, for --folds only.
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

NOTES, LOWEST, REACH = 80, 28, 36
FADE_LOW, FADE_HIGH = 14, 12
POWER = 0.7  # of the probabilities of a note, summed over the clip: what sounds long counts, but less than in proportion
CLIP_ROWS, BATCH, RATE = 160, 8, 6e-3
midi_file = scores.midi_file
PROFILES = np.array([(np.array(p) - np.mean(p)) / np.linalg.norm(np.array(p) - np.mean(p)) for p in (scores.MAJOR, scores.MINOR)])
FOLD = torch.tensor([[float((n + LOWEST) % 12 == p) for p in range(12)] for n in range(NOTES)])


def fade():
    """Weight of each note: 1, but falling to both ends of the spectrum. noteWeights in libs/analysis gives the same."""
    n = np.arange(NOTES)
    ends = np.minimum((n + 1) / (FADE_LOW + 1), (NOTES - n) / (FADE_HIGH + 1))
    return torch.tensor(np.sin(np.pi / 2 * np.minimum(ends, 1)) ** 2).float()


def rows_of(pair):
    """[(line of CLIPS, spectra [frames, NOTES] of bytes)]"""
    clips, folder = pair.split("=")
    with open(clips, encoding="utf-8") as f:
        truth = {row["id"]: row for row in map(json.loads, f)}
    values, at = np.memmap(os.path.join(folder, "semitones.u8"), "u1", "r"), 0
    with open(os.path.join(folder, "semitones.jsonl"), encoding="utf-8") as f:
        for row in map(json.loads, f):
            size = row["frames"] * NOTES
            yield truth[row["id"]], np.array(values[at:at + size]).reshape(-1, NOTES)
            at += size


def score_of(clip, midi, fonts):
    """(ticks a quarter, events) of what is heard in a clip."""
    if clip["source"] != "composed":
        return midi_file.read(os.path.join(midi, clip["group"] + ".mid"))
    seed = int(clip["group"].rsplit("-", 1)[1])
    piece = render.arrange(clip["id"], "composed", False, fonts, lambda: compose.compose(seed)[1])
    return piece[2], piece[6]


def load(pair, midi, fonts):
    """Clips with spectra x, the notes y [frames, NOTES] that sound within 50 ms of each frame, and the share of the pitch classes."""
    out = []
    for clip, x in rows_of(pair):
        notes, weight = np.zeros((len(x), NOTES), np.uint8), np.zeros(12)
        for channel, pitch, _, _, start, end in midi_file.notes(*score_of(clip, midi, fonts)):
            if channel == 9 or start >= clip["seconds"]:
                continue
            weight[pitch % 12] += min(end - start, 2)
            if LOWEST <= pitch < LOWEST + NOTES:
                notes[max(0, round(10 * start - 0.5)):max(1, round(10 * end + 0.5)), pitch - LOWEST] = 1
        if x.any() and weight.any():
            out.append(dict(clip, x=x, y=notes, share=weight / weight.mean() - 1))
    return out


class KeyNet(torch.nn.Module):
    def __init__(self, filters):
        super().__init__()
        self.spread = torch.nn.Conv1d(1, filters, 2 * REACH + 1, padding=REACH)
        self.join = torch.nn.Conv1d(filters, 1, 1)
        self.profiles = torch.nn.Parameter(torch.tensor(PROFILES * 6).float())
        self.bias = torch.nn.Parameter(torch.zeros(2))
        self.register_buffer("fade", fade())
        with torch.no_grad():
            self.join.bias.fill_(-2.0)

    def notes(self, x):
        """Logits [clips, frames, NOTES]."""
        flat = x.reshape(-1, 1, NOTES)
        return self.join(torch.relu(self.spread(flat)))[:, 0].reshape(x.shape)

    def histogram(self, logits, x):
        """[clips, 12]: how much the notes of each pitch class sound, against the mean."""
        heard = torch.sigmoid(logits) * (x.amax(-1, keepdim=True) > 0)
        sums = (self.fade * (heard.mean(1) + 1e-6) ** POWER) @ FOLD
        return (sums / sums.mean(1, keepdim=True) - 1) / POWER

    def keys(self, histogram):
        turned = torch.stack([torch.roll(self.profiles[mode], tonic) for mode in range(2) for tonic in range(12)])
        return histogram @ turned.T + self.bias.repeat_interleave(12)


def transpose(rows, semitones):
    out = np.zeros_like(rows)
    if semitones >= 0:
        out[:, semitones:] = rows[:, :NOTES - semitones]
    else:
        out[:, :semitones] = rows[:, -semitones:]
    return out


def turn(key, semitones):
    return (key + semitones) % 12 + (12 if key >= 12 else 0)


def spoil(x, rng):
    """Level, tilt and lost partials: what another recording of the same notes looks like."""
    lower = rng.uniform(0, 0.25) * (rng.random() < 0.5)
    x = np.where(x > 0, np.clip(x - lower + np.linspace(-1, 1, NOTES) * rng.normal(0, 0.12), 0, 1), 0)
    top = x.max(1, keepdims=True)
    x = np.where((top > 0) & (x > 0), np.clip(x + 1 - top, 0, 1), 0)
    return x * (rng.random(x.shape) > rng.uniform(0, 0.15))


def example(clip, rng):
    frames = len(clip["x"])
    pick = np.sort(rng.choice(frames, CLIP_ROWS, replace=frames < CLIP_ROWS))
    semitones = int(rng.integers(-6, 7))
    x = spoil(transpose(clip["x"][pick], semitones) / 255, rng)
    sure = clip["key"] is not None and clip["keyLead"] >= 0.02
    return x.astype(np.float32), transpose(clip["y"][pick], semitones).astype(np.float32), np.roll(clip["share"], semitones).astype(np.float32), turn(clip["key"], semitones) if sure else -1


def fit(clips, epochs, filters, seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = KeyNet(filters)
    start = model.profiles.detach().clone()
    optimiser = torch.optim.Adam(model.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=epochs * -(-len(clips) // BATCH))
    for _ in range(epochs):
        order = rng.permutation(len(clips))
        for k in range(0, len(order), BATCH):
            x, notes, share, key = (torch.tensor(np.array(part)) for part in zip(*(example(clips[i], rng) for i in order[k:k + BATCH])))
            logits = model.notes(x)
            histogram = model.histogram(logits, x)
            loss = 5 * torch.nn.functional.binary_cross_entropy_with_logits(logits, notes) + 0.3 * ((histogram - share) ** 2).mean()
            loss = loss + 0.02 * ((model.profiles - start) ** 2).sum()
            if (key >= 0).any():
                loss = loss + 0.3 * torch.nn.functional.cross_entropy(model.keys(histogram), key, ignore_index=-1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return model.eval()


def key_of(models, spectra):
    """The likeliest of 24 keys, from every second frame; None when nothing sounds."""
    if not spectra.any():
        return None
    x = torch.tensor(spectra[::2].astype(np.float32) / 255)[None]
    with torch.no_grad():
        return int(sum(torch.log_softmax(model.keys(model.histogram(model.notes(x), x)), 1) for model in models).argmax())


def mirex(guess, truth):
    if guess == truth:
        return 1.0
    tonic, same = (guess - truth) % 12, (guess < 12) == (truth < 12)
    relative = (truth % 12 + (9 if truth < 12 else 3)) % 12
    return 0.5 if same and tonic in (5, 7) else 0.3 if not same and guess % 12 == relative else 0.2 if not same and tonic == 0 else 0.0


def report(name, marks):
    print(f"{name}: exact {np.mean([m == 1 for m in marks]):.3f} MIREX {np.mean(marks):.3f} ({len(marks)} clips)", flush=True)


def moved_share(name, clips, found, models_of):
    right = [key_of(models_of(clip), x) == turn(found[clip["base"]], clip["shift"]) for clip, x in clips if clip["shift"] and found.get(clip["base"]) is not None]
    print(f"{name}: transposed key {np.mean(right):.3f} ({len(right)} pairs)", flush=True)


def run_folds(args, plain, more):
    fold = beat_data.folds(plain, args.folds)
    nets = [[fit([c for c in plain if fold[c["group"]] != k] + more, args.epochs, args.filters, seed) for seed in range(args.networks)] for k in range(args.folds)]
    found = {clip["id"]: key_of(nets[fold[clip["group"]]], clip["x"]) for clip in plain}
    for name, key, lead in (("against the excerpt", "key", "keyLead"), ("against the piece", "wholeKey", "wholeKeyLead")):
        report(name, [mirex(found[c["id"]], c[key]) for c in plain if c.get(key) is not None and c[lead] >= 0.05])
    if args.moved:
        moved_share("renders", list(rows_of(args.moved)), found, lambda clip: nets[fold[clip["group"]]])
    if args.others:
        clips = list(rows_of(args.others))
        moved_share("others", clips, {clip["base"]: key_of(nets[0], x) for clip, x in clips if not clip["shift"]}, lambda _: nets[0])


def write(path, models):
    number = lambda v: f"{v:.4g}"
    row = lambda values: "[" + ", ".join(map(number, values)) + "]"
    rows = lambda matrix: "[\n" + "".join(f"      {row(line)},\n" for line in matrix) + "    ]"
    with open(path, "w", encoding="utf-8") as f:
        f.write("/** Networks of notes and keys, made by training/beat/fit_note_net.py. */\n\n")
        f.write("/** One network: filters from 36 semitones below a note to 36 above, how they join to the logit of a note, key profiles. */\n")
        f.write("export type KeyNetwork = Readonly<{\n  filters: readonly (readonly number[])[];\n  filterBias: readonly number[];\n  join: readonly number[];\n"
                "  noteBias: number;\n  /** Major and minor, 12 weights from the tonic. */\n  profiles: readonly (readonly number[])[];\n  profileBias: readonly number[];\n}>;\n\n")
        f.write(f"/** Notes at either end of a semitone spectrum that count less. */\nexport const fadingNotes = {{ low: {FADE_LOW}, high: {FADE_HIGH} }} as const;\n\n")
        f.write(f"/** Power of the mean probability of a note that counts: what sounds long counts, but less than in proportion. */\nexport const notePower = {POWER};\n\n")
        f.write("/** Networks whose key probabilities are averaged. */\nexport const keyNetworks: readonly KeyNetwork[] = [\n")
        for model in models:
            f.write(f"  {{\n    filters: {rows(model.spread.weight[:, 0].tolist())},\n    filterBias: {row(model.spread.bias.tolist())},\n")
            f.write(f"    join: {row(model.join.weight[0, :, 0].tolist())},\n    noteBias: {number(model.join.bias.item())},\n")
            f.write(f"    profiles: {rows(model.profiles.tolist())},\n    profileBias: {row(model.bias.tolist())},\n  }},\n")
        f.write("];\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--midi", required=True)
    parser.add_argument("--plain", required=True)
    parser.add_argument("--composed")
    parser.add_argument("--moved")
    parser.add_argument("--others")
    parser.add_argument("--fonts", nargs="*", default=["a", "b", "c"], help="as many as the composed clips were rendered with")
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--filters", type=int, default=12)
    parser.add_argument("--networks", type=int, default=2)
    parser.add_argument("--out")
    args = parser.parse_args()
    torch.set_num_threads(1)
    began = time.process_time()
    plain = load(args.plain, args.midi, args.fonts)
    more = load(args.composed, args.midi, args.fonts) if args.composed else []
    print(f"{len(plain)} + {len(more)} clips, {time.process_time() - began:.0f} s", flush=True)
    if args.folds:
        run_folds(args, plain, more)
    if args.out:
        write(args.out, [fit(plain + more, args.epochs, args.filters, seed) for seed in range(args.networks)])
    print(f"{time.process_time() - began:.0f} s of processor time")


if __name__ == "__main__":
    main()
