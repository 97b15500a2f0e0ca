"""The environments of the stack's processes, and the stack's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from quant.settings import Settings, child_environment

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
LOCAL_DEFAULTS = {"FLUSH_SECONDS": "1", "TICK_TTL_SECONDS": "7200"}
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def local_settings(environ: Mapping[str, str] | None = None) -> tuple[Settings, bool]:
    """The settings with the laptop's defaults, and whether SYMBOLS was chosen by the user.

    Raises:
        SettingError: a setting cannot be used.
    """
    given = child_environment() if environ is None else environ
    chosen = {name: text for name, text in given.items() if text.strip()}
    return Settings.load({**LOCAL_DEFAULTS, **chosen}), "SYMBOLS" in chosen


def emulator_environment(settings: Settings, folder: Path, port: int) -> dict[str, str]:
    """What the emulator, and with it every Lambda function, sees: nothing of the developer's own shell.

    Docker is kept out of its sight, since it would remove containers that an earlier emulator left there.
    """
    kept = {name: value for name, value in child_environment().items() if name in _KEPT}
    return {
        **kept,
        **aws_environment(f"http://127.0.0.1:{port}"),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(folder / "emulator"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder / "s3"),
        "TMPDIR": str(folder / "tmp"),
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING" if settings.log_level == "INFO" else settings.log_level,
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def program_environment(root: Path, **changes: str) -> dict[str, str]:
    """The environment of the stack's own programs: the developer's, without any of his AWS accounts or proxies."""
    shell = child_environment()
    inherited = {name: value for name, value in shell.items() if not name.startswith("AWS_")}
    spared = ",".join(
        part for part in (shell.get("NO_PROXY", shell.get("no_proxy", "")), "127.0.0.1,localhost") if part
    )
    paths = {"PYTHONPATH": f"{root / 'functions'}:{root}", "NO_PROXY": spared, "no_proxy": spared}
    return {**inherited, **paths, **changes}


def aws_environment(endpoint: str) -> dict[str, str]:
    """Everything an AWS client needs to speak to the emulator, and nothing that leads elsewhere."""
    return {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
