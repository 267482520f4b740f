"""What a load asks for: requests out of an OpenAPI document or out of a list, and the ids that they carry."""
