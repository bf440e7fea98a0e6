"""Upload a trained checkpoint to the Hugging Face Hub. It happens only where a repository is named."""

from __future__ import annotations

from pathlib import Path

from adapters.errors import EnvironmentFailure, UsageError, need
from harness.progress import Reporter, Silent
from harness.result.secrets import public
from harness.workspace import readable_size

_PURPOSE = "--push-to-hub"


def check_repository(name: str) -> None:
    """Refuse a name that the hub would refuse, before anything is trained.

    Raises:
        UsageError: it is not `NAME` or `OWNER/NAME`.
    """
    utils = need("huggingface_hub.utils", "models", _PURPOSE)
    try:
        utils.validate_repo_id(name)
    except utils.HFValidationError:
        raise UsageError(f"--push-to-hub {name}: a repository is OWNER/NAME, as in me/my-reranker") from None


def push(folder: Path, repository: str, reporter: Reporter | None = None) -> str:
    """Upload all files of a checkpoint, in one commit. A new repository is private; one that exists keeps its
    visibility. The account is that of `hf auth login` or of HF_TOKEN.

    The manifest is uploaded too. Its sketch of the training queries lets others find leaks, and so reveals whether a
    known query was trained on.

    Returns:
        The address of the commit.

    Raises:
        EnvironmentFailure: the hub cannot be reached, or refuses. The checkpoint is still in its folder.
    """
    files = sorted(one for one in folder.rglob("*") if one.is_file())
    names = ", ".join(str(one.relative_to(folder)) for one in files)
    size = readable_size(sum(one.stat().st_size for one in files))
    (reporter or Silent()).note(f"uploading {len(files)} files ({size}) to {repository} on the hub: {names}")
    api = need("huggingface_hub", "models", _PURPOSE).HfApi()
    try:
        api.create_repo(repository, private=True, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repository, folder_path=folder, commit_message="Upload a checkpoint of harness train fit"
        )
    except Exception as error:
        reason = " ".join(public(str(error)).split())[:200]
        raise EnvironmentFailure(
            f"{repository} was not uploaded ({type(error).__name__}: {reason}); the checkpoint is in {folder}, and the "
            "same command uploads it"
        ) from None
    return str(commit.commit_url)
