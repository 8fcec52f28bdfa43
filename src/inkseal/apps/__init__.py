"""Applications: a TOML file each, with a form, prompts in both languages, steps and rules; never code.

Everything that a model writes for an app goes through `studio.run`; the result is composed of it and sealed with the
app's name and the hash of its file.
"""
