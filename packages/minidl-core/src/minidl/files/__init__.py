"""Files of models: the format, records as JSON, networks built from them."""
