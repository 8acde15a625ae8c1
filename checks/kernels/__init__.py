"""Tests the kernels of minidl-native without Python, on every processor that can be run here."""
