"""The JSON API of the service, ``/api/v1``: for scripts, the client, the command line and the console."""
