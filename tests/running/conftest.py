"""Small notebooks that a test writes, and what they print."""

import nbformat
import pytest


@pytest.fixture
def write_notebook(tmp_path):
    """``write_notebook(*cells)``: a notebook whose first cell holds its parameters."""

    def write(*cells: str, name: str = "small.ipynb"):
        made = [nbformat.v4.new_code_cell(source, id=f"c{n}") for n, source in enumerate(cells)]
        made[0].metadata["tags"] = ["parameters"]
        kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
        about = {"kernelspec": kernel, "language_info": {"name": "python"}}
        path = tmp_path / name
        nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=about), path)
        return path

    return write


@pytest.fixture(scope="session")
def printed():
    """``printed(path)``: the text that an executed notebook printed."""

    def read(path) -> str:
        cells = nbformat.read(path, as_version=4).cells
        return "".join(o.get("text", "") for c in cells for o in c.get("outputs", ()))

    return read
