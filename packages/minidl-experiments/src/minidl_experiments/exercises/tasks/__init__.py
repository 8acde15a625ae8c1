"""The exercises as data, one file for each topic; expected values come from minidl."""
