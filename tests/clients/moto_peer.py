# What topics deliver to, made at a moto server by boto3: a function, a delivery stream into a bucket, a queue. Prints what the test asks for.
import io
import json
import sys
import zipfile

import boto3

url, what = sys.argv[1:3]
REGION = "us-east-1"


def client(name, region=REGION):
    return boto3.client(
        name, endpoint_url=url, region_name=region, aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="a-secret"
    )


def make():
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = client("iam").create_role(RoleName="any", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("handler.py", "def handle(event, context):\n    return None\n")
    function = client("lambda").create_function(
        FunctionName="orders", Runtime="python3.13", Role=role, Handler="handler.handle", Code={"ZipFile": code.getvalue()}
    )
    client("s3").create_bucket(Bucket="orders")
    stream = client("firehose").create_delivery_stream(
        DeliveryStreamName="orders",
        DeliveryStreamType="DirectPut",
        ExtendedS3DestinationConfiguration={"RoleARN": role, "BucketARN": "arn:aws:s3:::orders"},
    )
    sqs = client("sqs", "eu-west-1")
    queue = sqs.create_queue(QueueName="orders.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return {"role": role, "function": function["FunctionArn"], "stream": stream["DeliveryStreamARN"], "queue": arn}


def records():
    s3 = client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="orders").get("Contents", [])]
    return [s3.get_object(Bucket="orders", Key=key)["Body"].read().decode() for key in keys]


def messages():
    sqs = client("sqs", "eu-west-1")
    queue = sqs.get_queue_url(QueueName="orders.fifo")["QueueUrl"]
    taken = []
    for each in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["All"]).get("Messages", []):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
        taken.append([each["Attributes"]["MessageGroupId"], each["Attributes"]["MessageDeduplicationId"], each["Body"]])
    return taken


print(json.dumps({"make": make, "records": records, "messages": messages}[what]()))
