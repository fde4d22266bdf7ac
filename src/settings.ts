// Every setting of the server, by its key in the configuration file and in `--set key=value`.
import { choice, flag, text, texts, wholeNumber } from './model/config.ts'

const MEBIBYTE = 1024 * 1024

/** AWS's commercial regions, as of 2026. */
const REGIONS = [
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'af-south-1',
  'ap-east-1',
  'ap-east-2',
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-northeast-3',
  'ap-south-1',
  'ap-south-2',
  'ap-southeast-1',
  'ap-southeast-2',
  'ap-southeast-3',
  'ap-southeast-4',
  'ap-southeast-5',
  'ap-southeast-6',
  'ap-southeast-7',
  'ca-central-1',
  'ca-west-1',
  'eu-central-1',
  'eu-central-2',
  'eu-north-1',
  'eu-south-1',
  'eu-south-2',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'il-central-1',
  'me-central-1',
  'me-south-1',
  'mx-central-1',
  'sa-east-1',
]

const SEALABLE: readonly string[] = ['journal', 'records', 'queues', 'backup']

/** Why a store cannot be sealed as a whole. */
function unsealable(store: string): string {
  if (store === 'blobs' || store === 'archive') return 'objects are always sealed; leave it out'
  if (['lake', 'history', 'tree'].includes(store)) return 'this store cannot be sealed by this release; keep it on a sealed volume'
  return `it is none of ${SEALABLE.join(', ')}`
}

const SMS_ORIGIN = /^(\+\d{5,15}(\/[A-Z]{2})?|MG[0-9a-f]{32}|(?=.*[A-Za-z])[A-Za-z0-9 -]{1,11})$/
const AWS_ENDPOINT = {
  pattern: /^https?:\/\/[^\s/@?#]+$/,
  form: 'an http(s) URL of scheme, host and port alone, such as https://sqs.{region}.amazonaws.com',
}

export const settings = {
  'server.port': wholeNumber({ default: 4566, min: 0, max: 65535, help: 'TCP port; 0 takes any free one' }),
  'server.host': text({ default: '127.0.0.1', help: 'address to listen on' }),
  'server.publicUrl': text({
    default: undefined,
    pattern: /^https?:\/\/[^/]+$/,
    form: 'an http(s) URL without a path',
    help: 'base of the links in notifications, where it is not the address listened on',
  }),
  'server.tlsCert': text({ default: undefined, help: 'PEM file of the certificate chain; with server.tlsKey turns TLS on' }),
  'server.tlsKey': text({ default: undefined, help: 'PEM file of the private key' }),
  'data.folder': text({ default: './sealcast-data', help: 'data directory' }),
  'data.freeBytesMin': wholeNumber({
    default: 256 * MEBIBYTE,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    help: 'writes are refused while the volume has less free than this',
  }),
  'journal.segmentBytes': wholeNumber({
    default: 64 * MEBIBYTE,
    min: 4 * MEBIBYTE,
    max: 1024 * MEBIBYTE,
    help: 'size of a journal segment',
  }),
  'keys.rootFile': text({ default: undefined, help: 'file of the root key, where it is not root.key in the data directory' }),
  'seal.stores': texts({
    default: [],
    help: `stores that are sealed as a whole: ${SEALABLE.join(', ')}`,
    check: (store) => (SEALABLE.includes(store) ? undefined : unsealable(store)),
  }),
  'regions.names': texts({ default: REGIONS, help: 'regions that are served; others are refused' }),
  'regions.default': text({ default: 'us-east-1', help: 'region of calls that name none' }),
  'outbound.allow': texts({ default: [], help: 'networks (CIDR) that deliveries may reach besides public addresses' }),
  'outbound.proxy': text({ default: undefined, pattern: /^https?:\/\//, form: 'an http(s) URL', help: 'proxy of deliveries' }),
  'outbound.caFile': text({ default: undefined, help: 'PEM file of further authorities that deliveries trust' }),
  'email.provider': choice({
    default: 'none',
    of: ['none', 'smtp', 'capture'],
    help: 'who delivers mail; capture: nobody, it is kept for `sealcast inbox`',
  }),
  'email.smtpUrl': text({
    default: undefined,
    pattern: /^smtps?:\/\/[^\s@/?#]+$/,
    form: 'smtp://HOST:PORT (port 587 unless given, STARTTLS) or smtps://HOST:PORT (465, TLS from the start), without user or password',
    help: 'mail server of email.provider smtp',
  }),
  'email.from': text({ default: undefined, help: 'address that mails come from' }),
  'email.user': text({ default: undefined, help: 'user at the mail server; the password is in email.passwordFile' }),
  'email.passwordFile': text({ default: undefined, help: 'file of the password at the mail server' }),
  'email.tls': choice({
    default: 'required',
    of: ['required', 'when-offered'],
    help: 'when-offered: mails go unencrypted to a server without STARTTLS; a password never does',
  }),
  'sms.provider': choice({
    default: 'none',
    of: ['none', 'twilio', 'smpp', 'capture'],
    help: 'who sends SMS; twilio: an API like that of Twilio; smpp: a message centre; capture: nobody, they are kept for `sealcast inbox`',
  }),
  'sms.twilioUrl': text({
    default: 'https://api.twilio.com',
    pattern: /^https?:\/\/[^/@]+$/,
    form: 'an http(s) URL without a path',
    help: 'where the API of sms.provider twilio is',
  }),
  'sms.smppUrl': text({
    default: undefined,
    pattern: /^smpps?:\/\/[^\s@/?#]+$/,
    form: 'smpp://HOST:PORT (port 2775 unless given) or smpps://HOST:PORT (3550, TLS), without user or password',
    help: 'message centre of sms.provider smpp',
  }),
  'sms.credentialsFile': text({
    default: undefined,
    help: 'file with one line USER:PASSWORD; for Twilio ACCOUNT-SID:AUTH-TOKEN, for SMPP SYSTEM-ID:PASSWORD',
  }),
  'sms.from': texts({
    default: [],
    help: 'what texts come from, the usual one first: numbers (+15550100 or +15550100/US), names, Twilio messaging services',
    check: (from) => (SMS_ORIGIN.test(from) ? undefined : 'it is no number with its +, name of 1 to 11 letters or messaging service'),
  }),
  'sms.priceUsd': text({
    default: '0',
    pattern: /^\d{1,6}(\.\d{1,6})?$/,
    form: 'an amount of US dollars',
    help: 'what each part of a text costs where the provider does not say, counted against MonthlySpendLimit',
  }),
  'sms.sandbox': flag({ default: false, help: 'accounts may text only the numbers that they verified, as in the SMS sandbox of AWS' }),
  'push.provider': choice({
    default: 'services',
    of: ['services', 'capture'],
    help: 'who delivers mobile push; services: APNs and FCM; capture: nobody, it is kept for `sealcast inbox`',
  }),
  'push.apnsUrl': text({
    default: undefined,
    pattern: /^https:\/\/[^/@]+$/,
    form: 'an https URL without a path',
    help: 'where pushes for Apple go instead of its own hosts',
  }),
  'push.fcmUrl': text({
    default: undefined,
    pattern: /^https?:\/\/[^/@]+$/,
    form: 'an http(s) URL without a path',
    help: 'where pushes for Firebase go instead of its own host',
  }),
  'lambda.provider': choice({
    default: 'none',
    of: ['none', 'endpoint', 'capture'],
    help: 'who invokes functions; capture: events are kept for `sealcast inbox`',
  }),
  'lambda.endpoint': text({
    default: undefined,
    ...AWS_ENDPOINT,
    help: 'Lambda endpoint; `{region}` in it stands for the region of the function',
  }),
  'lambda.credentialsFile': text({ default: undefined, help: 'file with the key for lambda.endpoint, as the AWS CLI keeps them' }),
  'lambda.command': texts({ default: [], help: 'program, with its arguments, that captured events are handed to on standard input' }),
  'lambda.url': text({
    default: undefined,
    pattern: /^https?:\/\/[^\s@]+$/,
    form: 'an http(s) URL without a user or password',
    help: 'URL that captured events are posted to; `{function}` in it stands for the name of the function',
  }),
  'firehose.provider': choice({
    default: 'none',
    of: ['none', 'endpoint', 'capture'],
    help: 'who takes what goes to delivery streams; capture: it is kept for `sealcast inbox`',
  }),
  'firehose.endpoint': text({
    default: undefined,
    ...AWS_ENDPOINT,
    help: 'Firehose endpoint; `{region}` in it stands for the region of the stream',
  }),
  'firehose.credentialsFile': text({ default: undefined, help: 'file with the key for firehose.endpoint' }),
  'sqs.remoteEndpoint': text({
    default: undefined,
    ...AWS_ENDPOINT,
    help: 'SQS endpoint of queues that topics send to and that are none of this server; `{region}` as above',
  }),
  'sqs.remoteCredentialsFile': text({ default: undefined, help: 'file with the key for sqs.remoteEndpoint' }),
  'notifications.certificateUrl': text({
    default: undefined,
    pattern: /^https?:\/\/[^/]+$/,
    form: 'an http(s) URL without a path',
    help: 'base of SigningCertURL, where it differs from server.publicUrl',
  }),
  'trail.deliveryIntervalSeconds': wholeNumber({ default: 300, min: 1, max: 3600, help: 'seconds between the log files of a trail' }),
  'tree.checkpointSeconds': wholeNumber({
    default: 60,
    min: 1,
    max: 86_400,
    help: 'seconds between signed checkpoints of the tree over the events, when events came in between',
  }),
  'tree.topicArn': text({
    default: undefined,
    pattern: /^arn:[^:]+:sns:[^:]+:\d{12}:[^:]+$/,
    form: 'the ARN of a topic',
    help: 'topic that each checkpoint is published to',
  }),
  'tree.file': text({ default: undefined, help: 'file that each checkpoint is appended to' }),
  'tree.bucket': text({ default: undefined, help: 'bucket that holds the tree and its checkpoint as a static log (C2SP tlog-tiles)' }),
  'tree.prefix': text({
    default: '',
    pattern: /^$|^[^/](.*[^/])?$/,
    form: 'a text that neither begins nor ends with a slash',
    help: 'what the keys in tree.bucket begin with',
  }),
  'trail.digestKeyDays': wholeNumber({
    default: 30,
    min: 1,
    max: 3650,
    help: 'days after which a key that signs digests gets a successor',
  }),
  'lake.retentionDays': wholeNumber({ default: 90, min: 1, max: 3650, help: 'days for which events can be queried' }),
  'deliveries.retentionDays': wholeNumber({ default: 7, min: 1, max: 3650, help: 'days for which attempts at deliveries can be queried' }),
  'lake.maxBytes': wholeNumber({
    default: 50 * 1024 * MEBIBYTE,
    min: MEBIBYTE,
    max: Number.MAX_SAFE_INTEGER,
    help: 'the lake lets go of its oldest beyond this',
  }),
  'events.target': text({
    default: undefined,
    pattern: /^https?:\/\/[^\s@]+$/,
    form: 'an http(s) URL without a user or password',
    help: 'URL that copies of events are posted to, in the form of EventBridge',
  }),
  'events.authorizationFile': text({ default: undefined, help: 'file with the Authorization header of events.target' }),
  'events.reads': flag({ default: false, help: 'copies of management events that only read, too' }),
  'events.data': flag({ default: false, help: 'copies of data events, too' }),
  'events.backlogBytes': wholeNumber({
    default: 256 * MEBIBYTE,
    min: MEBIBYTE,
    max: Number.MAX_SAFE_INTEGER,
    help: 'of journal that is kept for an events.target that does not answer',
  }),
  'limits.profile': choice({
    default: 'open',
    of: ['open', 'aws'],
    help: 'aws: counts and rates as AWS limits them; open: sizes and forms alone',
  }),
  'archive.folder': text({ default: undefined, help: 'folder of the bodies of archived objects; `archive` in the data directory' }),
  'log.format': choice({ default: 'text', of: ['text', 'json'], help: 'form of the log on standard error' }),
} as const
