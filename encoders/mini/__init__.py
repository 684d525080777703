"""`mini`, the built-in model: a small dual encoder trained by this project, for ONNX Runtime."""
