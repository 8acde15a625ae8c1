"""Networks in the formats of others: modules of torch, ONNX files, C source; one format a file."""
