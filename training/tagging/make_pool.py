#!/usr/bin/env python3
"""Makes shards of labelled 5 s examples: clean windows and augmented mixes, each heard by the teachers as the student hears it.

  make_pool.py POOL --music DIR --midi DIR --voices DIR --sound DIR --teachers DIR --examples 30000 --worker 0
               [--split train|heldout] [--seed 1] [--until HH:MM]

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
import scipy.fft
import scipy.signal
import soundfile

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
        groups = sorted({t["source"] for t in music})
        size = np.array([sum(t["samples"] for t in music if t["source"] == g) for g in groups]) ** 0.6
        share = dict(zip(groups, size / size.sum()))
        total = {g: sum(t["samples"] for t in music if t["source"] == g) for g in groups}
        self.music = music
        self.music_p = np.array([share[t["source"]] * t["samples"] / total[t["source"]] for t in music])
        self.midi = [t for t in listing(o.midi)]
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

    def piece(self, kind, length):
        tracks = self.music if kind == "music" else self.midi
        track = tracks[self.rng.choice(len(tracks), p=self.music_p if kind == "music" else None)]
        return track, *self.window(kind, track, length)

    def take(self, items, length=N):
        x = items[self.rng.integers(len(items))]
        at = int(self.rng.integers(0, max(1, len(x) - length)))
        return np.resize(x[at:at + length], length)

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


def filters(rng, sounds, x):
    """Equaliser, low-pass, high-pass and room in one multiplication."""
    size = scipy.fft.next_fast_len(N + 16000, real=True)
    hz = np.arange(size // 2 + 1) * 16000 / size
    curve = np.zeros(len(hz), "float32")
    if rng.random() < 0.6:
        curve += np.interp(np.log2(hz + 20), np.log2([20, 120, 400, 1200, 3000, 8000]), rng.uniform(-8, 8, 6))
    if rng.random() < 0.25:
        curve -= 48 * np.clip(np.log2((hz + 1) / rng.uniform(1800, 6500)), 0, None)
    if rng.random() < 0.15:
        curve -= 24 * np.clip(np.log2(rng.uniform(100, 500) / (hz + 1)), 0, None)
    response = 10 ** (np.clip(curve, -90, 20) / 20)
    if rng.random() < 0.3:
        response = response * scipy.fft.rfft(np.pad(sounds.rooms[rng.integers(len(sounds.rooms))], (0, size))[:size])
    return scipy.fft.irfft(scipy.fft.rfft(np.pad(x, (0, size - N))) * response, size)[:N].astype("float32")


def example(rng, sounds, clean_share):
    """One example: samples [N], exact labels, track id, kind, clean."""
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
        x = sounds.take(sounds.speech)
        if rng.random() < 0.4:
            x = x + sounds.take(sounds.noise) * gain(rng.uniform(-30, -6))
        if rng.random() < 0.4:
            x = filters(rng, sounds, x)
        exact[labels.MUSIC], exact[labels.SPEECH] = 0, 1 if db(x) > -60 else -1
        return np.clip(x * gain(rng.uniform(-25, 3)), -1, 1), exact, "", "speech", False
    kind = "midi" if sounds.midi and draw < 0.33 and sounds.split == "train" else "music"
    clean = rng.random() < clean_share
    speed = 1.0 if clean or rng.random() < 0.65 else rng.uniform(0.87, 1.15)
    length = int(np.ceil(N * speed))
    track, x, at = sounds.piece(kind, length)
    if speed != 1.0:
        x = np.interp(np.arange(N) * speed, np.arange(length), x).astype("float32")
    exact[labels.MUSIC] = -1 if track["kind"] == "sound" or db(x) < -50 else 1
    if kind == "midi":
        exact[MIDI_TAG] = sounds.midi_labels(track, at, length)
    if clean:
        return x * gain(rng.uniform(-6, 3)), exact, track["id"], kind, True
    level = db(x)
    if rng.random() < 0.22:
        other_kind = "midi" if kind == "midi" else "music"
        other, y, other_at = sounds.piece(other_kind, N)
        y = y * gain(np.clip(level - db(y), -30, 30) + rng.uniform(-12, 0))
        x = x + y
        if kind == "midi":
            second = sounds.midi_labels(other, other_at, N)
            mine = exact[MIDI_TAG]
            exact[MIDI_TAG] = np.where((mine == 1) | (second == 1), 1, np.where((mine == 0) & (second == 0), 0, -1))
        else:
            exact[MIDI_TAG] = -1
    if rng.random() < 0.16:
        ratio = rng.uniform(-14, 18)
        y = sounds.take(sounds.speech)
        if db(y) > -55:
            x = x + y * gain(np.clip(level - db(y), -40, 40) + ratio)
            exact[labels.SPEECH] = 1 if ratio > -8 else -1
            if ratio > 14:
                exact[labels.MUSIC] = -1
    if rng.random() < 0.15:
        y = sounds.take(sounds.noise)
        x = x + y * gain(np.clip(level - db(y), -40, 40) + rng.uniform(-20, 3))
    if rng.random() < 0.55:
        x = filters(rng, sounds, x)
    if rng.random() < 0.06:
        fade = np.linspace(0, 1, N, dtype="float32") ** 2
        x = x * (fade if rng.random() < 0.5 else fade[::-1])
    if rng.random() < 0.04:
        x = np.clip(x * gain(rng.uniform(6, 18)), -0.9, 0.9)
    level = db(x)
    x = x * gain(np.clip(rng.uniform(-32, 3), -50 - level, 3))
    return np.clip(x, -1, 1).astype("float32"), exact, track["id"], kind, False


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("pool")
    for name in ("music", "midi", "voices", "sound", "teachers"):
        a.add_argument("--" + name, required=True)
    a.add_argument("--examples", type=int, default=30000)
    a.add_argument("--worker", type=int, default=0)
    a.add_argument("--split", choices=["train", "heldout"], default="train")
    a.add_argument("--clean", type=float, default=0.35)
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
        for _ in range(SHARD // BATCH):
            made = [example(rng, sounds, o.clean) for _ in range(BATCH)]
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
