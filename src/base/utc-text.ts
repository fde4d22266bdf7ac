// Times as ISO 8601 writes them in UTC. Most that are written one after the other lie in one second: its text is kept.

const kept = { second: NaN, text: '' }

/** `YYYY-MM-DDTHH:MM:SS`. `at` in ms since 1970, within what Date can hold. */
function secondText(at: number): string {
  const second = Math.floor(at / 1000)
  if (second !== kept.second) {
    kept.text = new Date(second * 1000).toISOString().slice(0, -5)
    kept.second = second
  }
  return kept.text
}

/** `YYYY-MM-DDTHH:MM:SSZ`. */
export function utcSecond(at: number): string {
  return `${secondText(at)}Z`
}

/** `YYYY-MM-DDTHH:MM:SS.sssZ`, as Date writes it. */
export function utcText(at: number): string {
  const milliseconds = Math.trunc(at) - Math.floor(at / 1000) * 1000
  return `${secondText(at)}.${milliseconds < 10 ? '00' : milliseconds < 100 ? '0' : ''}${milliseconds}Z`
}
