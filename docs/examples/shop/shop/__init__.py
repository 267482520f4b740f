"""A small shop: accounts, products, orders, pictures, and what happens meanwhile."""
