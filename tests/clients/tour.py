# A topic's whole life with boto3. Where the server is and which key it knows comes from the environment, as with any AWS client.
import gzip
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3

posts = []


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        posts.append((self.headers["x-amz-sns-message-type"], json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def until(what, find):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        found = find()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not in time: {what}")


def posted(kind, count=1):
    found = until(f"{count} {kind}", lambda: [m for k, m in posts if k == kind][:count] if sum(k == kind for k, _ in posts) >= count else None)
    posts[:] = [(k, m) for k, m in posts if m not in found]
    return found


receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=receiver.serve_forever, daemon=True).start()
sns, sqs, s3, trail = (boto3.client(name) for name in ("sns", "sqs", "s3", "cloudtrail"))

account = boto3.client("sts").get_caller_identity()["Account"]
topic = sns.create_topic(Name="python", Attributes={"DisplayName": "Python"}, Tags=[{"Key": "team", "Value": "a"}])["TopicArn"]
assert topic == f"arn:aws:sns:us-east-1:{account}:python", topic
queue_arn = topic.replace(":sns:", ":sqs:")
policy = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
    ],
}
queue = sqs.create_queue(QueueName="python", Attributes={"Policy": json.dumps(policy)})["QueueUrl"]
to_queue = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, ReturnSubscriptionArn=True)["SubscriptionArn"]
pending = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"http://127.0.0.1:{receiver.server_port}/")["SubscriptionArn"]
assert pending == "pending confirmation", pending
token = posted("SubscriptionConfirmation")[0]["Token"]
to_receiver = sns.confirm_subscription(TopicArn=topic, Token=token)["SubscriptionArn"]

attributes = {"kind": {"DataType": "String", "StringValue": "order"}, "blob": {"DataType": "Binary", "BinaryValue": b"\x02\x03\x04"}}
message_id = sns.publish(TopicArn=topic, Message="snow ☃", Subject="weather", MessageAttributes=attributes)["MessageId"]
told = posted("Notification")[0]
assert (told["MessageId"], told["Message"], told["Subject"]) == (message_id, "snow ☃", "weather"), told
assert told["MessageAttributes"]["blob"] == {"Type": "Binary", "Value": "AgME"}, told

entries = [{"Id": str(n), "Message": f"batched {n}"} for n in range(10)]
batch = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
assert len(batch["Successful"]) == 10 and batch["Failed"] == [], batch
assert sorted(m["Message"] for m in posted("Notification", 10)) == sorted(e["Message"] for e in entries)
received = []
while len(received) < 11:
    page = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=5).get("Messages", [])
    assert page, f"only {len(received)} messages in the queue"
    received += [json.loads(m["Body"])["Message"] for m in page]
    sqs.delete_message_batch(QueueUrl=queue, Entries=[{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(page)])
assert sorted(received) == sorted(["snow ☃"] + [e["Message"] for e in entries]), received

try:
    sns.publish(TopicArn=topic + "-absent", Message="x")
    raise AssertionError("a publish to no topic went through")
except sns.exceptions.NotFoundException as error:
    assert error.response["Error"]["Message"] == "Topic does not exist", error.response
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 404

for n in range(105):
    sns.create_topic(Name=f"page-{n}")
pages = list(sns.get_paginator("list_topics").paginate())
assert [len(page["Topics"]) for page in pages] == [100, 6], [len(page["Topics"]) for page in pages]

bucket = "python-logs"
s3.create_bucket(Bucket=bucket)
cloudtrail = {"Service": "cloudtrail.amazonaws.com"}
statement = [
    {"Effect": "Allow", "Principal": cloudtrail, "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{bucket}"},
    {"Effect": "Allow", "Principal": cloudtrail, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/AWSLogs/{account}/*"},
]
s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statement}))
s3.put_object(Bucket=bucket, Key="notes/ä b+c.txt", Body=b"hello", ContentType="text/plain")
assert s3.get_object(Bucket=bucket, Key="notes/ä b+c.txt")["Body"].read() == b"hello"
assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["notes/ä b+c.txt"]
trail.create_trail(Name="python", S3BucketName=bucket)
fields = [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::SNS::Topic"]}]
trail.put_event_selectors(TrailName="python", AdvancedEventSelectors=[{"Name": "publishes", "FieldSelectors": fields}])
trail.start_logging(Name="python")
request_id = sns.publish(TopicArn=topic, Message="logged")["ResponseMetadata"]["RequestId"]
logs = until("a log file", lambda: s3.list_objects_v2(Bucket=bucket, Prefix="AWSLogs/").get("Contents"))
# botocore hands out the bytes as they are stored.
records = json.loads(gzip.decompress(s3.get_object(Bucket=bucket, Key=logs[0]["Key"])["Body"].read()))["Records"]
assert [(r["eventName"], r["requestID"]) for r in records] == [("Publish", request_id)], records

for arn in (to_queue, to_receiver):
    sns.unsubscribe(SubscriptionArn=arn)
assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
sns.delete_topic(TopicArn=topic)
sqs.delete_queue(QueueUrl=queue)
try:
    sqs.get_queue_url(QueueName="python")
    raise AssertionError("a deleted queue was found")
except sqs.exceptions.QueueDoesNotExist:
    pass
print("all as on AWS")
