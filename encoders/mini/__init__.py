"""`mini`, the built-in model: a small dual encoder trained by this project, run by ONNX Runtime."""
