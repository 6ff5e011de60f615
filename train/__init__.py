"""Fine-tuning Whisper on a published dataset, and judging what that gained."""
