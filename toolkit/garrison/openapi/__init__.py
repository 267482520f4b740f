"""An OpenAPI document, compiled: which operation a request is for, and whether it keeps what is declared."""
