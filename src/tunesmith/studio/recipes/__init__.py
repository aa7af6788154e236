"""Recipes in the page: the form's schema, what is wrong, what it costs, and the same in other words."""
