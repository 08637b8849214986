"""Files that one thread writes while others remove the folders that are empty."""

import threading
from concurrent.futures import ThreadPoolExecutor

from phase2.storage.disk.concurrent import remove_empty_folders, temporary_sibling


def test_a_folder_that_vanishes_again_and_again_is_made_again(tmp_path):
    path, done = tmp_path / "family" / "run" / "file", threading.Event()

    def remove() -> None:
        while not done.is_set():
            remove_empty_folders(path.parent, tmp_path)

    with ThreadPoolExecutor(2) as pool:
        removers = [pool.submit(remove) for _ in range(2)]
        try:
            for _ in range(5_000):
                with temporary_sibling(path) as (file, temporary):
                    file.write(b"content")
                    temporary.replace(path)
                path.unlink()
        finally:
            done.set()
        for remover in removers:
            remover.result()
