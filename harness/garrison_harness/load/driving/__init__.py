"""What runs in the load process only: importing Locust patches the standard library for gevent."""
