"""The recogniser's model files, found inside an installed package and run directly; nothing is ever downloaded."""

from importlib.util import find_spec
from pathlib import Path

import onnxruntime

DETECTOR, RECOGNISER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"


class ModelMissing(RuntimeError):
    """The package that carries the models is not installed, or carries others."""


def model_path(name: str) -> Path:
    """Where a model file lies, without importing the package that carries it."""
    spec = find_spec("rapidocr")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "models" / name
        if path.is_file():
            return path
    raise ModelMissing(f"falta el modelo {name}: instale rapidocr 3.10.0")


def open_session(name: str) -> onnxruntime.InferenceSession:
    """One thread, no arena, no memory plan: several of these processes share two cores and a memory budget."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model_path(name)), options, providers=["CPUExecutionProvider"])
