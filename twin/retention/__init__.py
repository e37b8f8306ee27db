"""How long what is kept, and a person's data found, handed out and erased: the timers, the marks, the proof."""
