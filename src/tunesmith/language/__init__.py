"""Words: which language a text is in, its words, stop words and stems, and vectors made of them.

It knows texts and nothing else: neither rows nor models. Everything it needs lies in installed packages.
"""
