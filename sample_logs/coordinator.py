"""The simulated coordinator: accepts workers, hands out tasks, can be killed and started again."""

from typing import Protocol

from world import Process, World

from recontool.model.events import Value

CONFIG: dict[str, Value] = {
    "role": "coordinator",
    "version": "0.1.0",
    "host": "localhost",
    "port": 8765,
    "heartbeat_interval": 5.0,
    "heartbeat_timeout": 15.0,
    "compression_level": 6,
    "min_compress_size": 1024,
    "enable_priority_queue": True,
    "queue_high_watermark": 1000,
    "metrics_interval": 30.0,
    "snapshot_interval": 10.0,
}


class Peer(Protocol):
    """What the coordinator knows of a worker."""

    source: str

    def cut_off(self) -> None:
        """The connection broke because the coordinator is gone."""


class Coordinator(Process):
    """Writes coordinator.log and counts what it did for truth.json."""

    def __init__(self, world: World, level: str = "INFO") -> None:
        super().__init__(world, "coordinator", level)
        self.is_up = False
        self.peers: dict[str, Peer] = {}
        self.counts = dict.fromkeys(("starts", "accepted", "disconnected", "rejected", "submitted", "applied"), 0)

    def start(self) -> None:
        """The process comes up and listens."""
        self.is_up = True
        self.counts["starts"] += 1
        self.log("", "config", pid=self.world.rng.randint(2000, 30000), log_level=self.level, **CONFIG)

    def kill(self) -> None:
        """SIGKILL: no last word; every connection breaks."""
        self.is_up = False
        self.life += 1
        for peer in list(self.peers.values()):
            peer.cut_off()
        self.peers.clear()

    def accept(self, peer: Peer, session: str) -> None:
        """A worker proved its key and has a session."""
        self.counts["accepted"] += 1
        self.log("SECURITY", "auth_ok", worker=peer.source, peer=self._address())
        self.log("CONNECT", "accepted", worker=peer.source, session=session)
        self.peers[peer.source] = peer

    def drop(self, worker: str, code: int, reason: str) -> None:
        """A worker's session ended, if it had one."""
        if self.peers.pop(worker, None) is not None:
            self.counts["disconnected"] += 1
            self.log("CONNECT", "disconnected", worker=worker, code=code, reason=reason)

    def refuse(self) -> None:
        """A stranger knocks with a wrong key."""
        self.counts["rejected"] += 1
        self.log("SECURITY", "auth_failed", "WARNING", reason="unknown key", peer=self._address(), worker="worker-9")

    def assign(self, worker: str) -> str:
        """A new task for `worker`; returns its id."""
        task = f"task-{self.token(8)}"
        self.counts["submitted"] += 1
        self.log("TASK", "submitted", task=task, type="sleep")
        self.log("TASK", "assigned", task=task, worker=worker)
        return task

    def apply(self, task: str, worker: str) -> None:
        """A result came in and is stored."""
        self.counts["applied"] += 1
        self.log("TASK", "applied", task=task, worker=worker)

    def _address(self) -> str:
        return f"127.0.0.1:{self.world.rng.randint(32768, 60999)}"
