#!/usr/bin/env python3
"""How far the fast teachers (5 s, 16 kHz) are from the reference ones: correlation of logits over windows and speed."""
import argparse
import os
import sys
import time

import numpy as np

import front_end as fe
from teachers import Teachers, logit


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--teachers", required=True, help="folder of the teacher models")
    a.add_argument("files", nargs="+")
    o = a.parse_args()
    sys.path.insert(0, o.teachers)
    import run_teacher
    fast, mine, ref = Teachers(o.teachers), {k: [] for k in ("mn04", "jamendo", "msd", "mtat")}, {}
    seconds = 0.0
    for path in o.files:
        low = run_teacher.decode(path, 16000, 60)
        high = run_teacher.decode(path, 32000, 60)
        at = range(0, len(low) - fe.CLIP_SAMPLES, 80000)
        start = time.process_time()
        _, logits, _ = fast.label(np.stack([low[i:i + fe.CLIP_SAMPLES] for i in at]))
        seconds += time.process_time() - start
        for k in mine:
            mine[k].append(logits[k].mean(0))
        mel = np.stack([run_teacher.mel_mn04(high[2 * i:2 * i + 160000]) for i in at])
        ref.setdefault("mn04", []).append(logit(fast.mn04.run(None, {"logmel": mel})[0]).mean(0))
        import onnxruntime
        for k, f in (("jamendo", "sota_fcn_jamendo.onnx"), ("msd", "sota_fcn_msd.onnx"), ("mtat", "sota_fcn_mtat.onnx")):
            s = onnxruntime.InferenceSession(os.path.join(o.teachers, f), providers=["CPUExecutionProvider"])
            ref.setdefault(k, []).append(logit(s.run(None, {"logmel_db": run_teacher.in_fcn(low)})[0]).mean(0))
    clips = sum(60 // 5 for _ in o.files)
    print(f"fast teachers: {clips / seconds:.1f} clips per CPU second ({5 * clips / seconds:.0f} x real time)")
    for k in mine:
        x, y = np.array(mine[k]), np.array(ref[k])
        x, y = x - x.mean(0), y - y.mean(0)
        r = (x * y).sum(0) / np.sqrt((x ** 2).sum(0) * (y ** 2).sum(0) + 1e-9)
        print(f"{k}: correlation over files, median {np.median(r):.3f}, lowest tenth {np.percentile(r, 10):.3f}")


if __name__ == "__main__":
    main()
