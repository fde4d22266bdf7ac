# Every operation of SQS through botocore from before it spoke JSON: forms in, XML out. Fails with the first thing that is not as on AWS.
import hashlib
import json
import os
import sys
import time

sys.path.insert(0, os.environ["TEST_QUERY_BOTOCORE"])
import botocore.session  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402

endpoint = os.environ["AWS_ENDPOINT_URL"]
session = botocore.session.get_session()
sqs = session.create_client("sqs", endpoint_url=endpoint)
assert sqs.meta.service_model.metadata["protocol"] == "query", sqs.meta.service_model.metadata


def refused(operation, code, status, text=None, **input):
    try:
        getattr(sqs, operation)(**input)
    except ClientError as error:
        found = error.response["Error"]
        assert found["Code"] == code, found
        assert found["Type"] == "Sender", found
        assert "Detail" in found, found
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error.response
        assert error.response["ResponseMetadata"]["RequestId"], error.response
        assert text is None or found["Message"] == text, found
        return
    raise AssertionError(f"{operation} was not refused")


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


# Queues, attributes, tags.
url = sqs.create_queue(QueueName="query", Attributes={"VisibilityTimeout": "45", "DelaySeconds": "0"}, tags={"team": "a b"})["QueueUrl"]
assert url == f"{endpoint}/000000000000/query", url
assert sqs.get_queue_url(QueueName="query")["QueueUrl"] == url
attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
arn = attributes["QueueArn"]
assert attributes["VisibilityTimeout"] == "45", attributes
sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "46", "MaximumMessageSize": "2048"})
one = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout", "MaximumMessageSize"])["Attributes"]
assert one == {"VisibilityTimeout": "46", "MaximumMessageSize": "2048"}, one
assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url)
sqs.tag_queue(QueueUrl=url, Tags={"cost": "<&>", "empty": ""})
assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "a b", "cost": "<&>", "empty": ""}
sqs.untag_queue(QueueUrl=url, TagKeys=["cost", "empty"])
assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "a b"}
assert sqs.list_queues(QueueNamePrefix="que")["QueueUrls"] == [url]
assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="none")
for name in ["page-1", "page-2", "page-3"]:
    sqs.create_queue(QueueName=name)
pages = list(sqs.get_paginator("list_queues").paginate(QueueNamePrefix="page", PaginationConfig={"PageSize": 2}))
assert [len(page["QueueUrls"]) for page in pages] == [2, 1], pages

# Messages, alone and in batches.
kinds = {
    "text": {"DataType": "String", "StringValue": "ä & <b>"},
    "number": {"DataType": "Number.int", "StringValue": "12"},
    "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
}
trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}}
body = "über <&> \"€\" \t\n\r line"
sent = sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=kinds, MessageSystemAttributes=trace)
assert sent["MD5OfMessageBody"] == md5(body), sent
got = sqs.receive_message(QueueUrl=url, AttributeNames=["All"], MessageAttributeNames=["All"], WaitTimeSeconds=1)["Messages"][0]
assert got["MessageId"] == sent["MessageId"] and got["Body"] == body, got
assert got["MessageAttributes"] == kinds, got
assert got["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"], got
assert got["Attributes"]["AWSTraceHeader"] == trace["AWSTraceHeader"]["StringValue"], got
assert got["Attributes"]["ApproximateReceiveCount"] == "1", got
assert "Messages" not in sqs.receive_message(QueueUrl=url)
sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"], VisibilityTimeout=0)
again = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["nu.*", "none"])["Messages"][0]
assert again["MessageAttributes"] == {"number": kinds["number"]}, again
sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])

entries = [{"Id": f"e{at}", "MessageBody": f"body {at}", "MessageAttributes": {"at": {"DataType": "Number", "StringValue": str(at)}}} for at in range(9)]
batch = sqs.send_message_batch(QueueUrl=url, Entries=[*entries, {"Id": "late", "MessageBody": "x", "DelaySeconds": 901}])
assert [entry["Id"] for entry in batch["Successful"]] == [f"e{at}" for at in range(9)], batch
assert batch["Failed"][0]["Id"] == "late" and batch["Failed"][0]["SenderFault"] is True, batch
assert batch["Failed"][0]["Code"] == "InvalidParameterValue", batch
received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
assert sorted(message["Body"] for message in received) == [f"body {at}" for at in range(9)], received
handles = [{"Id": f"h{at}", "ReceiptHandle": message["ReceiptHandle"]} for at, message in enumerate(received)]
changed = sqs.change_message_visibility_batch(QueueUrl=url, Entries=[{**handle, "VisibilityTimeout": 60} for handle in handles])
assert len(changed["Successful"]) == 9 and "Failed" not in changed, changed
deleted = sqs.delete_message_batch(QueueUrl=url, Entries=[*handles, {"Id": "bad", "ReceiptHandle": "x"}])
assert len(deleted["Successful"]) == 9 and deleted["Failed"][0]["Code"] == "ReceiptHandleIsInvalid", deleted
sqs.send_message(QueueUrl=url, MessageBody="to be purged")
sqs.purge_queue(QueueUrl=url)
assert "Messages" not in sqs.receive_message(QueueUrl=url)

# Permissions.
sqs.add_permission(QueueUrl=url, Label="share", AWSAccountIds=["111122223333"], Actions=["SendMessage", "GetQueueUrl"])
policy = json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"])
assert policy["Statement"][0]["Action"] == ["SQS:SendMessage", "SQS:GetQueueUrl"], policy
sqs.remove_permission(QueueUrl=url, Label="share")
assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])

# Dead letters, and back by a move task.
dead = sqs.create_queue(QueueName="query-dead")["QueueUrl"]
dead_arn = arn + "-dead"
sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": "1"})})
assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
sqs.send_message(QueueUrl=url, MessageBody="letter")
for _ in range(2):
    sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)
assert sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"] == "1"
slow = sqs.start_message_move_task(SourceArn=dead_arn, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
listed = sqs.list_message_move_tasks(SourceArn=dead_arn, MaxResults=10)["Results"]
assert listed[0]["TaskHandle"] == slow and listed[0]["ApproximateNumberOfMessagesToMove"] == 1, listed
assert isinstance(sqs.cancel_message_move_task(TaskHandle=slow)["ApproximateNumberOfMessagesMoved"], int)


def ended():
    end = time.monotonic() + 20
    while time.monotonic() < end:
        task = sqs.list_message_move_tasks(SourceArn=dead_arn)["Results"][0]
        if task["Status"] not in ("RUNNING", "CANCELLING"):
            return task
        time.sleep(0.05)
    raise AssertionError("the task did not end")


assert ended()["Status"] == "CANCELLED"
sqs.start_message_move_task(SourceArn=dead_arn)
assert ended()["Status"] == "COMPLETED", ended()
assert sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"][0]["Body"] == "letter"

# Refusals, by the codes of this protocol.
gone = url + "-none"
refused("send_message", "AWS.SimpleQueueService.NonExistentQueue", 400, QueueUrl=gone, MessageBody="x")
refused("get_queue_url", "AWS.SimpleQueueService.NonExistentQueue", 400, QueueName="none")
refused("create_queue", "QueueAlreadyExists", 400, QueueName="query", Attributes={"VisibilityTimeout": "1"})
refused("send_message", "InvalidParameterValue", 400, QueueUrl=url, MessageBody="x", DelaySeconds=901)
refused("send_message", "InvalidMessageContents", 400, QueueUrl=url, MessageBody="\x00")
refused("delete_message", "ReceiptHandleIsInvalid", 404, 'The input receipt handle "x" is not a valid receipt handle.', QueueUrl=url, ReceiptHandle="x")
refused("get_queue_attributes", "InvalidAttributeName", 400, QueueUrl=url, AttributeNames=["Foo"])
refused("set_queue_attributes", "InvalidAttributeValue", 400, QueueUrl=url, Attributes={"DelaySeconds": "901"})
refused("send_message_batch", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400, QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "x"}] * 2)
refused(
    "send_message_batch",
    "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
    400,
    QueueUrl=url,
    Entries=[{"Id": f"a{at}", "MessageBody": "x"} for at in range(11)],
)
refused("send_message_batch", "AWS.SimpleQueueService.InvalidBatchEntryId", 400, QueueUrl=url, Entries=[{"Id": "a b", "MessageBody": "x"}])
refused("list_message_move_tasks", "ResourceNotFoundException", 404, SourceArn=arn + "-none")
refused("remove_permission", "InvalidParameterValue", 400, "Value x for parameter Label is invalid. Reason: can't find label.", QueueUrl=url, Label="x")
sqs.delete_queue(QueueUrl=dead)
refused("purge_queue", "AWS.SimpleQueueService.NonExistentQueue", 400, QueueUrl=dead)
print("all as on AWS")
