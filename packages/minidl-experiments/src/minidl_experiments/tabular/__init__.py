"""Networks for tables of one's own: reading, preprocessing, training, assessment, and files that predict."""
