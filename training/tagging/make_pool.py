#!/usr/bin/env python3
"""Makes shards of labelled 5 s examples: clean windows and augmented mixes, each heard by the teachers as the student hears it.

  make_pool.py POOL --music DIR --midi DIR --voices DIR --sound DIR --teachers DIR --examples 30000 --worker 0
               [--split train|heldout] [--seed 1] [--deck SEED --workers K --place k]

A shard (POOL/WORKER-NNNN.npz, 500 examples): mel float16 [n, 250, 80], raw logits of the teachers, mn04's embedding,
exact labels int8 [n, tags] (1, 0, -1 unknown), track id, kind, clean. Resumable: a worker goes on after its last shard.
"""
import argparse
import csv
import glob
import json
import os
import time

import numpy as np
import scipy.signal
import soundfile

import degrade
import front_end as fe
import labels
import render_midi
from teachers import Teachers

HELD_OUT_PACKAGES = {"singularity-music", "unknown-horizons", "trackballs-data"}
HELD_OUT_SPEECH = ("asterisk-it", "many-voices-06", "many-voices-07", "librispeech")
HELD_OUT_NOISE = ("city", "jungle-night", "rain-soft", "distant-cars", "strong-wind")
N = fe.CLIP_SAMPLES
SHARD = 500
BATCH = 4
MIDI_TAG = [labels.INDEX[("instrument", t)] for t in render_midi.TAGS]


def db(x):
    return 10 * np.log10(np.mean(x ** 2) + 1e-12)


def gain(level_db):
    return np.float32(10 ** (level_db / 20))


def shared_recordings(report):
    """Training recordings that duplicates.py found again in a held-out package or in the development set."""
    out = set()
    with open(report, newline="") as f:
        for row in csv.DictReader(f, delimiter="\t"):
            pair = [row["first"], row["second"]]
            held = [p.split("/")[0] in HELD_OUT_PACKAGES or "/" not in p for p in pair]
            out.update(p for p, away in zip(pair, held) if not away and any(held))
    return out


class Sounds:
    """All material, memory-mapped or in memory."""

    def __init__(self, o, rng):
        self.rng, self.split = rng, o.split
        held = o.split == "heldout"
        self.folders = {"music": o.music, "midi": o.midi, "voices": o.voices}
        def listing(folder):
            with open(os.path.join(folder, "tracks.jsonl")) as f:
                return [json.loads(line) for line in f]
        music = [t for t in listing(o.music) if (t["source"] in HELD_OUT_PACKAGES) == held]
        if not held and o.duplicates:
            twins = shared_recordings(o.duplicates)
            music = [t for t in music if t["source"] + "/" + os.path.basename(t["path"]) not in twins]
        groups = sorted({t["source"] for t in music})
        size = np.array([sum(t["samples"] for t in music if t["source"] == g) for g in groups]) ** 0.6
        share = dict(zip(groups, size / size.sum()))
        total = {g: sum(t["samples"] for t in music if t["source"] == g) for g in groups}
        self.music = music
        self.music_p = np.array([share[t["source"]] * t["samples"] / total[t["source"]] for t in music])
        self.midi = [t for t in listing(o.midi)]
        self.cells = [(t, at) for t in music for at in range(0, t["samples"] - N + 1, N)]
        self.notes = {}
        self.speech, self.noise, self.rooms = [], [], []
        with open(os.path.join(o.sound, "index.tsv"), newline="") as f:
            for row in csv.DictReader(f, delimiter="\t"):
                name = os.path.basename(row["file"])
                path = os.path.join(o.sound, row["file"])
                if row["kind"].startswith("impulse"):
                    x, rate = soundfile.read(path, dtype="float32")
                    x = scipy.signal.resample_poly(x, 1, rate // 16000)
                    self.rooms.append((x / np.sqrt((x ** 2).sum())).astype("float32"))
                    continue
                away = name.startswith(HELD_OUT_SPEECH if row["kind"] == "speech" else HELD_OUT_NOISE)
                if away == held:
                    (self.speech if row["kind"] == "speech" else self.noise).append(self.load(path))
        if not held:
            for t in listing(o.voices):
                self.speech.append(self.pcm("voices", t).astype("float32") / 32768)

    @staticmethod
    def load(path):
        x, rate = soundfile.read(path, dtype="float32", always_2d=True)
        return scipy.signal.resample_poly(x.mean(1), 1, rate // 16000).astype("float32")

    def pcm(self, kind, track):
        return np.memmap(os.path.join(self.folders[kind], "pcm", track["id"] + ".s16"), dtype="<i2", mode="r")

    def window(self, kind, track, length):
        """A window that is not silent (five tries): samples, start in samples."""
        pcm = self.pcm(kind, track)
        for _ in range(5):
            at = int(self.rng.integers(0, max(1, len(pcm) - length)))
            x = pcm[at:at + length].astype("float32") / 32768
            if len(x) < length:
                x = np.resize(x, length)
            if db(x) > -50:
                break
        return x, at

    def deal(self, order, turn):
        """The turn-th cell of a shuffled deck of all 5 s windows that do not overlap: track, samples, start."""
        track, at = self.cells[np.random.default_rng(order).permutation(len(self.cells))[turn % len(self.cells)]]
        return track, self.pcm("music", track)[at:at + N].astype("float32") / 32768, at

    def piece(self, kind, length):
        tracks = self.music if kind == "music" else self.midi
        track = tracks[self.rng.choice(len(tracks), p=self.music_p if kind == "music" else None)]
        return track, *self.window(kind, track, length)

    def take(self, items, length=N):
        x = items[self.rng.integers(len(items))]
        at = int(self.rng.integers(0, max(1, len(x) - length)))
        return np.resize(x[at:at + length], length)

    def voice(self):
        """A piece of speech; in training half of them at another speed, which makes another speaker of the same one."""
        if self.split != "train" or self.rng.random() < 0.5:
            return self.take(self.speech)
        factor = self.rng.uniform(0.85, 1.18)
        long = self.take(self.speech, int(np.ceil(N * factor)))
        return np.interp(np.arange(N) * factor, np.arange(len(long)), long).astype("float32")

    def midi_labels(self, track, at, length):
        """Exact instrument labels of a window of a render: int8 per entry of MIDI_TAG."""
        if track["id"] not in self.notes:
            self.notes[track["id"]] = np.load(os.path.join(self.folders["midi"], "notes", track["id"] + ".npz"))["notes"]
        notes, out = self.notes[track["id"]], np.zeros(len(MIDI_TAG), "int8")
        start, end = at / 16000, (at + length) / 16000
        for k in np.unique(notes[:, 0]).astype(int):
            own = notes[notes[:, 0] == k]
            inside = (own[:, 2] > start - 0.5) & (own[:, 1] < end)
            loud = inside & (own[:, 3] >= 40)
            held = np.clip(np.minimum(own[:, 2], end) - np.maximum(own[:, 1], start), 0.1, None)[loud].sum()
            out[k] = 1 if held >= 0.6 else -1 if inside.any() else 0
        return out


def joined(mine, second, lead_db):
    """Exact labels of two sounds at once: `lead_db` says how much louder the first is; drowned instruments are unknown."""
    heard, other = np.where((mine == 1) & (lead_db < -6), -1, mine), np.where((second == 1) & (lead_db > 6), -1, second)
    return np.where((heard == 1) | (other == 1), 1, np.where((heard == 0) & (other == 0), 0, -1))


def example(rng, sounds, o, turn):
    """One example: samples [N], exact labels, track id, kind, clean. `turn` counts the examples of all workers."""
    exact = np.full(len(labels.TAGS), -1, "int8")
    exact[labels.SPEECH] = 0
    draw = rng.random()
    if draw < 0.02:
        x = rng.normal(0, 1, N).astype("float32") * gain(rng.uniform(-95, -25)) * (rng.random() < 0.8)
        exact[labels.MUSIC] = 0
        return x, exact, "", "noise", False
    if draw < 0.06:
        x = sounds.take(sounds.noise)
        exact[labels.MUSIC] = 0
        return x * gain(rng.uniform(-30, 3)), exact, "", "noise", False
    if draw < 0.13:
        x = sounds.voice()
        if rng.random() < 0.4:
            x = x + sounds.take(sounds.noise) * gain(rng.uniform(-30, -6))
        if rng.random() < 0.4:
            x = degrade.filters(rng, sounds.rooms, x)
        exact[labels.MUSIC], exact[labels.SPEECH] = 0, 1 if db(x) > -60 else -1
        return np.clip(x * gain(rng.uniform(-25, 3)), -1, 1), exact, "", "speech", False
    kind = "midi" if sounds.midi and draw < 0.13 + o.midi_share and sounds.split == "train" else "music"
    clean = rng.random() < o.clean
    bent = None if clean or rng.random() >= o.bend else rng.choice(["speed", "pitch", "tempo"], p=[0.5, 0.3, 0.2])
    factor = rng.uniform(0.87, 1.15) if bent else 1.0
    length = int(np.ceil(N * factor)) if bent in ("speed", "tempo") else N
    if kind == "music" and o.deck and clean:
        track, x, at = sounds.deal(o.deck, turn)
    else:
        track, x, at = sounds.piece(kind, length)
    if bent == "speed":
        x = np.interp(np.arange(N) * factor, np.arange(length), x).astype("float32")
    elif bent == "pitch":
        x = degrade.pitch(x, factor)
    elif bent == "tempo":
        x = np.resize(degrade.stretch(x, N / length + 1e-6), N)
    exact[labels.MUSIC] = -1 if track["kind"] == "sound" or db(x) < -50 else 1
    if kind == "midi":
        exact[MIDI_TAG] = sounds.midi_labels(track, at, length)
    if clean:
        return x * gain(rng.uniform(-6, 3)), exact, track["id"], kind, True
    level = db(x)
    if rng.random() < (0.4 if kind == "midi" else o.lay):
        other_kind = "midi" if kind == "midi" and rng.random() < 0.5 else "music"
        other, y, other_at = sounds.piece(other_kind, N)
        lead = rng.uniform(-3 if kind == "midi" else 0, 12)
        x = x + y * gain(np.clip(level - db(y), -30, 30) - lead)
        second = sounds.midi_labels(other, other_at, N) if other_kind == "midi" else np.full(len(MIDI_TAG), -1, "int8")
        exact[MIDI_TAG] = joined(exact[MIDI_TAG], second, lead)
    if rng.random() < 0.2:
        ratio = rng.uniform(-14, 18)
        y = sounds.voice()
        if db(y) > -55:
            x = x + y * gain(np.clip(level - db(y), -40, 40) + ratio)
            exact[labels.SPEECH] = 1 if ratio > -8 else -1
            if ratio > 14:
                exact[labels.MUSIC] = -1
    if rng.random() < 0.15:
        y = sounds.take(sounds.noise)
        x = x + y * gain(np.clip(level - db(y), -40, 40) + rng.uniform(-20, 3))
    if rng.random() < 0.55:
        x = degrade.filters(rng, sounds.rooms, x)
    if rng.random() < 0.06:
        fade = np.linspace(0, 1, N, dtype="float32") ** 2
        x = x * (fade if rng.random() < 0.5 else fade[::-1])
    if rng.random() < 0.04:
        x = np.clip(x * gain(rng.uniform(6, 18)), -0.9, 0.9)
    if rng.random() < 0.12:
        x = degrade.codec(rng, np.clip(x, -1, 1))
    level = db(x)
    x = x * gain(np.clip(rng.uniform(-32, 3), -50 - level, 3))
    return np.clip(x, -1, 1).astype("float32"), exact, track["id"], kind, False


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("pool")
    for name in ("music", "midi", "voices", "sound", "teachers"):
        a.add_argument("--" + name, required=True)
    a.add_argument("--duplicates", help="report of duplicates.py: recordings of held-out packages are left out of training")
    a.add_argument("--examples", type=int, default=30000)
    a.add_argument("--worker", type=int, default=0)
    a.add_argument("--split", choices=["train", "heldout"], default="train")
    a.add_argument("--clean", type=float, default=0.35, help="share of pieces left as they are")
    a.add_argument("--midi-share", type=float, default=0.2)
    a.add_argument("--bend", type=float, default=0.4, help="share of the mixes with another speed, pitch or tempo")
    a.add_argument("--lay", type=float, default=0.22, help="share of the mixes of music with a second piece under the first")
    a.add_argument("--deck", type=int, default=0, help="not 0: clean music windows come from a deck shuffled with this seed, none twice")
    a.add_argument("--workers", type=int, default=1, help="how many workers share the deck")
    a.add_argument("--place", type=int, default=0, help="place of this worker among them")
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--until", type=float, default=0, help="stop at this time (seconds since 1970)")
    o = a.parse_args()
    os.makedirs(o.pool, exist_ok=True)
    teachers = Teachers(o.teachers)
    first = len(glob.glob(os.path.join(o.pool, f"{o.worker}-*.npz")))
    for shard in range(first, -(-o.examples // SHARD)):
        rng = np.random.default_rng([o.seed, o.worker, shard])
        if shard == first or shard % 4 == 0:
            sounds = Sounds(o, rng)
        sounds.rng = rng
        start, rows = time.time(), {k: [] for k in ("mel", "mn04", "jamendo", "msd", "mtat", "embedding", "exact", "track", "kind", "clean")}
        for batch in range(SHARD // BATCH):
            turns = (np.arange(BATCH) + shard * SHARD + batch * BATCH) * o.workers + o.place
            made = [example(rng, sounds, o, turn) for turn in turns]
            mel, logits, embedding = teachers.label(np.stack([m[0] for m in made]))
            for name, value in {**logits, "mel": mel, "embedding": embedding}.items():
                rows[name].append(value.astype("float16"))
            for name, at in (("exact", 1), ("track", 2), ("kind", 3), ("clean", 4)):
                rows[name].append(np.array([m[at] for m in made]))
        part = os.path.join(o.pool, f".{o.worker}-{shard:04d}.part")
        with open(part, "wb") as f:
            np.savez(f, **{k: np.concatenate(v) for k, v in rows.items()})
        os.replace(part, os.path.join(o.pool, f"{o.worker}-{shard:04d}.npz"))
        print(f"shard {shard}: {SHARD / (time.time() - start):.1f} examples/s", flush=True)
        if o.until and time.time() > o.until:
            break


if __name__ == "__main__":
    main()
