"""Work on files of rows without a model: look at them, clean, divide, convert them, find what is wrong."""
