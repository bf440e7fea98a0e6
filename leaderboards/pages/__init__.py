"""The pages of a board as text. Each fills a template that escapes all values.

Pages compute no measures and use neither the store nor the network.
"""
