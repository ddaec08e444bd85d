"""SSL methods; the file's name is the public name. See models/ssl/base.py for what a method is."""
