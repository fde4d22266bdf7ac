// Percent-encoding as Signature Version 4 wants it (RFC 3986): everything but letters, digits and -._~

export function percentEncode(value: string): string {
  if (/^[\w.~-]*$/.test(value)) return value
  return encodeURIComponent(value.isWellFormed() ? value : value.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** An object key as it stands in a URL and in S3's canonical path: its slashes stay. */
export function encodePath(path: string): string {
  return path.split('/').map(percentEncode).join('/')
}
