// What a person sees who opens a link of a mail: a page in place of the XML that programs get. Only for who asks for HTML, as browsers do,
// and only for the two operations that links lead to.
import type { ServiceError } from '../model/service-error.ts'
import type { HttpResponse } from './answer.ts'
import type { RequestHead } from './http.ts'

type Result = { readonly output: unknown } | { readonly error: ServiceError }

export interface LinkedCall {
  readonly service: string
  readonly operation: string
  readonly isSigned: boolean
  readonly result: Result
}

/** Undefined where the protocol's own answer is to be given. */
export function pageOf({ method, headers }: RequestHead, call: LinkedCall): HttpResponse | undefined {
  const { service, operation, isSigned, result } = call
  if (method !== 'GET' || service !== 'sns' || isSigned) return undefined
  if (operation !== 'ConfirmSubscription' && operation !== 'Unsubscribe') return undefined
  if (!/\btext\/html\b/.test(headers.accept ?? '')) return undefined
  if ('error' in result) return page(result.error.status, 'This did not work', [REFUSED[operation], result.error.message])
  if (operation === 'Unsubscribe')
    return page(200, 'Subscription removed', ['You will get no further notifications from this subscription.'])
  const { SubscriptionArn: subscriptionArn } = result.output as { readonly SubscriptionArn: string }
  return page(200, 'Subscription confirmed', ['You have subscribed. The id of your subscription is:', subscriptionArn], {
    href: `/?Action=Unsubscribe&SubscriptionArn=${subscriptionArn}`,
    before: 'If it was not your intention to subscribe, ',
    text: 'unsubscribe',
  })
}

const REFUSED = {
  ConfirmSubscription: 'The link may be incomplete, or older than two days. Ask to be subscribed again.',
  Unsubscribe: 'The subscription was not removed.',
} as const

interface Link {
  readonly href: string
  readonly before: string
  readonly text: string
}

function page(status: number, title: string, paragraphs: readonly string[], link?: Link): HttpResponse {
  const lines = [
    '<!doctype html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title>`,
    '<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;overflow-wrap:anywhere}</style></head>',
    `<body><h1>${escapeHtml(title)}</h1>`,
    ...paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`),
    ...(link === undefined ? [] : [`<p>${escapeHtml(link.before)}<a href="${escapeHtml(link.href)}">${escapeHtml(link.text)}</a>.</p>`]),
    '</body></html>',
  ]
  return { status, headers: HEADERS, body: `${lines.join('\n')}\n` }
}

/** The address holds a token: it goes nowhere, and nothing is kept. */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}
