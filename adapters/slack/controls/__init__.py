"""Controls: buttons, shortcuts, windows and commands, and what is done for whoever uses them."""
