"""Small tools shared by the chapters; importing this pulls in neither framework."""

__version__ = "0.1.0"
