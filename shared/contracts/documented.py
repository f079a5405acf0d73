"""Models whose fields OpenAPI and AsyncAPI describe: the docstring below a field is its description."""

from pydantic import BaseModel, ConfigDict


class Documented(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)
