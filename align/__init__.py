"""Everything that listens: acoustic models, alignment, cutting, free transcripts."""
