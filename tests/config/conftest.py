from tests.config.projects import project

__all__ = ["project"]
