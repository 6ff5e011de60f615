"""Publishing: utterances become a dataset."""
