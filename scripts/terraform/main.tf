# What scripts/terraform.ts applies: topics, queues, subscriptions, policies, an application and the settings of SMS.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "url" {}

# A second apply changes what can change.
variable "changed" { default = false }

provider "aws" {
  region                  = "us-east-1"
  skip_metadata_api_check = true
  skip_get_ec2_platforms  = true
  skip_region_validation  = true
  endpoints {
    sns = var.url
    sqs = var.url
    sts = var.url
  }
}

locals {
  account  = data.aws_caller_identity.me.account_id
  feedback = "arn:aws:iam::${local.account}:role/feedback"
}

data "aws_caller_identity" "me" {}

resource "aws_sns_topic" "plain" { name = "tf-plain" }

resource "aws_sns_topic" "full" {
  name_prefix       = "tf-full-"
  display_name      = var.changed ? "Store" : "Shop"
  kms_master_key_id = var.changed ? null : "alias/aws/sns"
  delivery_policy = jsonencode({
    http = {
      defaultHealthyRetryPolicy = {
        minDelayTarget     = 20
        maxDelayTarget     = 20
        numRetries         = var.changed ? 5 : 3
        numMaxDelayRetries = 0
        numNoDelayRetries  = 0
        numMinDelayRetries = 0
        backoffFunction    = "linear"
      }
      disableSubscriptionOverrides = false
      defaultThrottlePolicy        = { maxReceivesPerSecond = 1 }
    }
  })
  http_success_feedback_role_arn           = local.feedback
  http_success_feedback_sample_rate        = var.changed ? 0 : 80
  http_failure_feedback_role_arn           = local.feedback
  sqs_success_feedback_role_arn            = local.feedback
  sqs_success_feedback_sample_rate         = 50
  sqs_failure_feedback_role_arn            = local.feedback
  lambda_success_feedback_sample_rate      = 10
  application_success_feedback_sample_rate = 10
}

resource "aws_sns_topic" "inline" {
  name = "tf-inline"
  policy = jsonencode({
    Version = "2012-10-17"
    Id      = "default"
    Statement = [{
      Sid       = "a"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${local.account}:root" }
      Action    = ["SNS:Subscribe", "SNS:Publish"]
      Resource  = "arn:aws:sns:us-east-1:${local.account}:tf-inline"
    }]
  })
}

data "aws_iam_policy_document" "publish" {
  policy_id = "__default_policy_ID"
  statement {
    sid       = "events"
    effect    = "Allow"
    actions   = var.changed ? ["SNS:Publish"] : ["SNS:Publish", "SNS:GetTopicAttributes"]
    resources = [aws_sns_topic.plain.arn]
    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com", "s3.amazonaws.com"]
    }
    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:aws:s3:*:*:bucket"]
    }
  }
}

resource "aws_sns_topic_policy" "plain" {
  arn    = aws_sns_topic.plain.arn
  policy = data.aws_iam_policy_document.publish.json
}

resource "aws_sqs_queue" "dead" {
  name                      = "tf-dead"
  message_retention_seconds = 1209600
  tags                      = { team = "a" }
}

resource "aws_sqs_queue" "orders" {
  count                      = 2
  name                       = "tf-orders-${count.index}"
  visibility_timeout_seconds = var.changed ? 60 : 45
  delay_seconds              = 5
  max_message_size           = 2048
  message_retention_seconds  = 86400
  receive_wait_time_seconds  = 10
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 4 })
  tags                       = { team = var.changed ? "b" : "a", n = "${count.index}" }
}

resource "aws_sqs_queue" "fifo" {
  name                              = "tf-orders.fifo"
  fifo_queue                        = true
  content_based_deduplication       = !var.changed
  kms_master_key_id                 = "alias/aws/sqs"
  kms_data_key_reuse_period_seconds = 300
}

resource "aws_sqs_queue_policy" "orders" {
  count     = 2
  queue_url = aws_sqs_queue.orders[count.index].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "sns.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.orders[count.index].arn
      Condition = { ArnEquals = { "aws:SourceArn" = [aws_sns_topic.plain.arn] } }
    }]
  })
}

resource "aws_sns_topic_subscription" "filtered" {
  topic_arn            = aws_sns_topic.plain.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.orders[0].arn
  raw_message_delivery = !var.changed
  filter_policy        = var.changed ? jsonencode({ kind = ["c"] }) : jsonencode({ kind = ["a", { prefix = "b" }] })
}

resource "aws_sns_topic_subscription" "all" {
  topic_arn = aws_sns_topic.plain.arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.orders[1].arn
}

resource "aws_sns_platform_application" "app" {
  name                             = "tf-app"
  platform                         = "GCM"
  platform_credential              = "of nobody"
  success_feedback_sample_rate     = 100
  event_endpoint_created_topic_arn = aws_sns_topic.plain.arn
}

resource "aws_sns_sms_preferences" "sms" {
  default_sender_id   = "Sealcast"
  default_sms_type    = "Transactional"
  monthly_spend_limit = var.changed ? 4 : 3
}
