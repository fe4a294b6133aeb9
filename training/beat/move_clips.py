"""Plays clips or recordings faster and slower by whole semitones: what fit_note_net.py --moved and --others test.

    move_clips.py OUT --clips CLIPS.jsonl [--font NAME]
    move_clips.py OUT AUDIO...

OUT gets 16-bit mono PCM at 16 kHz and clips.jsonl: a clip as it was, with `base` (the id of what is played) and `shift` in semitones.
Of recordings, the first 30 s, as they are (shift 0) as well. FFmpeg must be on the path.
"""
import argparse
import json
import os
import subprocess

RATE, SHIFTS = 16000, (-5, -2, 2, 4)


def play(source, shift, path):
    """Writes the PCM; gives its length in seconds."""
    filters = f"aresample={RATE},asetrate={round(RATE * 2 ** (shift / 12))},aresample={RATE}"
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", "-t", "30", *source, "-ac", "1", "-af", filters, "-f", "s16le", path], check=True)
    return os.path.getsize(path) / 2 / RATE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("audio", nargs="*")
    parser.add_argument("--clips")
    parser.add_argument("--font")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    jobs = [({"id": f"recording-{i}"}, ["-i", path], (0, *SHIFTS)) for i, path in enumerate(args.audio)]
    if args.clips:
        with open(args.clips, encoding="utf-8") as f:
            rows = [row for row in map(json.loads, f) if args.font in (None, row["font"])]
        jobs += [(row, ["-f", row["format"] + "le", "-ar", str(RATE), "-ss", str(row["start"]), "-i", row["path"]], SHIFTS) for row in rows]
    with open(os.path.join(args.out, "clips.jsonl"), "w", encoding="utf-8") as f:
        for clip, source, shifts in jobs:
            for shift in shifts:
                path = os.path.abspath(os.path.join(args.out, f"{clip['id']}{shift:+d}.s16"))
                seconds = play(source, shift, path)
                f.write(json.dumps({**clip, "id": f"{clip['id']}{shift:+d}", "base": clip["id"], "shift": shift, "path": path, "format": "s16",
                                    "start": 0, "seconds": seconds}) + "\n")


if __name__ == "__main__":
    main()
