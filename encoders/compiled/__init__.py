"""CLIP models compiled once to ONNX, which then run without importing PyTorch, open_clip or transformers."""
