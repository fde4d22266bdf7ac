// The one error that reading a policy document raises. It names the element at fault and says what would be accepted.

export class PolicyError extends Error {
  override readonly name = 'PolicyError'
  /** Where: `Statement[1].Condition.StringEquals`, or `Policy` for the document as a whole. */
  readonly element: string
  readonly problem: string

  constructor(element: string, problem: string) {
    super(`${element}: ${problem}`)
    this.element = element
    this.problem = problem
  }
}
