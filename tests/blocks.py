"""A metrics block as the monitoring guide prints it, and what it says."""

BLOCK = """====== Performance Metrics for worker-1 ======
Message count: 120
Average message size: 1024.5 bytes
Average message latency: 42.3 ms
Message errors: 0
Reconnections: 2
Average reconnection duration: 1.2 s
Task execution count: 15
Task success rate: 1.00
Average task duration: 250.3 ms
Checkpoints created: 5
Checkpoints resumed: 1
Compression ratio: 3.2x
Uptime: 300.0 s
=============================================
"""
BLOCK_VALUES = {
    "messages_sent": 120,
    "avg_message_size_bytes": 1024.5,
    "avg_message_latency_ms": 42.3,
    "message_errors": 0,
    "reconnections": 2,
    "avg_reconnect_time": 1.2,
    "tasks_executed": 15,
    "task_success_rate": 1.0,
    "avg_task_execution_time_ms": 250.3,
    "checkpoints_created": 5,
    "checkpoints_restored": 1,
    "compression_ratio": 3.2,
    "uptime_s": 300.0,
}
