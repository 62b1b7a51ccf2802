"""Work on a catalogue that is being written: who does it, in which chunks, and what is kept."""
