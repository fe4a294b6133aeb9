#!/usr/bin/env python3
"""Renders MIDI files with free sound fonts, so that windows carry exact instrument labels.

  render_midi.py MIDI_FOLDER CACHE_FOLDER --font FONT.sf2 [--font ...] [--variants 4] [--seed 1]

Variant 0 of a file keeps its instruments; the others keep one to four of its channels, with or without drums, transpose
them and give them programs that are rare in game music (brass, flute, accordion, mallets, choir, saxophone, ...).
CACHE_FOLDER gets what decode_audio.py makes, plus notes/ID.npz: tag index, start and end of every note in seconds.
"""
import argparse
import glob
import hashlib
import json
import os
import random
import subprocess
import tempfile

import numpy as np

import midi_file

TAGS = ["piano", "electric-piano", "harpsichord", "mallets-bells", "keyboard-organ", "accordion-harmonica",
        "acoustic-guitar", "electric-guitar", "guitar", "bass", "violin", "cello", "strings", "harp", "choir", "brass",
        "saxophone", "woodwind", "flute", "synth", "sitar", "plucked-folk", "percussion", "drums", "drum-machine"]
MAX_SECONDS = 75
# (first program, last program, tags)
PROGRAMS = [(0, 3, "piano"), (4, 5, "electric-piano"), (6, 6, "harpsichord"), (8, 14, "mallets-bells"),
            (16, 20, "keyboard-organ"), (21, 23, "accordion-harmonica"), (24, 25, "acoustic-guitar guitar"),
            (26, 31, "electric-guitar guitar"), (32, 37, "bass"), (38, 39, "bass synth"), (40, 40, "violin strings"),
            (41, 41, "strings"), (42, 42, "cello strings"), (43, 45, "strings"), (46, 46, "harp"), (47, 47, "percussion"),
            (48, 49, "strings"), (50, 51, "strings synth"), (52, 53, "choir"), (54, 54, "choir synth"), (56, 61, "brass"),
            (62, 63, "brass synth"), (64, 67, "saxophone woodwind"), (68, 71, "woodwind"), (72, 79, "flute woodwind"),
            (80, 103, "synth"), (104, 104, "sitar"), (105, 107, "plucked-folk"), (108, 108, "mallets-bells"),
            (109, 109, "woodwind"), (110, 110, "violin strings"), (111, 111, "woodwind"), (112, 119, "percussion")]
PROGRAM_TAGS = {p: tags.split() for first, last, tags in PROGRAMS for p in range(first, last + 1)}
# families of equal probability for the remapped variants
FAMILIES = [[56, 57, 58, 60, 61], [56, 57, 60, 61], [73, 72, 73, 75, 74], [73, 79], [21, 23], [22, 21], [8, 9, 10, 11, 12, 13, 14],
            [11, 12, 13], [52, 53], [52, 52, 53], [64, 65, 66, 67], [65, 66], [68, 69, 70, 71], [40, 110], [42], [46], [6], [16, 17, 19],
            [18, 16], [4, 5], [24, 25], [26, 27, 29, 30], [104], [105, 106, 107], [0, 1, 3], [48, 49, 44, 45], [80, 81, 87, 90, 95], [47, 114]]


def vary(events, used, rng):
    """Keeps some channels, gives them other programs and transposes them."""
    melodic = sorted(c for c in used if c != 9)
    keep = rng.sample(melodic, min(len(melodic), rng.choice([1, 1, 2, 2, 3, 4])))
    family = {c: rng.choice(FAMILIES) for c in keep}
    if 9 in used and rng.random() < 0.35:
        keep.append(9)
    shift, out = rng.randint(-4, 4), []
    for channel, programs in family.items():
        out.append((0, -1, bytes([0xC0 | channel, rng.choice(programs)])))
    kit = rng.choice([0, 0, 8, 16, 24, 25])
    out.append((0, -1, bytes([0xC9, kit])))
    for tick, order, event in events:
        kind, channel = event[0] >> 4, event[0] & 15
        if event[0] == 0xFF:
            out.append((tick, order, event))
        elif channel in keep and kind != 12:
            if kind in (8, 9, 10) and channel != 9:
                event = bytes([event[0], min(127, max(0, event[1] + shift))]) + event[2:]
            out.append((tick, order, event))
    return out, kit


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("midi")
    a.add_argument("cache")
    a.add_argument("--font", action="append", required=True)
    a.add_argument("--variants", type=int, default=4)
    a.add_argument("--every", type=int, default=1, help="take every n-th MIDI file")
    a.add_argument("--seed", type=int, default=1)
    o = a.parse_args()
    for folder in ("pcm", "notes"):
        os.makedirs(os.path.join(o.cache, folder), exist_ok=True)
    listing = os.path.join(o.cache, "tracks.jsonl")
    done = set()
    if os.path.exists(listing):
        with open(listing) as f:
            done = {json.loads(line)["path"] for line in f}
    for variant in [*range(1, o.variants + 1), 0]:
        for path in sorted(glob.glob(os.path.join(o.midi, "*.mid")))[::o.every]:
            name = f"{os.path.basename(path)}#{variant}"
            if name in done:
                continue
            rng = random.Random(f"{o.seed}/{name}")
            division, events = midi_file.read(path)
            used = {n[0] for n in midi_file.notes(division, events)}
            if not used - {9}:
                continue
            kit = 0
            if variant:
                events, kit = vary(events, used, rng)
            played = [n for n in midi_file.notes(division, events) if n[4] < MAX_SECONDS]
            if len(played) < 20:
                continue
            ident = hashlib.sha256(f"midi/{o.seed}/{name}".encode()).hexdigest()[:16]
            out = os.path.join(o.cache, "pcm", ident + ".s16")
            with tempfile.TemporaryDirectory() as scratch:
                song, raw = os.path.join(scratch, "song.mid"), os.path.join(scratch, "song.raw")
                times = midi_file.seconds_of(division, events)
                kept = [e for e, now in zip(events, times) if now < MAX_SECONDS + 1]
                # a note that hangs would keep the synthesiser busy for ever
                kept += [(kept[-1][0], 1 << 30, bytes([0xB0 | c, 120, 0])) for c in range(16)]
                midi_file.write(song, division, kept)
                font = o.font[rng.randrange(len(o.font))]
                subprocess.run(["fluidsynth", "-ni", "-o", "synth.dynamic-sample-loading=1", "-r", "16000", "-g", "0.6", "-F", raw, "-T", "raw", "-O", "s16", font, song],
                               check=True, timeout=120, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                pcm = np.fromfile(raw, "<i2").reshape(-1, 2).astype("float32").mean(1)[: MAX_SECONDS * 16000]
            if len(pcm) < 6 * 16000 or np.abs(pcm).max() < 200:
                continue
            (pcm * (0.5 * 32767 / np.abs(pcm).max())).astype("<i2").tofile(out)
            rows = []
            for channel, _, velocity, program, start, end in played:
                if channel == 9:
                    tags = ["drum-machine", "drums"] if variant and kit in (24, 25) else ["drums"]
                else:
                    tags = PROGRAM_TAGS.get(program, [])
                rows += [(TAGS.index(t), start, end, velocity) for t in tags]
            np.savez_compressed(os.path.join(o.cache, "notes", ident + ".npz"), notes=np.array(rows, "float32").reshape(-1, 4))
            with open(listing, "a") as f:
                f.write(json.dumps({"id": ident, "source": "midi", "path": name, "samples": len(pcm), "group": os.path.basename(path),
                                    "kind": "midi", "words": "", "font": os.path.basename(font)}) + "\n")
    print("done")


if __name__ == "__main__":
    main()
