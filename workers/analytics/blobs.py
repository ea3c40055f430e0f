"""Pictures on disk under the name of their content, for the node to upload and delete."""

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import mkstemp


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored picture."""

    sha256: str
    path: Path

    def as_json(self) -> dict[str, str]:
        return {"sha256": self.sha256, "path": str(self.path)}


class BlobFolder:
    """Writes each content once; a reader never sees half a file."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, data: bytes) -> Blob:
        digest = sha256(data).hexdigest()
        path = self._root / digest[:2] / digest
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = mkstemp(dir=path.parent, prefix=".new-")
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, path)
        return Blob(digest, path)
