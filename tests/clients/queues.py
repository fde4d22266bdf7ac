# Queues with boto3's resources, as most Python programs use them. Where the server is and which key it knows comes from the environment.
import hashlib
import json

import boto3
from botocore.exceptions import ClientError

client = boto3.client("sqs")
sqs = boto3.resource("sqs")

# A standard queue: one message, a batch, attributes of both kinds, what comes back.
queue = sqs.create_queue(QueueName="python", Attributes={"VisibilityTimeout": "30", "DelaySeconds": "0"}, tags={"team": "a"})
assert queue.attributes["QueueArn"].endswith(":python"), queue.attributes
assert sqs.get_queue_by_name(QueueName="python").url == queue.url
assert [q.url for q in sqs.queues.filter(QueueNamePrefix="pyth")] == [queue.url]
attributes = {
    "kind": {"DataType": "String", "StringValue": "order"},
    "count": {"DataType": "Number", "StringValue": "7"},
    "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
}
sent = queue.send_message(MessageBody="über €", MessageAttributes=attributes)
assert sent["MD5OfMessageBody"] == hashlib.md5("über €".encode()).hexdigest(), sent
batch = queue.send_messages(Entries=[{"Id": str(n), "MessageBody": f"message {n}"} for n in range(9)])
assert len(batch["Successful"]) == 9 and "Failed" not in batch, batch

received = {}
while len(received) < 10:
    messages = queue.receive_messages(
        MaxNumberOfMessages=10, WaitTimeSeconds=1, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    )
    assert messages, received
    received |= {message.body: message for message in messages}
whole = received["über €"]
assert whole.message_attributes["bytes"]["BinaryValue"] == b"\x00\xff", whole.message_attributes
assert whole.message_id == sent["MessageId"] and whole.attributes["ApproximateReceiveCount"] == "1", whole.attributes
assert whole.md5_of_message_attributes == sent["MD5OfMessageAttributes"]
queue.load()
assert queue.attributes["ApproximateNumberOfMessagesNotVisible"] == "10", queue.attributes
whole.change_visibility(VisibilityTimeout=0)
(again,) = queue.receive_messages(WaitTimeSeconds=1, MessageSystemAttributeNames=["ApproximateReceiveCount"])
assert again.body == "über €" and again.attributes == {"ApproximateReceiveCount": "2"}, again.attributes
again.delete()
rest = [message for body, message in received.items() if body != "über €"]
deleted = queue.delete_messages(Entries=[{"Id": str(n), "ReceiptHandle": message.receipt_handle} for n, message in enumerate(rest)])
assert len(deleted["Successful"]) == 9, deleted
queue.load()
assert all(queue.attributes[f"ApproximateNumberOfMessages{kind}"] == "0" for kind in ("", "NotVisible", "Delayed")), queue.attributes

queue.set_attributes(Attributes={"VisibilityTimeout": "1"})
queue.send_message(MessageBody="purged")
queue.purge()
assert queue.receive_messages() == []
assert client.list_queue_tags(QueueUrl=queue.url)["Tags"] == {"team": "a"}

# A FIFO queue: the order of a group, one group beside another, duplicates.
line = sqs.create_queue(QueueName="python.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})
first = line.send_message(MessageBody="a1", MessageGroupId="a")
same = line.send_message(MessageBody="a1", MessageGroupId="a")
assert (same["MessageId"], same["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
for body in ("a2", "b1", "b2"):
    line.send_message(MessageBody=body, MessageGroupId=body[0])
one = line.receive_messages(MessageSystemAttributeNames=["All"])
assert [message.body for message in one] == ["a1"], one
assert one[0].attributes["MessageGroupId"] == "a" and one[0].attributes["SequenceNumber"] == first["SequenceNumber"]
others = line.receive_messages(MaxNumberOfMessages=10)
assert [message.body for message in others] == ["b1", "b2"], "nothing of a group in flight"
one[0].delete()
assert [message.body for message in line.receive_messages(MaxNumberOfMessages=10)] == ["a2"]

# A dead-letter queue, its sources, and a policy.
dead = sqs.create_queue(QueueName="python-dead")
policy = {"deadLetterTargetArn": dead.attributes["QueueArn"], "maxReceiveCount": 1}
queue.set_attributes(Attributes={"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": "0"})
queue.send_message(MessageBody="poison")
assert [message.body for message in queue.receive_messages()] == ["poison"]
assert queue.receive_messages() == []
assert [message.body for message in dead.receive_messages()] == ["poison"]
assert [source.url for source in dead.dead_letter_source_queues.all()] == [queue.url]

# Errors are those that programs catch.
for error, call in (
    ("QueueDoesNotExist", lambda: sqs.get_queue_by_name(QueueName="nothing")),
    ("ReceiptHandleIsInvalid", lambda: client.delete_message(QueueUrl=queue.url, ReceiptHandle="nonsense")),
    ("EmptyBatchRequest", lambda: queue.send_messages(Entries=[])),
    ("BatchEntryIdsNotDistinct", lambda: queue.send_messages(Entries=[{"Id": "a", "MessageBody": "b"}] * 2)),
):
    try:
        call()
    except getattr(client.exceptions, error) as refused:
        assert isinstance(refused, ClientError) and refused.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 404), refused
    else:
        raise AssertionError(f"{error} was not raised")
for each in (queue, line, dead):
    each.delete()
print("all as on AWS")
