"""The profile of a data set: what is measured of its rows (`measure`), and a page for people (`render`)."""

from tunesmith.data.profile.card import File, markdown
from tunesmith.data.profile.given import Find, Found, Row, Tokens
from tunesmith.data.profile.html import render, spoken
from tunesmith.data.profile.measuring import Profile, measure

__all__ = ["File", "Find", "Found", "Profile", "Row", "Tokens", "markdown", "measure", "render", "spoken"]
