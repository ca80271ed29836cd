"""What leads out of an upload never gets into what others download."""

import h5py
from tests.web.conftest import checked, run


def linked(path, contents):
    """Give an upload whose sides lead to another file on the machine of whoever reads it."""
    path.write_bytes(contents)
    secret = path.with_name("secret.h5")
    with h5py.File(secret, "w") as file:
        file["words"] = b"secret"
    with h5py.File(path, "r+") as file:
        file["uns/far"] = h5py.ExternalLink(str(secret), "/words")
        file["uns/near"] = h5py.SoftLink("/X")
    return path.read_bytes()


def test_links_out_of_an_upload_are_left_out_of_the_download_and_the_owner_is_told(shared, tmp_path, tiny_file):
    job = checked(shared, linked(tmp_path / "linked.h5ad", tiny_file))
    note = "'uns/far' leads out of the file, so it is left out of the annotated file."
    assert note in job["warnings"]
    job = run(shared, job)
    assert job["state"] == "done", job["error"]
    path = tmp_path / "annotated.h5ad"
    path.write_bytes(shared.get(job["links"]["annotated.h5ad"]).content)
    with h5py.File(path) as file:
        assert "near" in file["uns"]
        assert "far" not in list(file["uns"])


def test_a_file_without_links_is_copied_without_a_word(done_job):
    assert not any("leads out" in warning for warning in done_job["warnings"])
