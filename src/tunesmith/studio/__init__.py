"""The Studio: the web page, and the management API below it.

Nothing happens in the page that curl could not do.
"""
