"""Teachers' answers for 5 s clips at 16 kHz, fast enough to label every augmented mix.

Two departures from the reference front ends (both measured by check_teachers.py): mn04 hears 16 kHz sound through a
half-size FFT with the pre-emphasis applied to the power spectrum; the FCNs hear 5.12 s instead of 29.1 s, with the last
pooling over time taken out, which for a repeated clip would pool copies of the same thing.
"""
import csv
import json
import os

import numpy as np
import onnx
import onnxruntime

import front_end as fe

FCN_FRAMES = 320
FCN_HOP = 256
NAMES = ("mn04", "jamendo", "msd", "mtat")
FCN_FILES = {"jamendo": "sota_fcn_jamendo.onnx", "msd": "sota_fcn_msd.onnx", "mtat": "sota_fcn_mtat.onnx"}


def output_names(folder):
    """Names of the outputs of every teacher: {teacher: [name, ...]}."""
    with open(os.path.join(folder, "audioset_class_labels_indices.csv")) as f:
        names = {"mn04": [row["display_name"] for row in csv.DictReader(f)]}
    with open(os.path.join(folder, "sota_tags.json")) as f:
        lists = json.load(f)
    names["jamendo"] = [n.split("---")[1] for n in lists["jamendo_sorted"]]
    names["msd"], names["mtat"] = lists["msd"], lists["mtat"]
    return names


def kaldi_filters():
    """mn04's 128 mel filters (0-15000 Hz at 32 kHz) on the bins of 0-8000 Hz, with its pre-emphasis and scale."""
    def mel(f):
        return 1127 * np.log1p(np.asarray(f, "float64") / 700)
    hz = np.arange(257) * 31.25
    weights = fe.triangles(np.linspace(mel(0), mel(15000), 130), mel(hz))
    emphasis = 1 + 0.97 ** 2 - 2 * 0.97 * np.cos(2 * np.pi * hz / 32000)
    return (weights * emphasis * 4).astype("float32")


def short_fcn(path):
    """The FCN of `path` for FCN_FRAMES frames: last pooling without its time part."""
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.shape.dim[3].dim_value = FCN_FRAMES
    pools = [n for n in model.graph.node if n.op_type == "MaxPool"]
    for attribute in pools[-1].attribute:
        if attribute.name in ("kernel_shape", "strides"):
            attribute.ints[1] = 1
    return model.SerializeToString()


def logit(p):
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return np.log(p) - np.log1p(-p)


class Teachers:
    """All four teachers in one thread. label(clips) gives logits per teacher and mn04's embedding."""

    def __init__(self, folder):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        def session(model):
            return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.mn04 = session(os.path.join(folder, "mn04_as.onnx"))
        self.fcn = {k: session(short_fcn(os.path.join(folder, v))) for k, v in FCN_FILES.items()}
        self.kaldi = kaldi_filters()
        self.htk = fe.htk_filters(96, 0, 8000, 512, 16000)
        self.window = fe.hann(fe.WINDOW_SAMPLES)
        self.fcn_window = fe.hann(512)

    def label(self, clips):
        """clips float32 [n, CLIP_SAMPLES] -> (log-mel [n, FRAMES, MEL_BANDS], {teacher: logits}, embedding [n, 384])"""
        power = fe.power_spectrum(clips, self.window, fe.HOP_SAMPLES // 2)
        mel = np.log(power[:, ::2] @ fe.FILTERS.T + np.float32(fe.LOG_OFFSET))
        kaldi = ((np.log(power @ self.kaldi.T + np.float32(1e-5)) + 4.5) / 5).transpose(0, 2, 1)[:, None]
        p, embedding = self.mn04.run(None, {"logmel": np.ascontiguousarray(kaldi, "float32")})
        out = {"mn04": logit(p)}
        need = (FCN_FRAMES - 1) * FCN_HOP + 512
        wrapped = np.concatenate([clips, clips[:, : need - clips.shape[1]]], axis=1)
        spectrum = fe.power_spectrum(wrapped, self.fcn_window, FCN_HOP)
        db = (10 * np.log10(np.maximum(spectrum @ self.htk.T, 1e-10))).transpose(0, 2, 1)[:, None]
        db = np.ascontiguousarray(db, "float32")
        for name, session in self.fcn.items():
            out[name] = logit(session.run(None, {"logmel_db": db})[0])
        return mel, out, embedding
