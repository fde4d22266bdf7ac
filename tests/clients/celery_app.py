# Tasks of Celery over kombu's SQS transport. Each run of a task adds a line to the file that RESULTS names. Where the broker is and how it
# is used comes from the environment, as in a program that is told nothing of this server.
#   python celery_app.py COUNT TASK QUEUE [COUNTDOWN]   sends tasks
import json
import os
import sys
import time

from celery import Celery

options = json.loads(os.environ["TRANSPORT_OPTIONS"])
for known in options.get("predefined_queues", {}).values():
    # JSON has no numbers as keys.
    known["backoff_policy"] = {int(runs): seconds for runs, seconds in known.get("backoff_policy", {}).items()}

app = Celery("celery_app", broker=os.environ["BROKER_URL"])
app.conf.update(
    broker_transport_options=options,
    broker_connection_retry_on_startup=True,
    task_create_missing_queues=True,
    # A message is deleted when its task is done; one whose worker dies comes again.
    task_acks_late=True,
    task_acks_on_failure_or_timeout=False,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=5,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
)


def tell(*words):
    # One write to a file opened for appending stays whole, whatever other processes do.
    line = " ".join(str(word) for word in words) + "\n"
    results = os.open(os.environ["RESULTS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(results, line.encode())
    os.close(results)


@app.task
def work(number):
    if str(number) == os.environ.get("HELD"):
        # The worker is killed with this one in its hands.
        tell("held", number, time.time())
        time.sleep(600)
    tell("work", number, time.time())


@app.task
def aligned(number):
    tell("aligned", number, time.time())


@app.task
def failing(number):
    path = os.environ["RESULTS"]
    runs = sum(line.startswith(f"failing {number} ") for line in open(path)) if os.path.exists(path) else 0
    tell("failing", number, time.time())
    if runs < 2:
        raise RuntimeError(f"run {runs + 1} of {number} fails")


if __name__ == "__main__":
    count, task, queue, countdown = int(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4]) if len(sys.argv) > 4 else None
    for number in range(count):
        app.send_task(f"celery_app.{task}", (number,), queue=queue, countdown=countdown)
