"""What `fsnats doctor` looks at: one stage after the other, so that the one that fails is the one that is named."""
