// Check digits of the numbers that data protection looks for: each takes the number without separators, letters in upper case, and says
// whether it is one that can have been given out. They tell a number that means somebody from one that only looks like it.

/** ISO/IEC 7812-1, annex B: payment cards, Canadian insurance numbers. */
export function hasLuhn(digits: string): boolean {
  let sum = 0
  for (let at = 0; at < digits.length; at++) {
    const digit = Number(digits[digits.length - 1 - at])
    const counted = at % 2 === 0 ? digit : digit * 2
    sum += counted > 9 ? counted - 9 : counted
  }
  return sum % 10 === 0
}

/** ISO 13616: country, two check digits, account; letters count as 10 to 35. */
export function isIban(text: string): boolean {
  let rest = 0
  for (const char of text.slice(4) + text.slice(0, 4)) {
    const value = Number.parseInt(char, 36)
    rest = (value > 9 ? rest * 100 + value : rest * 10 + value) % 97
  }
  return rest === 1
}

/** Brazil, Receita Federal: CPF, eleven digits of which two check. */
export function isCpf(digits: string): boolean {
  return endsInElevens(digits, (fromEnd) => fromEnd + 2)
}

/** Brazil, Receita Federal: CNPJ, fourteen digits of which two check. */
export function isCnpj(digits: string): boolean {
  return endsInElevens(digits, (fromEnd) => (fromEnd % 8) + 2)
}

/** United Kingdom: NHS number, the tenth digit checks. */
export function isNhsNumber(digits: string): boolean {
  const check = (11 - (weighed(digits, (at) => 10 - at, 9) % 11)) % 11
  return check === Number(digits[9])
}

/** Spain: DNI (eight digits) and NIE (X, Y or Z and seven digits), with the letter of the number modulo 23. */
export function isSpanishPersonNumber(text: string): boolean {
  const digits = text.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter)))
  return 'TRWAGMYFPDXBNJZSQVHLCKE'[Number(digits) % 23] === text.at(-1)
}

/** Spain: social security number, two digits that check, the number modulo 97. */
export function isSpanishSocialSecurityNumber(digits: string): boolean {
  const province = digits.slice(0, 2)
  const number = Number(digits.slice(2, 10))
  const checked = number < 10_000_000 ? Number(province) * 10_000_000 + number : Number(digits.slice(0, 10))
  return checked % 97 === Number(digits.slice(10))
}

/** Italy: codice fiscale, whose last letter checks (decree of 23 December 1976). */
export function isCodiceFiscale(text: string): boolean {
  const odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
  let sum = 0
  for (let at = 0; at < 15; at++) {
    const value = Number.parseInt(text[at] ?? '', 36)
    const order = value > 9 ? value - 10 : value
    sum += at % 2 === 0 ? (odd[order] ?? 0) : order
  }
  return String.fromCharCode(65 + (sum % 26)) === text[15]
}

/** France: social security number (NIR), whose last two digits are 97 less the number modulo 97; Corsica is 2A and 2B. */
export function isNir(text: string): boolean {
  const number = Number(text.slice(0, 13).replace(/[AB]/, '0'))
  const corsica = text[6] === 'A' ? 1_000_000 : text[6] === 'B' ? 2_000_000 : 0
  return 97 - ((number - corsica) % 97) === Number(text.slice(13))
}

/** France: numero fiscal (SPI), thirteen digits, the last three the number modulo 511. */
export function isFrenchTaxNumber(digits: string): boolean {
  return Number(digits.slice(0, 10)) % 511 === Number(digits.slice(10))
}

/** Germany: tax id, eleven digits, ISO 7064 MOD 11,10; one digit of the first ten comes twice or thrice. */
export function isGermanTaxId(digits: string): boolean {
  const different = new Set(digits.slice(0, 10)).size
  if (different !== 9 && different !== 8) return false
  let product = 10
  for (let at = 0; at < 10; at++) {
    const sum = (Number(digits[at]) + product) % 10
    product = ((sum === 0 ? 10 : sum) * 2) % 11
  }
  return (11 - product) % 10 === Number(digits[10])
}

/** ICAO 9303: weights 7, 3, 1; letters count as 10 to 35. The last character checks. German identity cards and passports bear it. */
export function hasDocumentCheckDigit(text: string): boolean {
  return weighed(text, (at) => [7, 3, 1][at % 3] ?? 0, text.length - 1) % 10 === Number(text.at(-1))
}

/** United States: National Provider Identifier, Luhn behind the prefix 80840. */
export function isNationalProviderId(digits: string): boolean {
  return hasLuhn(`80840${digits}`)
}

/** United States: DEA registration, two letters and seven digits of which the last checks. */
export function isDeaNumber(text: string): boolean {
  return weighed(text.slice(2), (at) => (at % 2) + 1, 6) % 10 === Number(text.at(-1))
}

/** ISO 3779 with the check digit of 49 CFR 565 in the ninth place. */
export function isVehicleNumber(text: string): boolean {
  const values = '0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ'
  const weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]
  let sum = 0
  for (let at = 0; at < 17; at++) sum += (values.indexOf(text[at] ?? '') % 10) * (weights[at] ?? 0)
  return '0123456789X'[sum % 11] === text[8]
}

/** The sum over the first characters; letters count as 10 to 35. */
function weighed(text: string, weight: (at: number) => number, length: number): number {
  let sum = 0
  for (let at = 0; at < length; at++) sum += Number.parseInt(text[at] ?? '', 36) * weight(at)
  return sum
}

/** Each of the last two digits checks all before it, modulo 11; none is given out that repeats one digit. */
function endsInElevens(digits: string, weight: (fromEnd: number) => number): boolean {
  if (/^(\d)\1*$/.test(digits)) return false
  return [digits.length - 2, digits.length - 1].every((length) => {
    const rest = weighed(digits, (at) => weight(length - 1 - at), length) % 11
    return (rest < 2 ? 0 : 11 - rest) === Number(digits[length])
  })
}
