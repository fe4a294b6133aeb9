"""Makes the files of the transition model.

    export.py MODEL.npz FOLDER GENERATED.ts GOLDEN.json

MODEL.npz comes from fit.py. FOLDER gets model.onnx (rows of tails and heads in; codes of both and the score of each pair out)
and manifest.json; GENERATED.ts the same weights for the product, which multiplies them itself; GOLDEN.json rows with what the
ONNX model makes of them, which ties the two. Needs numpy, onnx, onnxruntime.
"""
import base64
import hashlib
import json
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from towers import PULSE_REACH

EPSILON = 1e-12


class Graph:
    """Nodes and constants under construction."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, values, kind=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def add(self, operator, *inputs, to=None, **attributes):
        name = to or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def part(self, name, start, size):
        return self.add("Slice", name, *(self.constant([v], np.int64) for v in (start, start + size, 1)))

    def meeting(self, tail, head, at, size):
        """Largest dot product of two parts over the shifts of a pulse."""
        found = []
        for shift in range(-PULSE_REACH, PULSE_REACH + 1):
            length = size - abs(shift)
            moved = self.add("Mul", self.part(tail, at + max(0, shift), length), self.part(head, at + max(0, -shift), length))
            found.append(self.add("ReduceSum", moved, self.constant([1], np.int64), keepdims=1))
        return self.add("Max", *found)


def towers_of(spec, layout, weights):
    at = 0
    for tower in spec["towers"]:
        start, inputs = layout[tower["component"]]
        means = weights[at:at + 2 * inputs].reshape(2, inputs)
        projection = weights[at + 2 * inputs:at + inputs * (2 + tower["dimensions"])].reshape(inputs, tower["dimensions"])
        at += inputs * (2 + tower["dimensions"])
        yield tower, start, inputs, means, projection


def build(spec, layout, weights):
    graph = Graph()
    width = sum(size for _, size in layout.values())
    codes = {}
    for side, name in enumerate(("tail", "head")):
        blocks = []
        for tower, start, inputs, means, projection in towers_of(spec, layout, weights):
            centred = graph.add("Sub", graph.part(name, start, inputs), graph.constant(means[side]))
            values = graph.add("MatMul", centred, graph.constant(projection))
            square = graph.add("ReduceSumSquare", values, graph.constant([1], np.int64), keepdims=1)
            norm = graph.add("Sqrt", graph.add("Add", square, graph.constant([EPSILON])))
            blocks.append(graph.add("Mul", graph.add("Div", values, norm), graph.constant([np.sqrt(tower["weight"])])))
        blocks += [graph.part(name, *layout[part]) for part in ("border", "continuity", "key", "pulse")]
        codes[name] = graph.add("Concat", *blocks, to=f"{name}_code", axis=1)
    product = graph.add("Mul", codes["tail"], codes["head"])
    cosines, at, gate = [], 0, spec["continuity"]
    for tower in spec["towers"]:
        block = graph.part(product, at, tower["dimensions"])
        at += tower["dimensions"]
        summed = graph.add("ReduceSum", block, graph.constant([1], np.int64), keepdims=1)
        cosines.append(graph.add("Div", summed, graph.constant([tower["weight"]])))
    search = at
    at += layout["border"][1]
    direct = {}
    for name in ("continuity", "key"):
        size = layout[name][1]
        direct[name] = graph.add("ReduceSum", graph.part(product, at, size), graph.constant([1], np.int64), keepdims=1)
        at += size
    size = layout["pulse"][1]
    pulse = graph.meeting(codes["tail"], codes["head"], at, size)
    at += size
    towers, continuity = graph.add("Concat", *cosines, axis=1), direct["continuity"]
    cosine = graph.add("Concat", towers, direct["key"], pulse, axis=1)
    low, high = gate["agreement"]
    others = [n for n, tower in enumerate(spec["towers"]) if tower["component"] != "seam"]
    mean = graph.add("ReduceMean", graph.add("Gather", towers, graph.constant(others, np.int64), axis=1), graph.constant([1], np.int64), keepdims=1)
    agreement = graph.add("Clip", graph.add("Div", graph.add("Sub", mean, graph.constant([low])), graph.constant([high - low])),
                          graph.constant(0), graph.constant(1))
    above = graph.add("Relu", graph.add("Sub", continuity, graph.constant([gate["threshold"]])))
    bonus = graph.add("Mul", graph.add("Mul", above, agreement), graph.constant([gate["gain"]]))
    net = spec["reranker"]
    hidden = graph.add("Tanh", graph.add("Add", graph.add("MatMul", cosine, graph.constant(np.array(net["hidden"]).T)),
                                         graph.constant(net["hiddenBias"])))
    straight = graph.add("MatMul", cosine, graph.constant(np.array(net["linear"])[:, None]))
    bent = graph.add("MatMul", hidden, graph.constant(np.array(net["output"])[:, None]))
    logit = graph.add("Add", graph.add("Add", graph.add("Add", straight, bent), graph.constant([net["bias"]])), bonus)
    graph.add("Sigmoid", logit, to="score")
    model = helper.make_model(
        helper.make_graph(
            graph.nodes, "transition",
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["pairs", width]) for n in ("tail", "head")],
            [helper.make_tensor_value_info("tail_code", TensorProto.FLOAT, ["pairs", at]),
             helper.make_tensor_value_info("head_code", TensorProto.FLOAT, ["pairs", at]),
             helper.make_tensor_value_info("score", TensorProto.FLOAT, ["pairs", 1])], graph.constants),
        opset_imports=[helper.make_opsetid("", 18)], ir_version=10, producer_name="earmark training/transition")
    onnx.checker.check_model(model)
    return model.SerializeToString(), width, at, search


def packed(values):
    return dict(shape=list(values.shape), base64=base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode())


def main():
    source, folder, generated, golden = sys.argv[1:]
    stored = np.load(source)
    spec, layout, weights = json.loads(str(stored["spec"])), json.loads(str(stored["layout"])), stored["weights"]
    data, width, size, search = build(spec, layout, weights)
    digest = hashlib.sha256(data).hexdigest()
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "model.onnx"), "wb") as out:
        out.write(data)
    manifest = dict(schemaVersion=1, kind="transition", id=spec["id"], version=spec["version"], file="model.onnx", sha256=digest,
                    bytes=len(data), parameters=int(len(weights) + sum(np.size(v) for v in spec["reranker"].values())),
                    frontEnd=dict(sampleRateHz=16000, windowMs=8000, code="libs/transition/src/window-features.ts"),
                    inputs=dict(tail=dict(size=width), head=dict(size=width)), layout=layout,
                    outputs=dict(tailCode=dict(name="tail_code", size=size), headCode=dict(name="head_code", size=size),
                                 score=dict(name="score", size=1)),
                    searchVector=search,
                    components={t["component"]: {k: t[k] for k in ("dimensions", "weight", "nullCosines")} for t in spec["towers"]}
                    | {c: spec[c] for c in ("key", "pulse", "continuity")},
                    leastScore=spec["leastScore"])
    with open(os.path.join(folder, "manifest.json"), "w", encoding="utf-8") as out:
        out.write(json.dumps(manifest, indent=1) + "\n")
    with open(generated, "w", encoding="utf-8") as out:
        out.write("import type { TransitionModelSpec } from './transition-model-spec.js';\n\n")
        out.write("/** Made by training/transition/export.py. */\nexport const modelSpec: TransitionModelSpec = ")
        out.write(json.dumps(spec, indent=1) + ";\n/** SHA-256 of the ONNX file with the same weights. */\n")
        out.write(f"export const modelSha256 =\n  '{digest}';\n")
        out.write("/** Means and projections of the towers; float32 in base64. */\n")
        out.write(f"export const modelWeights =\n  '{base64.b64encode(weights.astype('<f4').tobytes()).decode()}';\n")
    rows = np.random.default_rng(7).normal(0, 1, (2, 4, width)).astype("<f4")
    rows[1, 2:] = rows[0, 2:] + np.array([[0.1], [0.8]], "<f4") * rows[1, 2:]
    for start, size in (layout[name] for name in ("continuity", "key", "pulse")):
        rows[..., start:start + size] /= np.linalg.norm(rows[..., start:start + size], axis=-1, keepdims=True)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    tail, head, score = session.run(["tail_code", "head_code", "score"], dict(tail=rows[0], head=rows[1]))
    with open(golden, "w", encoding="utf-8") as out:
        out.write(json.dumps(dict(sha256=digest, tail=packed(rows[0]), head=packed(rows[1]), tailCode=packed(tail),
                                  headCode=packed(head), score=packed(score))) + "\n")


if __name__ == "__main__":
    main()
