// The keys of what delivery remembers (Table.trailPlans): trail ARN, slash, kind, then a number that grows.

export function viewKey(trailArn: string): string {
  return `${trailArn}/view`
}

export function fileKey(trailArn: string, number: number): string {
  return `${trailArn}/file/${padded(number)}`
}

/** What the keys of all files of a trail begin with. */
export function filesPrefix(trailArn: string): string {
  return `${trailArn}/file/`
}

export function carriedKey(trailArn: string, region: string, number: number): string {
  return `${trailArn}/carried/${region}/${padded(number)}`
}

function padded(number: number): string {
  return String(number).padStart(15, '0')
}
