"""What people say of utterances: tasks for Label Studio, and annotations out of its exports."""
