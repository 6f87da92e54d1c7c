"""Controls: buttons, menus, windows and commands, and what is done for whoever uses them."""
