"""Looking after a corpus: what its machine lacks, what of it is damaged, copies of it."""
