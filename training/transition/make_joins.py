"""Joins different pieces of music as one: MIDI files that suit each other, rendered in one go.

    make_joins.py MIDI JOINS --font A.sf2 [--font B.sf2] [--joins 140] [--seed 9] [--split test]

MIDI holds *.mid, index.tsv (file, tempo, metre, ...) and on-grid.txt. A join is ten seconds of one file up to a border and
fourteen of another file after it: of the files of the same split and metre, a tempo that differs by 12 % at most and the
same mode, the one whose instruments have most in common with the first; played at the first one's tempo, transposed to its
key, through the same sound font and reverberation. What a player
can change is no evidence: the heads are then played 3 to 6 % slower, pitch kept. Half of the files are for training, half for tests. Writes JOINS/<n>.s16
(tail; head at the border; head 4 s later; each side with its own gain and EQ, 16 kHz mono) and JOINS/index.jsonl (id, split,
first, second, sides). Needs ffmpeg, fluidsynth, numpy.
"""
import argparse
import csv
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile

import numpy as np

from make_seams import RATE, WINDOW, colour, played, window

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tagging"))
import midi_file  # noqa: E402

BEFORE_S, AFTER_S = 10.0, 14.0
TICKS_PER_S = 960
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


class Piece:
    """A MIDI file with what decides whether it suits another."""

    def __init__(self, folder, row):
        self.name, self.tempo, self.metre = row["file"], float(row["tempo"]), row["metre"]
        division, events = midi_file.read(os.path.join(folder, self.name))
        self.timed = list(zip(midi_file.seconds_of(division, events), (event for _, _, event in events)))
        notes = midi_file.notes(division, events)
        self.end = max(note[5] for note in notes)
        weights = np.zeros(12)
        self.families = {}
        for channel, key, _, program, start, end in notes:
            family = "drums" if channel == 9 else program // 8
            self.families[family] = self.families.get(family, 0) + end - start
            if channel != 9:
                weights[key % 12] += end - start
        fits = {(tonic, mode): np.corrcoef(weights, np.roll(profile, tonic))[0, 1]
                for tonic in range(12) for mode, profile in (("major", MAJOR), ("minor", MINOR))}
        self.key = max(fits, key=fits.get)
        self.split = "test" if hashlib.sha256(self.name.encode()).digest()[0] % 2 else "train"

    def common(self, other):
        """Share of the sounding time that both give to the same families of instruments."""
        mine, theirs = sum(self.families.values()), sum(other.families.values())
        return sum(min(self.families.get(f, 0) / mine, other.families.get(f, 0) / theirs) for f in self.families)

    def part(self, start, seconds, at, speed, shift):
        """Events of a part as (tick, bytes), moved to `at` seconds; controllers and programs set before it come first."""
        state, out, sounding = {}, [], set()
        for when, event in self.timed:
            kind, channel = event[0] >> 4, event[0] & 15
            if event[0] >= 0xF0:
                continue
            if when < start:
                if kind in (11, 12, 14):
                    state[(event[0], event[1] if kind == 11 else 0)] = event
                continue
            if when >= start + seconds:
                break
            tick = int((at + (when - start) / speed) * TICKS_PER_S)
            if kind in (8, 9, 10) and channel != 9:
                key = event[1] + shift
                if not 0 <= key < 128:
                    continue
                event = bytes([event[0], key]) + event[2:]
            if kind in (8, 9):
                if kind == 9 and event[2]:
                    sounding.add((channel, event[1]))
                elif (channel, event[1]) not in sounding:
                    continue
                else:
                    sounding.discard((channel, event[1]))
            out.append((tick, event))
        end = int((at + seconds / speed) * TICKS_PER_S) - 1
        first = int(at * TICKS_PER_S)
        fresh = [(first, bytes([0xB0 | channel, 121, 0])) for channel in range(16)]
        return (fresh + [(first, event) for event in state.values()] + out
                + [(end, bytes([0x80 | channel, key, 0])) for channel, key in sounding])


def bars(piece):
    beats = int(piece.metre.split("/")[0]) * 4 / int(piece.metre.split("/")[1])
    return 60 / piece.tempo * beats


def render(first, second, font, rnd):
    bar = bars(first)
    lead = BEFORE_S
    latest = int((first.end - 2) / bar)
    leave = bar * rnd.randint(int(np.ceil((lead + 1) / bar)), max(int(np.ceil((lead + 1) / bar)), latest))
    speed = first.tempo / second.tempo
    last_entry = int(max(0, second.end - AFTER_S * speed - 2) / bars(second))
    enter = bars(second) * rnd.randint(0, max(0, last_entry))
    shift = (first.key[0] - second.key[0] + 5) % 12 - 5
    events = first.part(leave - lead, lead, 0.0, 1.0, 0) + second.part(enter, AFTER_S * speed, lead, speed, shift)
    events = [(0, 0, b"\xff\x51\x03" + (500000).to_bytes(3, "big"))] + [
        (tick, n + 1, event) for n, (tick, event) in enumerate(sorted(events, key=lambda e: e[0]))]
    with tempfile.TemporaryDirectory() as work:
        path, raw = os.path.join(work, "join.mid"), os.path.join(work, "join.raw")
        midi_file.write(path, TICKS_PER_S // 2, events)
        subprocess.run(["fluidsynth", "-ni", "-q", "-o", "synth.dynamic-sample-loading=1", "-r", str(RATE), "-g", "0.5", "-O", "s16",
                        "-T", "raw", "-F", raw, font, path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stereo = np.fromfile(raw, "<i2")
    return stereo[:len(stereo) // 2 * 2].reshape(-1, 2).mean(1)


def slower(heads, seed, join):
    """The heads of a join at a lower tempo, cut to their length."""
    tempo = np.random.default_rng([seed, join, 1]).uniform(0.94, 0.97)
    sound = played(np.concatenate(heads), tempo, 1.0)
    second = int(WINDOW / tempo)
    return [sound[:WINDOW], sound[second:second + WINDOW]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("midi")
    parser.add_argument("out")
    parser.add_argument("--font", action="append", required=True)
    parser.add_argument("--joins", type=int, default=140)
    parser.add_argument("--seed", type=int, default=9)
    parser.add_argument("--split", choices=("train", "test"))
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    listed = set(open(os.path.join(args.midi, "on-grid.txt")).read().split())
    rows = [r for r in csv.DictReader(open(os.path.join(args.midi, "index.tsv")), delimiter="\t") if r["file"] in listed]
    pieces = [Piece(args.midi, row) for row in rows if float(row["seconds"]) >= 30 and "/" in row["metre"]]
    pieces = [piece for piece in pieces if args.split in (None, piece.split)]
    made, seen = 0, set()
    with open(os.path.join(args.out, "index.jsonl"), "w", encoding="utf-8") as index:
        for turn in range(4 * args.joins):
            rnd = random.Random(args.seed * 1000 + turn)
            first = pieces[turn % len(pieces)]
            others = [p for p in pieces if p is not first and p.split == first.split and p.metre == first.metre
                      and p.key[1] == first.key[1] and abs(np.log(p.tempo / first.tempo)) < 0.12 and (first.name, p.name) not in seen]
            if not others or made >= args.joins:
                continue
            second = max(others, key=first.common)
            seen.add((first.name, second.name))
            sound = render(first, second, args.font[made % len(args.font)], rnd)
            if len(sound) < (BEFORE_S + 4 + 8) * RATE:
                continue
            generator = np.random.default_rng([args.seed, turn])
            a, b = colour(generator), colour(generator)
            heads = slower([window(sound, BEFORE_S, b), window(sound, BEFORE_S + 4, b)], args.seed, made)
            np.concatenate([window(sound, BEFORE_S - 8, a), *heads]).tofile(os.path.join(args.out, f"{made}.s16"))
            index.write(json.dumps(dict(id=str(made), split=first.split, first=first.name, second=second.name,
                                        sides=["tail", "head", "head"])) + "\n")
            index.flush()
            made += 1


if __name__ == "__main__":
    main()
