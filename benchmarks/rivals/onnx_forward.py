"""onnxruntime: the network as an ONNX graph, on one thread."""

import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def forward(task):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph(task), options, providers=["CPUExecutionProvider"])
    feed = {"x": task.x}
    return lambda: session.run(None, feed)[0]


def graph(task):
    """Return the network as a serialised model of Gemm and Relu nodes with a Sigmoid at the end."""
    nodes, arrays, last = [], [], len(task.weights) - 1
    for i, (weight, bias) in enumerate(task.weights):
        arrays += [numpy_helper.from_array(array, f"{name}{i}") for name, array in (("w", weight), ("b", bias))]
        nodes.append(helper.make_node("Gemm", [f"y{i - 1}" if i else "x", f"w{i}", f"b{i}"], [f"s{i}"], transB=1))
        nodes.append(helper.make_node("Sigmoid" if i == last else "Relu", [f"s{i}"], [f"y{i}"]))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", task.widths[0]])
    y = helper.make_tensor_value_info(f"y{last}", TensorProto.FLOAT, ["N", task.widths[-1]])
    model = helper.make_model(
        helper.make_graph(nodes, "network", [x], [y], arrays), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    return model.SerializeToString()
