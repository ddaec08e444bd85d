"""Whether everything is there and whole: verify, repair, collect what nobody names, back up, restore."""
