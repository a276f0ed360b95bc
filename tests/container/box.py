"""A container under test."""

from collections.abc import Callable

from testcontainers.core.container import DockerContainer
from waiting import until


class Box:
    """A running container, asked through `docker exec`."""

    def __init__(self, container: DockerContainer) -> None:
        self.container = container
        self.docker = container.get_wrapped_container()

    def run(self, *command: str) -> tuple[int, str]:
        """(exit code, output) of a command inside."""
        code, output = self.docker.exec_run(list(command))
        assert code is not None
        assert isinstance(output, bytes)
        return code, output.decode()

    def ask(self, *command: str) -> str:
        """What a command prints that must succeed."""
        code, output = self.run(*command)
        assert code == 0, f"{command}: {code}: {output}"
        return output

    def shell(self, script: str) -> str:
        return self.ask("sh", "-c", script)

    def pid(self, service: str) -> int:
        """The id that svstat tells; 0 when the service is not up."""
        _, pid, rest = self.ask("svstat", service).partition(": up (pid ")
        return int(rest.partition(")")[0]) if pid else 0

    def up(self, service: str) -> int:
        return until(lambda: self.pid(service), f"{service} up")

    def stdout(self) -> str:
        return str(self.docker.logs(stdout=True, stderr=False), "utf-8")

    def stderr(self) -> str:
        return str(self.docker.logs(stdout=False, stderr=True), "utf-8")

    def stop(self, timeout: int = 20) -> int:
        """`docker stop`, with so many seconds until Docker would kill; returns the exit code."""
        self.docker.stop(timeout=timeout)
        return self.exit_code()

    def exit_code(self) -> int:
        return int(self.docker.wait(timeout=20)["StatusCode"])

    def health(self) -> str:
        self.docker.reload()
        return str(self.docker.attrs["State"]["Health"]["Status"])


Boot = Callable[..., Box]
"""boot(services, **options of DockerContainer): see the fixture."""
